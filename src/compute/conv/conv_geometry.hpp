// SPDX-License-Identifier: Apache-2.0
// Geometry common to all convolution libraries: trimmed sources, explicit padding, channels-last filters.
#pragma once

#include <span>
#include <vector>

#include "parconv/model/local_op.hpp"

namespace parconv {

/// Removes trailing inputs that no output reads, in whole strides, and sets pad_hi to the padding that outputs read. Example:
/// kernel 1, stride 2, 3 outputs: 6 inputs stay 6 (one is not read), 7 become 5.
void trim(Window& window, OperandLayout& src, const Extents& out);

Window without_padding(Window window);

/// The box of a source with its padding, in source indices.
Box padded_box(const Extents& extents, const Window& window);

/// Reorders a filter from oc, ic, kd, kh, kw to oc, kd, kh, kw, ic. `taps` is kd * kh * kw.
std::vector<float> taps_before_channels(std::span<const float> filter, index_t ic, index_t taps);

}  // namespace parconv
