// SPDX-License-Identifier: Apache-2.0
// Kernel, strides, pads and dilations of convolutions and poolings.
#pragma once

#include <vector>

#include "io/onnx/onnx_node.hpp"
#include "parconv/geometry/window.hpp"

namespace parconv {

enum class Rounding { Down, Up };

struct WindowRequest {
  /// Kernel sizes, one per spatial dimension.
  std::vector<index_t> kernel{};
  /// ceil_mode of poolings.
  Rounding rounding = Rounding::Down;
};

/// A window and the pad_hi that counts in averages, which is smaller than the window's own with Rounding::Up.
struct ReadWindow {
  Window window{};
  std::array<index_t, 3> counted_pad_hi{};
};

/// Reads strides, pads, dilations and auto_pad for an input of shape `in`; 1-D uses h, 2-D uses h and w. Throws Error(BadData)
/// naming the attribute.
ReadWindow read_window(NodeReader& node, const Shape& in, const WindowRequest& request);

/// The window of a ConvTranspose, from strides, pads, dilations, auto_pad, output_padding and output_shape. output_padding is
/// subtracted from pad_hi.
Window read_transposed_window(NodeReader& node, const Shape& in, const std::vector<index_t>& kernel);

/// Attribute kernel_shape: positive, one per spatial dimension of `in`; empty if absent.
std::vector<index_t> read_kernel_shape(NodeReader& node, const Shape& in);

/// Throws unless the input has 3 to 5 dimensions: n, c and one to three spatial ones.
void expect_spatial(const NodeReader& node, const Shape& in);

/// Index into d, h, w of the first spatial dimension.
constexpr std::size_t first_spatial(int ndims) { return ndims == num_axes ? 0 : 1; }

}  // namespace parconv
