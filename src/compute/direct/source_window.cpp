// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/source_window.hpp"

#include "parconv/core/error.hpp"
#include "parconv/tensor/elements.hpp"

namespace parconv::direct {

/// A kernel of one tap needs every stride-th input only.
SourceCopy::Inputs SourceCopy::inputs_of(const ChunkRange& range) const {
  Inputs inputs;
  inputs.box[Axis::N] = range.n;
  inputs.box[Axis::C] = {0, shape_->groups * shape_->ic};
  const std::array<Interval, 3> outputs{range.d, range.h, {0, shape_->out[Axis::W]}};
  for (Axis axis : spatial_axes) {
    const WindowAxis& along = shape_->window[axis];
    inputs.box[axis] = along.clipped_input_range(outputs[static_cast<std::size_t>(axis) - 2], shape_->in[axis]);
    if (along.kernel > 1 || inputs.box[axis].is_empty()) continue;
    inputs.step[axis] = along.stride;
    const index_t beyond = (inputs.box[axis].lo + along.pad_lo) % along.stride;
    if (beyond != 0) inputs.box[axis].lo += along.stride - beyond;
  }
  for (Axis axis : all_axes) inputs.counts[axis] = ceil_div(inputs.box[axis].size(), inputs.step[axis]);
  return inputs;
}

index_t SourceCopy::size(const ChunkRange& range) const { return volume(inputs_of(range).counts); }

/// With strides and dilations beyond 1, some inputs between the first and the last are not needed.
bool SourceCopy::is_read(Axis axis, index_t input, Interval outputs) const {
  const WindowAxis& along = shape_->window[axis];
  for (index_t k = 0; k < along.kernel; ++k) {
    const index_t at = input + along.pad_lo - k * along.dilation;
    if (at % along.stride == 0 && outputs.contains({at / along.stride, at / along.stride + 1})) return true;
  }
  return false;
}

void SourceCopy::copy_row(const std::byte* row, const Inputs& inputs, float* to) const {
  const index_t elem_bytes = static_cast<index_t>(size_of(shape_->src_type)), channels = inputs.counts[Axis::C];
  const index_t step = shape_->src_strides[Axis::W] * inputs.step[Axis::W];
  if (step == channels) return widen_(row, to, inputs.counts[Axis::W] * channels);
  for (index_t w = 0; w < inputs.counts[Axis::W]; ++w) widen_(row + w * step * elem_bytes, to + w * channels, channels);
}

SourceWindow SourceCopy::make(const ChunkRange& range, const std::byte* src, std::span<float> memory) const {
  const Inputs inputs = inputs_of(range);
  const auto& [box, step, counts] = inputs;
  PARCONV_EXPECT(volume(counts) <= std::ssize(memory), counts, " elements in memory of ", memory.size());
  SourceWindow window{.first = reinterpret_cast<const std::byte*>(memory.data()), .step = step};
  index_t stride = 1;
  for (Axis axis : {Axis::C, Axis::W, Axis::H, Axis::D, Axis::N}) {
    window.strides[axis] = stride;
    window.begin[axis] = box[axis].lo;
    stride *= counts[axis];
  }
  const auto elem_bytes = static_cast<index_t>(size_of(shape_->src_type));
  const Extents& from = shape_->src_strides;
  const index_t first = box[Axis::W].lo * from[Axis::W];
  for (index_t n = box[Axis::N].lo; n < box[Axis::N].hi; ++n)
    for (index_t d = box[Axis::D].lo; d < box[Axis::D].hi; d += step[Axis::D])
      for (index_t h = box[Axis::H].lo; h < box[Axis::H].hi; h += step[Axis::H]) {
        if (!is_read(Axis::D, d, range.d) || !is_read(Axis::H, h, range.h)) continue;
        const std::byte* const row = src + (first + n * from[Axis::N] + d * from[Axis::D] + h * from[Axis::H]) * elem_bytes;
        float* const to = memory.data() + window.offset(Axis::N, n) + window.offset(Axis::D, d) + window.offset(Axis::H, h);
        copy_row(row, inputs, to);
      }
  return window;
}

}  // namespace parconv::direct
