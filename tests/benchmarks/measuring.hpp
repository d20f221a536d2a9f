// What the benchmark programs share: statistics of samples, the machine's load, options.
#pragma once

#include <charconv>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "parconv/core/error.hpp"

namespace parconv::bench {

/// Of the samples of one measurement.
struct Timing {
  double median_seconds = 0;
  double min_seconds = 0;
};

/// Precondition: at least one sample.
Timing timing_of(std::vector<double> seconds);

/// Precondition: at least one ratio, all positive.
double geomean(std::span<const double> ratios);

/// Processes that ran or wanted to run in the last minute, on average; -1 if unknown.
double load_average();

/// The number that `text` is. Throws Error(Usage) naming the option.
template <class Number>
Number number_of(const std::string& text, const std::string& option) {
  Number value{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc() && result.ptr == text.data() + text.size()) return value;
  throw Error(ExitCode::Usage, concat(option, " takes a number, not \"", text, "\""));
}

/// Runs a program; prints what it throws. Returns the exit status.
int guarded(const std::function<void()>& program);

}  // namespace parconv::bench
