// SPDX-License-Identifier: Apache-2.0
#include "parconv/report/slow_rank.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace parconv {
namespace {

constexpr double slow_factor = 1.5;

/// Of the ranks that work on a layer; 0 if fewer than two do.
double median_rate(std::span<const RankWork> ranks, std::size_t layer) {
  std::vector<double> rates;
  for (const RankWork& rank : ranks)
    if (rank.amount[layer] > 0) rates.push_back(rank.seconds[layer] / rank.amount[layer]);
  if (rates.size() < 2) return 0;
  const auto middle = rates.begin() + static_cast<std::ptrdiff_t>((rates.size() - 1) / 2);
  std::nth_element(rates.begin(), middle, rates.end());
  return *middle;
}

struct Times {
  double taken = 0;
  double expected = 0;
};

Times times_of(const RankWork& rank, std::span<const double> rates) {
  Times times;
  for (std::size_t layer = 0; layer < rates.size(); ++layer) {
    if (rates[layer] <= 0 || rank.amount[layer] <= 0) continue;
    times.taken += rank.seconds[layer];
    times.expected += rank.amount[layer] * rates[layer];
  }
  return times;
}

}  // namespace

std::optional<SlowRank> slowest_rank(std::span<const RankWork> ranks, Track track, double least_seconds) {
  std::vector<double> rates;
  for (std::size_t layer = 0; !ranks.empty() && layer < ranks.front().amount.size(); ++layer)
    rates.push_back(median_rate(ranks, layer));
  std::optional<SlowRank> slowest;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const Times times = times_of(ranks[rank], rates);
    if (times.taken <= slow_factor * times.expected || times.taken - times.expected < least_seconds) continue;
    const double factor = times.taken / times.expected;
    if (!slowest || factor > slowest->factor) slowest = {.rank = static_cast<int>(rank), .track = track, .factor = factor};
  }
  return slowest;
}

std::string text_of(const SlowRank& slow, const std::string& host) {
  return fmt::format("rank {} on {} {} {:.2g} times as long as the median rank does for the same work", slow.rank, host,
                     slow.track == Track::Io ? "reads and writes" : "computes", slow.factor);
}

}  // namespace parconv
