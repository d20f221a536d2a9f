// SPDX-License-Identifier: Apache-2.0
#include "compute/reference/reference_reduce.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace parconv::reference {

void BitSum::add(float number) {
  if (std::isnan(number)) {
    has_nan_ = true;
  } else if (std::isinf(number)) {
    (number > 0 ? has_infinity_ : has_minus_infinity_) = true;
  } else {
    const auto bits = std::bit_cast<std::uint32_t>(number);
    const std::uint32_t exponent = (bits >> 23) & 255, fraction = bits & 0x7fffff;
    const index_t mantissa = exponent == 0 ? fraction : fraction + 0x800000;
    counts_[exponent == 0 ? 0 : exponent - 1] += number < 0 ? -mantissa : mantissa;
  }
}

void BitSum::add(const ExactSum& sum) {
  for (std::size_t k = 0; k < num_bits; ++k) {
    const bool is_set = (sum.words[k / 64] >> (k % 64) & 1) != 0;
    if (is_set) counts_[k] += k + 1 == num_bits ? -1 : 1;
  }
  has_nan_ = has_nan_ || (sum.specials & ExactSum::has_nan) != 0;
  has_infinity_ = has_infinity_ || (sum.specials & ExactSum::has_infinity) != 0;
  has_minus_infinity_ = has_minus_infinity_ || (sum.specials & ExactSum::has_minus_infinity) != 0;
}

BitSum::BitArray BitSum::two_s_complement() const {
  BitArray bits;
  index_t carry = 0;
  for (std::size_t k = 0; k < num_bits; ++k) {
    const index_t total = counts_[k] + carry;
    bits[k] = total % 2 != 0;
    carry = floor_div(total, 2);
  }
  return bits;
}

ExactSum BitSum::accumulator() const {
  const BitArray bits = two_s_complement();
  ExactSum sum;
  for (std::size_t k = 0; k < num_bits; ++k)
    if (bits[k]) sum.words[k / 64] += std::uint64_t{1} << (k % 64);
  if (has_nan_) sum.specials += ExactSum::has_nan;
  if (has_infinity_) sum.specials += ExactSum::has_infinity;
  if (has_minus_infinity_) sum.specials += ExactSum::has_minus_infinity;
  return sum;
}

float BitSum::rounded() const {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (has_nan_ || (has_infinity_ && has_minus_infinity_)) return std::numeric_limits<float>::quiet_NaN();
  if (has_infinity_ || has_minus_infinity_) return has_infinity_ ? infinity : -infinity;
  BitArray bits = two_s_complement();
  const bool is_negative = bits.back();
  if (is_negative) {  // its negative: all bits up to the lowest set one stay, the others flip
    std::size_t lowest = 0;
    while (!bits[lowest]) ++lowest;
    for (std::size_t k = lowest + 1; k < num_bits; ++k) bits[k] = !bits[k];
  }
  int highest = num_bits - 1;
  while (highest >= 0 && !bits[static_cast<std::size_t>(highest)]) --highest;
  const int lowest_kept = std::max(highest - 23, 0);
  double kept = 0;  // exact: at most 24 bits, and one more after rounding
  for (int k = highest; k >= lowest_kept; --k) kept = 2 * kept + (bits[static_cast<std::size_t>(k)] ? 1 : 0);
  const bool is_half = lowest_kept > 0 && bits[static_cast<std::size_t>(lowest_kept) - 1];
  bool is_more = false;
  for (int k = 0; k < lowest_kept - 1; ++k) is_more = is_more || bits[static_cast<std::size_t>(k)];
  if (is_half && (is_more || std::fmod(kept, 2) != 0)) kept += 1;
  const auto magnitude = static_cast<float>(std::ldexp(kept, lowest_kept - 149));
  return is_negative ? -magnitude : magnitude;
}

namespace {

/// Rounded once and divided, unless the result is an accumulator.
void store(const BitSum& sum, index_t count, const ReferenceCall& call, const Index& at) {
  if (call.type() == DType::Accumulator) return call.store(at, sum.accumulator());
  call.store(at, sum.rounded() / static_cast<float>(count));
}

}  // namespace

void compute(const LocalReduce& reduce, const ReferenceCall& call) {
  const Source src = call.operand(0);
  if (reduce.kind != ReduceKind::Sum)
    return call.store_each([&](const Index& at) {
      constexpr float infinity = std::numeric_limits<float>::infinity();
      float result = reduce.kind == ReduceKind::Max ? -infinity : reduce.kind == ReduceKind::Min ? infinity : 1;
      for_each_reduced(reduce, src, at, [&](float element) { result = joined(reduce.kind, result, element); });
      return result;
    });
  for_each_index(call.extents(), [&](const Index& at) {
    BitSum sum;
    for_each_reduced(reduce, src, at, [&](float element) { sum.add(element); });
    store(sum, reduce.count, call, at);
  });
}

void compute(const LocalReduceParts& parts, const ReferenceCall& call) {
  if (parts.kind != ReduceKind::Sum)
    return call.store_each([&](const Index& at) {
      float result = call.operand(0).at(at);
      for (std::size_t k = 1; k < call.num_operands(); ++k) result = joined(parts.kind, result, call.operand(k).at(at));
      return result;
    });
  for_each_index(call.extents(), [&](const Index& at) {
    BitSum sum;
    for (std::size_t k = 0; k < call.num_operands(); ++k) sum.add(call.operand(k).accumulator(at));
    store(sum, parts.count, call, at);
  });
}

}  // namespace parconv::reference
