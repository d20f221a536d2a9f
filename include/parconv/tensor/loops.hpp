// SPDX-License-Identifier: Apache-2.0
// Nested loops over two strided operands, merged into as few and as long loops as the layouts allow.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "parconv/geometry/box.hpp"

namespace parconv {

/// One loop of `extent` iterations, with the strides of source and destination.
struct Loop {
  index_t extent = 1;
  index_t src_stride = 0;
  index_t dst_stride = 0;

  /// True if this loop around `inner` is equivalent to one longer loop.
  constexpr bool continues(const Loop& inner) const {
    return src_stride == inner.extent * inner.src_stride && dst_stride == inner.extent * inner.dst_stride;
  }
};

/// Loops, slowest first.
class LoopNest {
 public:
  /// Drops loops of extent 1 and merges neighbours that are equivalent to one loop.
  /// Example: rows [2, 5) of an 8 x 6 x 4 image (h, w, c) copied to dense memory are one loop of 72; columns [2, 5) are 8 of
  /// 12.
  explicit LoopNest(std::span<const Loop> loops) {
    for (const Loop& loop : loops) add(loop);
  }

  std::span<const Loop> loops() const { return std::span(loops_).first(size_); }

  /// Removes and returns the fastest loop; a loop of one iteration if there is none.
  Loop pop_fastest() { return size_ == 0 ? Loop{} : loops_[--size_]; }

  /// The number of iterations.
  index_t count() const {
    index_t count = 1;
    for (const Loop& loop : loops()) count *= loop.extent;
    return count;
  }

  /// Calls visit(src_offset, dst_offset) for the iterations of these numbers, in order. Precondition: within [0, count()).
  template <class Visit>
  void for_each(Interval numbers, Visit&& visit) const {
    std::array<index_t, num_axes> digits{};
    index_t src = 0, dst = 0, rest = numbers.lo;
    for (std::size_t k = size_; k-- > 0; rest /= loops_[k].extent) {
      digits[k] = rest % loops_[k].extent;
      src += digits[k] * loops_[k].src_stride;
      dst += digits[k] * loops_[k].dst_stride;
    }
    for (index_t number = numbers.lo; number < numbers.hi; ++number) {
      visit(src, dst);
      for (std::size_t k = size_; k-- > 0;) {
        const Loop& loop = loops_[k];
        src += loop.src_stride;
        dst += loop.dst_stride;
        if (++digits[k] < loop.extent) break;
        digits[k] = 0;
        src -= loop.extent * loop.src_stride;
        dst -= loop.extent * loop.dst_stride;
      }
    }
  }

  /// Calls visit(src_offset, dst_offset) for every iteration of the nest.
  template <class Visit>
  void for_each(Visit&& visit) const {
    run(loops(), 0, 0, visit);
  }

 private:
  void add(const Loop& loop) {
    if (loop.extent == 1) return;
    if (size_ > 0 && loops_[size_ - 1].continues(loop)) {
      Loop& outer = loops_[size_ - 1];
      outer = {.extent = outer.extent * loop.extent, .src_stride = loop.src_stride, .dst_stride = loop.dst_stride};
    } else {
      loops_[size_++] = loop;
    }
  }

  template <class Visit>
  static void run(std::span<const Loop> loops, index_t src, index_t dst, Visit&& visit) {
    if (loops.empty()) {
      visit(src, dst);
      return;
    }
    const Loop& loop = loops.front();
    for (index_t i = 0; i < loop.extent; ++i) {
      run(loops.subspan(1), src + i * loop.src_stride, dst + i * loop.dst_stride, visit);
    }
  }

  std::array<Loop, num_axes> loops_{};
  std::size_t size_ = 0;
};

}  // namespace parconv
