// SPDX-License-Identifier: Apache-2.0
// Support for benchmarks: sample statistics, system load, options.
#pragma once

#include <charconv>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "parconv/core/error.hpp"

namespace parconv::bench {

/// Statistics of the samples of one measurement.
struct Timing {
  double median_seconds = 0;
  double min_seconds = 0;
};

/// Precondition: at least one sample.
Timing timing_of(std::vector<double> seconds);

/// Precondition: at least one ratio, all positive.
double geomean(std::span<const double> ratios);

/// Average number of runnable processes in the last minute; -1 if unknown.
double load_average();

/// Parses `text` as a number. Throws Error(Usage) naming the option.
template <class Number>
Number number_of(const std::string& text, const std::string& option) {
  Number value{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc() && result.ptr == text.data() + text.size()) return value;
  throw Error(ExitCode::Usage, concat(option, " takes a number, not \"", text, "\""));
}

/// Runs a program, prints any exception, and returns the exit status.
int guarded(const std::function<void()>& program);

}  // namespace parconv::bench
