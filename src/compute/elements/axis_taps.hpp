// SPDX-License-Identifier: Apache-2.0
// The taps of a window that lie in a tensor.
#pragma once

#include "parconv/geometry/window.hpp"

namespace parconv {

/// Taps [first, last) of output `out` whose inputs lie in [0, in_size). Example: kernel 3, stride 2, pad 1: output 0 has inputs
/// -1, 0, 1, so taps [1, 3).
constexpr Interval taps_inside(const WindowAxis& window, index_t out, index_t in_size) {
  const index_t begin = out * window.stride - window.pad_lo;
  const Interval inside{ceil_div(-begin, window.dilation), ceil_div(in_size - begin, window.dilation)};
  return intersect(inside, Interval{0, window.kernel});
}

}  // namespace parconv
