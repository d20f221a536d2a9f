// Seeded random numbers that are the same with every standard library.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "parconv/core/error.hpp"
#include "parconv/core/types.hpp"

namespace parconv::test {

/// Ranks that draw the same calls from the same seed get the same numbers.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// An integer of [lo, hi], both included.
  index_t integer(index_t lo, index_t hi) {
    PARCONV_EXPECT(lo <= hi, lo, " to ", hi);
    return lo + static_cast<index_t>(engine_() % static_cast<std::uint64_t>(hi - lo + 1));
  }

  /// True once in `one_in` draws on average.
  bool once_in(index_t one_in) { return integer(1, one_in) == 1; }

  /// A float of [lo, hi).
  float real(float lo = -1.0F, float hi = 1.0F) { return lo + (hi - lo) * static_cast<float>(engine_() >> 40U) * 0x1p-24F; }

  /// Integers of [lo, hi] as floats: sums of their products are exact in any order while they stay below 2^24.
  std::vector<float> small_integers(index_t count, index_t lo = -4, index_t hi = 4) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = static_cast<float>(integer(lo, hi));
    return values;
  }

  std::vector<float> reals(index_t count, float lo = -1.0F, float hi = 1.0F) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = real(lo, hi);
    return values;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace parconv::test
