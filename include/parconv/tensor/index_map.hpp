// SPDX-License-Identifier: Apache-2.0
// Index map from linear work index to element indices, without division instructions.
#pragma once

#include <bit>
#include <cstdint>

#include "parconv/tensor/elements.hpp"

namespace parconv {

/// Division of integers in [0, 2^63) by an invariant divisor: one multiplication and one shift (Granlund and Montgomery, 1994).
class Divisor {
 public:
  Divisor() = default;
  /// Precondition: 1 <= divisor < 2^62.
  explicit constexpr Divisor(index_t divisor) : divisor_(divisor) {
    if (divisor == 1) return;
    const auto number = static_cast<std::uint64_t>(divisor);
    const int bits = 64 - std::countl_zero(number - 1);  // 2^(bits - 1) < divisor <= 2^bits
    shift_ = bits - 1;
    factor_ = rounded_up_quotient(shift_, number);
  }

  constexpr index_t value() const { return divisor_; }

  /// number / divisor.
  PARCONV_HOST_DEVICE index_t quotient(index_t number) const {
    if (divisor_ == 1) return number;
    return static_cast<index_t>(high_product(static_cast<std::uint64_t>(number), factor_) >> shift_);
  }

  /// Replaces `number` by its quotient and returns the remainder.
  PARCONV_HOST_DEVICE index_t take_remainder(index_t& number) const {
    const index_t found = quotient(number);
    const index_t remainder = number - found * divisor_;
    number = found;
    return remainder;
  }

 private:
  __extension__ typedef unsigned __int128 Wide;

  /// ceil(2^(64 + shift) / divisor), which is less than 2^64. The rounding error never changes a quotient of a dividend below
  /// 2^63: number * (factor * divisor - 2^(64 + shift)) < 2^63 * 2^(shift + 1).
  static constexpr std::uint64_t rounded_up_quotient(int shift, std::uint64_t divisor) {
    const Wide power = Wide{1} << (64 + shift);
    return static_cast<std::uint64_t>((power + divisor - 1) / divisor);
  }

  static PARCONV_HOST_DEVICE std::uint64_t high_product(std::uint64_t a, std::uint64_t b) {
#if defined(__CUDA_ARCH__)
    return __umul64hi(a, b);
#else
    return static_cast<std::uint64_t>((Wide{a} * b) >> 64);
#endif
  }

  index_t divisor_ = 1;
  std::uint64_t factor_ = 0;
  int shift_ = 0;
};

/// From numbers 0, 1, ... to the indices of a box in memory order, `width` channels at a time.
class IndexMap {
 public:
  IndexMap() = default;
  /// Precondition: the channels are a multiple of `width`.
  explicit IndexMap(const Extents& extents, int width = 1)
      : count_(volume(extents) / width),
        width_(width),
        vectors_(extents[Axis::C] / width),
        w_(extents[Axis::W]),
        h_(extents[Axis::H]),
        d_(extents[Axis::D]) {}

  index_t count() const { return count_; }

  PARCONV_HOST_DEVICE ElementIndex at(index_t number) const {
    ElementIndex index;
    index.c = vectors_.take_remainder(number) * width_;
    index.w = w_.take_remainder(number);
    index.h = h_.take_remainder(number);
    index.d = d_.take_remainder(number);
    index.n = number;
    return index;
  }

 private:
  index_t count_ = 0;
  int width_ = 1;
  Divisor vectors_{};
  Divisor w_{};
  Divisor h_{};
  Divisor d_{};
};

}  // namespace parconv
