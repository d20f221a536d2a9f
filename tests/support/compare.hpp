// Comparing results: bit for bit, and within a tolerance.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>

namespace parconv::test {

/// Success if both hold the same bits; otherwise says how many differ, and the first of them. -0 and 0 differ, as do two NaNs of
/// other bits.
inline ::testing::AssertionResult same_bits(std::span<const float> actual, std::span<const float> expected) {
  if (actual.size() != expected.size())
    return ::testing::AssertionFailure() << actual.size() << " values, expected " << expected.size();
  std::size_t num_different = 0;
  std::size_t first = 0;
  for (std::size_t i = actual.size(); i-- > 0;) {
    if (std::bit_cast<std::uint32_t>(actual[i]) == std::bit_cast<std::uint32_t>(expected[i])) continue;
    ++num_different;
    first = i;
  }
  if (num_different == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << num_different << " of " << actual.size() << " values differ, first at " << first << ": "
                                       << std::hexfloat << actual[first] << ", expected " << expected[first] << std::defaultfloat
                                       << " (" << actual[first] << ", expected " << expected[first] << ")";
}

/// Success if no value is further from the expected one than `tolerance` times the largest expected finite magnitude. A NaN
/// fails, an infinity is near itself only.
inline ::testing::AssertionResult all_near(std::span<const float> actual, std::span<const float> expected, double tolerance) {
  if (actual.size() != expected.size())
    return ::testing::AssertionFailure() << actual.size() << " values, expected " << expected.size();
  double largest = 0;
  for (float value : expected)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(static_cast<double>(value)));
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double difference = std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i]));
    if (actual[i] != expected[i] && !(difference <= tolerance * largest))
      return ::testing::AssertionFailure() << "value " << i << " is " << actual[i] << ", expected " << expected[i]
                                           << ", difference " << difference << " above " << tolerance << " of the largest, "
                                           << largest;
  }
  return ::testing::AssertionSuccess();
}

}  // namespace parconv::test
