// SPDX-License-Identifier: Apache-2.0
// Sliding windows of convolutions and poolings: the input range of an output range.
#pragma once

#include <array>

#include "parconv/geometry/box.hpp"

namespace parconv {

/// Window along one axis. Output o reads inputs o * stride - pad_lo + t * dilation for taps t in [0, kernel).
struct WindowAxis {
  index_t kernel = 1;
  index_t stride = 1;
  index_t pad_lo = 0;
  index_t pad_hi = 0;
  index_t dilation = 1;

  /// Extent from the first to the last tap, both inclusive.
  constexpr index_t span() const { return dilation * (kernel - 1) + 1; }

  /// Input range of outputs `out`, not clipped to the tensor: indices outside the tensor are padding.
  /// Example: kernel 3, stride 2, pad 1: outputs [2, 4) need inputs [3, 8).
  constexpr Interval input_range(Interval out) const {
    if (out.is_empty()) return {0, 0};
    return {out.lo * stride - pad_lo, (out.hi - 1) * stride - pad_lo + span()};
  }

  /// Input range of outputs `out` within a tensor of `in_size`; empty if all inputs are padding.
  constexpr Interval clipped_input_range(Interval out, index_t in_size) const {
    const Interval range = intersect(input_range(out), {0, in_size});
    return range.is_empty() ? Interval{0, 0} : range;
  }

  /// Number of outputs for `in_size` inputs, rounded down; 0 if the padded input is smaller than the window.
  constexpr index_t output_size(index_t in_size) const {
    const index_t room = in_size + pad_lo + pad_hi - span();
    return room < 0 ? 0 : room / stride + 1;
  }

  friend constexpr bool operator==(const WindowAxis&, const WindowAxis&) = default;
};

/// Windows along the spatial axes d, h, w.
struct Window {
  std::array<WindowAxis, 3> axes{};

  /// The window along one spatial axis (D, H or W).
  constexpr WindowAxis& operator[](Axis axis) { return axes[static_cast<std::size_t>(axis) - 2]; }
  constexpr const WindowAxis& operator[](Axis axis) const { return axes[static_cast<std::size_t>(axis) - 2]; }
  friend constexpr bool operator==(const Window&, const Window&) = default;
};

/// True for the axes along which a window slides.
constexpr bool is_spatial(Axis axis) { return axis == Axis::D || axis == Axis::H || axis == Axis::W; }

}  // namespace parconv
