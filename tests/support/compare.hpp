// SPDX-License-Identifier: Apache-2.0
// Comparison of results: bitwise, and within a tolerance.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>

namespace parconv::test {

/// Succeeds if both are bitwise equal; otherwise reports the number of differences and the first one. -0 and 0 differ, as do
/// NaNs of different payload.
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

/// Succeeds if NaNs and infinities are at the same places, and with `has_same_bits` all other values bitwise equal. All NaNs are
/// equal.
inline ::testing::AssertionResult same_odd_numbers(std::span<const float> actual, std::span<const float> expected,
                                                   bool has_same_bits) {
  if (actual.size() != expected.size())
    return ::testing::AssertionFailure() << actual.size() << " values, expected " << expected.size();
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const float a = actual[i], b = expected[i];
    const bool is_alike = std::isfinite(a) && std::isfinite(b) && !has_same_bits;
    if (is_alike || std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b)))
      continue;
    return ::testing::AssertionFailure() << "value " << i << " is " << a << ", expected " << b;
  }
  return ::testing::AssertionSuccess();
}

/// Succeeds if no value differs from the expected one by more than `tolerance` times the largest finite expected magnitude. NaN
/// fails; infinities must be equal.
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
