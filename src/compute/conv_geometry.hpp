// What libraries of convolutions have in common: sources cut to what is read, padding written out, filters channels last.
#pragma once

#include <span>
#include <vector>

#include "parconv/model/local_op.hpp"

namespace parconv {

/// Leaves out what no output reads if it is a whole stride or more, and sets pad_hi to what outputs do read.
/// Example: kernel 1, stride 2, 3 outputs: 6 inputs stay 6 (one is not read), 7 become 5.
void trim(Window& window, OperandLayout& src, const Extents& out);

Window without_padding(Window window);

/// The box of a source and the padding around it, in indices of the source.
Box padded_box(const Extents& extents, const Window& window);

/// Filter elements from the order oc, ic, kd, kh, kw to oc, kd, kh, kw, ic. `taps` is kd * kh * kw.
std::vector<float> taps_before_channels(std::span<const float> filter, index_t ic, index_t taps);

}  // namespace parconv
