// From the number of a piece of work to the indices that it works at, without divisions.
#pragma once

#include <bit>
#include <cstdint>

#include "device/elements.hpp"

namespace parconv {

/// Divides numbers of [0, 2^63) by one divisor: a product and a shift.
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

  /// 2^(64 + shift) / divisor, rounded up. It is less than 2^64, and what rounding adds is too little to reach a quotient of a
  /// number below 2^63: number * (factor * divisor - 2^(64 + shift)) < 2^63 * 2^(shift + 1).
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

/// The places of a box in memory order, `lanes` channels at a time.
class Places {
 public:
  Places() = default;
  /// Precondition: the channels are a multiple of `lanes`.
  explicit Places(const Extents& extents, int lanes = 1)
      : count_(volume(extents) / lanes),
        lanes_(lanes),
        vectors_(extents[Axis::C] / lanes),
        w_(extents[Axis::W]),
        h_(extents[Axis::H]),
        d_(extents[Axis::D]) {}

  index_t count() const { return count_; }

  PARCONV_HOST_DEVICE Place at(index_t number) const {
    Place place;
    place.c = vectors_.take_remainder(number) * lanes_;
    place.w = w_.take_remainder(number);
    place.h = h_.take_remainder(number);
    place.d = d_.take_remainder(number);
    place.n = number;
    return place;
  }

 private:
  index_t count_ = 0;
  int lanes_ = 1;
  Divisor vectors_{};
  Divisor w_{};
  Divisor h_{};
  Divisor d_{};
};

}  // namespace parconv
