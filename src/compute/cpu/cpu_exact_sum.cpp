// SPDX-License-Identifier: Apache-2.0
// Numbers are added up in blocks, in f64, where that is exact, and the sums of a block are added to the accumulators. Each number
// is x = high + low, where `high` is x rounded to a multiple of a grid that the largest number of the block gives (the error-free
// extraction of Rump, Ogita and Oishi, "Accurate floating-point summation, part I", SIAM J. Sci. Comput. 31, 2008): both sums are
// exact as long as the smallest number is not too small, and `low` is 0 if the numbers are of similar size. Other blocks, and
// infinities and NaNs, are added one by one.
#include "compute/cpu/cpu_exact_sum.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "parconv/tensor/cpu_dispatch.hpp"

#define PARCONV_INLINE __attribute__((always_inline)) inline
#define PARCONV_INLINE_LAMBDA __attribute__((always_inline))

namespace parconv::cpu {
namespace {

constexpr index_t num_lanes = 8;
constexpr index_t block_size = 256;  // numbers that one f64 adds up
using Bits = std::uint32_t __attribute__((vector_size(num_lanes * sizeof(float))));

// Lanes of f64 in two halves, which the compiler keeps in registers of AVX2.
constexpr index_t half_lanes = num_lanes / 2;
using HalfFloats = float __attribute__((vector_size(half_lanes * sizeof(float))));
using HalfDoubles = double __attribute__((vector_size(half_lanes * sizeof(double))));
struct Doubles {
  HalfDoubles halves[2]{};

  double lane(index_t k) const { return halves[k / half_lanes][k % half_lanes]; }
};

constexpr std::uint32_t magnitude_bits = 0x7fffffff;
constexpr int special_exponent = 255;
/// With the largest exponent e of a block, f64 sums of all its numbers, of 24 bits each, are exact if no exponent is below
/// e - one_sum_reach: 53 bits hold 24 + 21 + log2(block_size). With `low` taken off, whose grid is 45 bits below the largest
/// number, its sum reaches as much farther.
constexpr int one_sum_reach = 20, two_sum_reach = 66;

/// The largest and the smallest non-zero magnitude of each lane, as bits; the latter less 1, so that zeros come last.
struct Range {
  Bits largest{};
  Bits smallest_less_one = Bits{} - 1;
};

template <class TapAt>
PARCONV_INLINE void measure(index_t count, const TapAt& tap, Range& range) {
  for (index_t k = 0; k < count; ++k) {
    Bits bits;
    std::memcpy(&bits, tap(k), sizeof bits);
    bits &= magnitude_bits;
    range.largest = bits > range.largest ? bits : range.largest;
    const Bits less_one = bits - 1;
    range.smallest_less_one = less_one < range.smallest_less_one ? less_one : range.smallest_less_one;
  }
}

/// How a block is added up.
enum class Method { OneSum, TwoSums, OneByOne };

PARCONV_INLINE Method method_of(const Range& range) {
  Method method = Method::OneSum;
  for (index_t lane = 0; lane < num_lanes; ++lane) {
    const int largest = static_cast<int>(range.largest[lane] >> 23);
    const int smallest = range.largest[lane] == 0 ? 0 : static_cast<int>((range.smallest_less_one[lane] + 1) >> 23);
    if (largest == special_exponent || smallest < largest - two_sum_reach) return Method::OneByOne;
    if (smallest < largest - one_sum_reach) method = Method::TwoSums;
  }
  return method;
}

/// 1.5 * 2^(e - 118) for the exponent field e of each lane's largest number, which is below 2^(e - 126): adding it leaves a
/// multiple of 2^(e - 170), 44 bits below that.
PARCONV_INLINE void set_rounders(const Range& range, Doubles& rounders) {
  std::array<double, num_lanes> numbers;
  for (index_t lane = 0; lane < num_lanes; ++lane) {
    const std::uint64_t exponent = std::max<std::uint32_t>(range.largest[lane] >> 23, 1);
    numbers[static_cast<std::size_t>(lane)] = std::bit_cast<double>((exponent + 1023 - 118) << 52 | std::uint64_t{1} << 51);
  }
  std::memcpy(&rounders.halves, numbers.data(), sizeof rounders.halves);
}

PARCONV_INLINE void load(const float* from, HalfDoubles& numbers) {
  HalfFloats floats;
  std::memcpy(&floats, from, sizeof floats);
  numbers = __builtin_convertvector(floats, HalfDoubles);
}

template <class TapAt>
PARCONV_INLINE void add_in_one(index_t count, const TapAt& tap, Doubles& high) {
  HalfDoubles number, first = high.halves[0], second = high.halves[1];
  for (index_t k = 0; k < count; ++k) {
    const float* const from = tap(k);
    load(from, number);
    first += number;
    load(from + half_lanes, number);
    second += number;
  }
  high = {{first, second}};
}

/// One half of the lanes, from lane `begin`.
template <class TapAt>
PARCONV_INLINE void add_half_in_two(index_t count, const TapAt& tap, index_t begin, const Doubles& rounders, Doubles& high,
                                    Doubles& low) {
  const HalfDoubles rounder = rounders.halves[begin / half_lanes];
  HalfDoubles high_sum{}, low_sum{}, number;
  for (index_t k = 0; k < count; ++k) {
    load(tap(k) + begin, number);
    const HalfDoubles rounded_number = (number + rounder) - rounder;
    high_sum += rounded_number;
    low_sum += number - rounded_number;
  }
  high.halves[begin / half_lanes] = high_sum;
  low.halves[begin / half_lanes] = low_sum;
}

/// The sums of a block, as high + low of each lane.
struct BlockSums {
  Doubles high{};
  Doubles low{};
};

/// Precondition: the method is not OneByOne.
template <class TapAt>
PARCONV_INLINE void add_block(index_t count, const TapAt& tap, const Range& range, Method method, BlockSums& sums) {
  if (method == Method::OneSum) return add_in_one(count, tap, sums.high);
  Doubles rounders;
  set_rounders(range, rounders);
  add_half_in_two(count, tap, 0, rounders, sums.high, sums.low);
  add_half_in_two(count, tap, half_lanes, rounders, sums.high, sums.low);
}

/// Adds up at most block_size taps, each lane into a sum of its own.
template <class TapAt>
PARCONV_INLINE void add_lanes(index_t count, const TapAt& tap, ExactSum* lane_sums) {
  Range range;
  measure(count, tap, range);
  const Method method = method_of(range);
  if (method == Method::OneByOne) {
    for (index_t k = 0; k < count; ++k)
      for (index_t lane = 0; lane < num_lanes; ++lane) add(lane_sums[lane], tap(k)[lane]);
    return;
  }
  BlockSums sums;
  add_block(count, tap, range, method, sums);
  for (index_t lane = 0; lane < num_lanes; ++lane) {
    add(lane_sums[lane], sums.high.lane(lane));
    add(lane_sums[lane], sums.low.lane(lane));
  }
}

/// The range over all lanes, in each lane.
PARCONV_INLINE void join_lanes(Range& range) {
  for (index_t step = num_lanes / 2; step > 0; step /= 2)
    for (index_t lane = 0; lane < step; ++lane) {
      range.largest[lane] = std::max(range.largest[lane], range.largest[lane + step]);
      range.smallest_less_one[lane] = std::min(range.smallest_less_one[lane], range.smallest_less_one[lane + step]);
    }
  range.largest = Bits{} + range.largest[0];
  range.smallest_less_one = Bits{} + range.smallest_less_one[0];
}

/// Adds up at most block_size numbers in lanes, and the lanes.
template <class TapAt>
PARCONV_INLINE void add_together(index_t count, const TapAt& tap, ExactSum& sum) {
  Range range;
  measure(count, tap, range);
  join_lanes(range);
  const Method method = method_of(range);
  if (method == Method::OneByOne) {
    for (index_t k = 0; k < count; ++k)
      for (index_t lane = 0; lane < num_lanes; ++lane) add(sum, tap(k)[lane]);
    return;
  }
  BlockSums sums;
  add_block(count, tap, range, method, sums);
  double high = 0, low = 0;
  for (index_t lane = 0; lane < num_lanes; ++lane) {
    high += sums.high.lane(lane);
    low += sums.low.lane(lane);
  }
  add(sum, high);
  add(sum, low);
}

}  // namespace

PARCONV_FOR_EVERY_CPU
void add_taps(std::span<const float* const> taps, std::span<ExactSum> sums) {
  const auto count = std::ssize(taps), channels = std::ssize(sums);
  const index_t vectors_end = channels / num_lanes * num_lanes;
  for (index_t first = 0; first < count; first += block_size) {
    const float* const* const block = taps.data() + first;
    const index_t size = std::min(block_size, count - first);
    for (index_t c = 0; c < vectors_end; c += num_lanes)
      add_lanes(size, [=](index_t k) PARCONV_INLINE_LAMBDA { return block[k] + c; }, sums.data() + c);
    for (index_t c = vectors_end; c < channels; ++c)
      for (index_t k = 0; k < size; ++k) add(sums[static_cast<std::size_t>(c)], block[k][c]);
  }
}

PARCONV_FOR_EVERY_CPU
void add_all(std::span<const float> numbers, ExactSum& sum) {
  constexpr index_t taps_of_block = block_size / num_lanes;
  const index_t count = std::ssize(numbers) / num_lanes;
  for (index_t first = 0; first < count; first += taps_of_block) {
    const float* const block = numbers.data() + first * num_lanes;
    add_together(
        std::min(taps_of_block, count - first), [=](index_t k) PARCONV_INLINE_LAMBDA { return block + k * num_lanes; }, sum);
  }
  for (const float number : numbers.subspan(static_cast<std::size_t>(count * num_lanes))) add(sum, number);
}

}  // namespace parconv::cpu
