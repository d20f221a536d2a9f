// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/measuring.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>

namespace parconv::bench {

Timing timing_of(std::vector<double> seconds) {
  PARCONV_EXPECT(!seconds.empty(), "no samples");
  std::sort(seconds.begin(), seconds.end());
  return {.median_seconds = seconds[seconds.size() / 2], .min_seconds = seconds.front()};
}

double geomean(std::span<const double> ratios) {
  PARCONV_EXPECT(!ratios.empty(), "no ratios");
  double sum = 0;
  for (double ratio : ratios) sum += std::log(ratio);
  return std::exp(sum / static_cast<double>(ratios.size()));
}

double load_average() {
  double load = -1;
  return getloadavg(&load, 1) == 1 ? load : -1;
}

int guarded(const std::function<void()>& program) {
  try {
    program();
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n{}\n", error.what(), error.hint());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(ExitCode::Bug);
  }
}

}  // namespace parconv::bench
