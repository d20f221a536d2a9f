// SPDX-License-Identifier: Apache-2.0
// Samples of one layer, on one rank and split over several.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/measuring.hpp"
#include "benchmarks/timed_run.hpp"

namespace parconv::bench {

/// Minimum number of samples for a meaningful median.
inline constexpr int least_samples = 5;

/// Measurements of the slowest rank.
struct Sample {
  TrackTimes times{};
  double total_seconds = 0;
  bool is_undisturbed = true;
};

/// One configuration of the layer, with its samples.
struct Candidate {
  std::string split{};
  std::optional<TimedRun> run{};
  std::vector<Sample> samples{};

  int num_undisturbed() const {
    return static_cast<int>(std::count_if(samples.begin(), samples.end(), [](const Sample& s) { return s.is_undisturbed; }));
  }
};

/// One value of every sample, or only of the undisturbed ones.
template <class Number>
Timing timing_of(const Candidate& candidate, bool only_undisturbed, Number&& number) {
  std::vector<double> seconds;
  for (const Sample& sample : candidate.samples)
    if (sample.is_undisturbed || !only_undisturbed) seconds.push_back(number(sample));
  return timing_of(std::move(seconds));
}

inline Timing total_of(const Candidate& candidate, bool only_undisturbed) {
  return timing_of(candidate, only_undisturbed, [](const Sample& sample) { return sample.total_seconds; });
}

/// Parallel efficiency T1 / (P * TP).
struct Efficiency {
  double of_medians = 0;
  double of_minima = 0;
};

/// Two candidates, and their numbers of undisturbed samples. Only these count if both have enough; otherwise all count.
struct Comparison {
  const Candidate& one;
  const Candidate& split;
  int num_ranks = 1;

  int num_undisturbed() const { return std::min(one.num_undisturbed(), split.num_undisturbed()); }
  bool only_undisturbed() const { return num_undisturbed() >= least_samples; }
  Efficiency efficiency() const {
    const Timing t1 = total_of(one, only_undisturbed()), tp = total_of(split, only_undisturbed());
    return {.of_medians = t1.median_seconds / (num_ranks * tp.median_seconds),
            .of_minima = t1.min_seconds / (num_ranks * tp.min_seconds)};
  }
};

}  // namespace parconv::bench
