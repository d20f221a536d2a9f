// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/ops/onnx_window.hpp"

#include <algorithm>

#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Far above any real network; sums and products of two such values fit index_t.
constexpr index_t max_attribute = index_t{1} << 30;

enum class AutoPad { NotSet, SameUpper, SameLower, Valid };

void check_range(const NodeReader& node, const char* attribute, const std::vector<index_t>& values, index_t at_least) {
  for (const index_t value : values)
    if (value < at_least || value > max_attribute)
      node.refuse(
          concat("attribute ", attribute, " is ", dims_string(values), "; each must be from ", at_least, " to ", max_attribute));
}

/// An attribute of `count` integers; by default all are `otherwise`.
std::vector<index_t> read_numbers(NodeReader& node, const char* attribute, std::size_t count, index_t otherwise) {
  std::vector<index_t> values(count, otherwise);
  if (!node.attributes().has(attribute)) return values;
  values = node.attributes().get_ints(attribute);
  if (values.size() != count)
    node.refuse(concat("attribute ", attribute, " has ", values.size(), " values, but the input needs ", count));
  check_range(node, attribute, values, otherwise);
  return values;
}

AutoPad read_auto_pad(NodeReader& node) {
  const std::string name = node.attributes().get_string("auto_pad", "NOTSET");
  if (name == "NOTSET" || name.empty()) return AutoPad::NotSet;
  if (name == "SAME_UPPER") return AutoPad::SameUpper;
  if (name == "SAME_LOWER") return AutoPad::SameLower;
  if (name == "VALID") return AutoPad::Valid;
  node.refuse(concat("attribute auto_pad is '", name, "'; expected NOTSET, SAME_UPPER, SAME_LOWER or VALID"));
}

/// Padding for an output of ceil(in / stride) elements; an odd total puts the extra element at the end (SAME_UPPER) or the
/// beginning.
void pad_same(WindowAxis& axis, index_t in_size, AutoPad mode) {
  const index_t out_size = ceil_div(in_size, axis.stride);
  const index_t pad = std::max<index_t>((out_size - 1) * axis.stride + axis.span() - in_size, 0);
  axis.pad_lo = mode == AutoPad::SameUpper ? pad / 2 : pad - pad / 2;
  axis.pad_hi = pad - axis.pad_lo;
}

/// Increases pad_hi to include a partial last window, unless it starts beyond the input.
/// Example: 6 elements, kernel 3, stride 2: windows at 0, 2 and, rounding up, 4, with one element of padding.
void round_up(WindowAxis& axis, index_t in_size) {
  const index_t room = in_size + axis.pad_lo + axis.pad_hi - axis.span();
  if (room < 0) return;
  index_t out_size = ceil_div(room, axis.stride) + 1;
  if ((out_size - 1) * axis.stride >= in_size + axis.pad_lo) --out_size;
  axis.pad_hi = std::max(axis.pad_hi, (out_size - 1) * axis.stride + axis.span() - in_size - axis.pad_lo);
}

/// Padding that crops `full` outputs to `out_size`; none if there are fewer. An odd total crops the extra element at the end
/// (SAME_UPPER) or the beginning.
void cut_to(WindowAxis& axis, index_t full, index_t out_size, AutoPad mode) {
  const index_t cut = std::max<index_t>(full - out_size, 0);
  axis.pad_lo = mode == AutoPad::SameUpper ? cut / 2 : cut - cut / 2;
  axis.pad_hi = cut - axis.pad_lo;
}

}  // namespace

Window read_transposed_window(NodeReader& node, const Shape& in, const std::vector<index_t>& kernel) {
  const std::size_t count = kernel.size();
  check_range(node, "kernel_shape", kernel, 1);
  const std::vector<index_t> strides = read_numbers(node, "strides", count, 1);
  const std::vector<index_t> dilations = read_numbers(node, "dilations", count, 1);
  const std::vector<index_t> pads = read_numbers(node, "pads", 2 * count, 0);
  const std::vector<index_t> added = read_numbers(node, "output_padding", count, 0);
  const std::vector<index_t> sizes = read_numbers(node, "output_shape", count, 0);
  const AutoPad auto_pad = read_auto_pad(node);
  Window window;
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t slot = first_spatial(in.ndims) + k;
    const index_t in_size = in.extents[spatial_axes[slot]];
    WindowAxis axis{kernel[k], strides[k], pads[k], pads[count + k], dilations[k]};
    const char* label = node.label().c_str();
    const index_t stretched = checked_mul(in_size, axis.stride, label);
    const index_t full = checked_add(stretched - axis.stride, axis.span() + added[k], label);
    if (auto_pad == AutoPad::Valid) axis.pad_lo = axis.pad_hi = 0;
    if (auto_pad == AutoPad::SameUpper || auto_pad == AutoPad::SameLower) cut_to(axis, full, stretched, auto_pad);
    if (sizes[k] > 0) cut_to(axis, full, sizes[k], auto_pad);
    const index_t out_size = sizes[k] > 0 ? sizes[k] : full - axis.pad_lo - axis.pad_hi;
    axis.pad_hi = full - added[k] - axis.pad_lo - out_size;
    window.axes[slot] = axis;
  }
  return window;
}

void expect_spatial(const NodeReader& node, const Shape& in) {
  if (in.ndims < 3)
    node.refuse(concat("its input has ", in.ndims, " dimensions; expected 3 to 5 (n, c, and 1 to 3 spatial dimensions)"));
}

std::vector<index_t> read_kernel_shape(NodeReader& node, const Shape& in) {
  if (!node.attributes().has("kernel_shape")) return {};
  return read_numbers(node, "kernel_shape", static_cast<std::size_t>(in.ndims) - 2, 1);
}

ReadWindow read_window(NodeReader& node, const Shape& in, const WindowRequest& request) {
  const std::size_t count = request.kernel.size();
  check_range(node, "kernel_shape", request.kernel, 1);
  const std::vector<index_t> strides = read_numbers(node, "strides", count, 1);
  const std::vector<index_t> dilations = read_numbers(node, "dilations", count, 1);
  const std::vector<index_t> pads = read_numbers(node, "pads", 2 * count, 0);
  const AutoPad auto_pad = read_auto_pad(node);
  if (auto_pad != AutoPad::NotSet && std::any_of(pads.begin(), pads.end(), [](index_t pad) { return pad != 0; }))
    node.refuse("attribute pads cannot be used together with auto_pad");
  ReadWindow result;
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t slot = first_spatial(in.ndims) + k;
    const index_t in_size = in.extents[spatial_axes[slot]];
    WindowAxis axis{request.kernel[k], strides[k], pads[k], pads[count + k], dilations[k]};
    if (auto_pad == AutoPad::SameUpper || auto_pad == AutoPad::SameLower) pad_same(axis, in_size, auto_pad);
    result.counted_pad_hi[slot] = axis.pad_hi;
    if (request.rounding == Rounding::Up) round_up(axis, in_size);
    result.window.axes[slot] = axis;
  }
  return result;
}

}  // namespace parconv
