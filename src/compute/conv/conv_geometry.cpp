// SPDX-License-Identifier: Apache-2.0
#include "compute/conv/conv_geometry.hpp"

#include <algorithm>

namespace parconv {
namespace {

void trim(WindowAxis& window, index_t& in, index_t out) {
  const index_t needed = window.input_range({0, out}).hi;
  if (in - needed >= window.stride) in = std::max(needed, index_t{1});
  window.pad_hi = std::max(index_t{0}, needed - in);
}

}  // namespace

void trim(Window& window, OperandLayout& src, const Extents& out) {
  for (Axis axis : spatial_axes) trim(window[axis], src.extents[axis], out[axis]);
}

Window without_padding(Window window) {
  for (WindowAxis& axis : window.axes) axis.pad_lo = axis.pad_hi = 0;
  return window;
}

Box padded_box(const Extents& extents, const Window& window) {
  Box box = Box::whole(extents);
  for (Axis axis : spatial_axes) box[axis] = {-window[axis].pad_lo, extents[axis] + window[axis].pad_hi};
  return box;
}

std::vector<float> taps_before_channels(std::span<const float> filter, index_t ic, index_t taps) {
  std::vector<float> result(filter.size());
  const auto channels = static_cast<std::size_t>(ic);
  const auto window = static_cast<std::size_t>(taps);
  for (std::size_t begin = 0; begin < filter.size(); begin += channels * window)
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t t = 0; t < window; ++t) result[begin + t * channels + c] = filter[begin + c * window + t];
  return result;
}

}  // namespace parconv
