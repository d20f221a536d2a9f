// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_reorder.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace parconv::hdf5 {
namespace {

/// Compacts the rows of `inner` in place. Rows only move towards the front, so none is overwritten before it is moved.
class RowMover {
 public:
  RowMover(std::span<std::byte> block, const Storage& storage, const Box& outer, const Box& inner)
      : block_(block), storage_(storage), outer_(outer), inner_(inner) {
    const Axis fastest = storage.axes.back();
    row_bytes_ = static_cast<std::size_t>(inner[fastest].size() * storage.elem_bytes);
  }

  void run() { visit(0, 0); }

 private:
  /// `index` is the row-major index in `outer` of the position along the slower axes.
  void visit(std::size_t depth, index_t index) {
    const Axis axis = storage_.axes[depth];
    const Interval steps = inner_[axis].shifted(-outer_[axis].lo);
    index *= outer_[axis].size();
    if (depth + 1 == storage_.axes.size()) return move_row(index + steps.lo);
    for (index_t step = steps.lo; step < steps.hi; ++step) visit(depth + 1, index + step);
  }

  void move_row(index_t from_elem) {
    std::memmove(block_.data() + written_, block_.data() + from_elem * storage_.elem_bytes, row_bytes_);
    written_ += row_bytes_;
  }

  std::span<std::byte> block_;
  const Storage& storage_;
  const Box& outer_;
  const Box& inner_;
  std::size_t row_bytes_ = 0;
  std::size_t written_ = 0;
};

/// `dst` with axes relabelled so that file order is n, d, h, w: the conversion then sees a block without channels.
View with_renamed_axes(View dst, std::span<const Axis> axes) {
  constexpr std::array<Axis, 4> names{Axis::N, Axis::D, Axis::H, Axis::W};
  View renamed{.data = dst.data, .layout = {.extents = {}, .strides = {}, .type = dst.layout.type}};
  const std::size_t first = names.size() - axes.size();
  for (std::size_t k = 0; k < axes.size(); ++k) {
    renamed.layout.extents[names[first + k]] = dst.layout.extents[axes[k]];
    renamed.layout.strides[names[first + k]] = dst.layout.strides[axes[k]];
  }
  return renamed;
}

void scale_channel(View dst, index_t channel, float scale, float mean, float deviation) {
  const Extents& extents = dst.layout.extents;
  const Extents& strides = dst.layout.strides;
  float* memory = reinterpret_cast<float*>(dst.data) + channel * strides[Axis::C];
  for (index_t n = 0; n < extents[Axis::N]; ++n)
    for (index_t d = 0; d < extents[Axis::D]; ++d)
      for (index_t h = 0; h < extents[Axis::H]; ++h) {
        float* row = memory + n * strides[Axis::N] + d * strides[Axis::D] + h * strides[Axis::H];
        for (index_t w = 0; w < extents[Axis::W]; ++w) {
          float& value = row[w * strides[Axis::W]];
          value = (value * scale - mean) / deviation;
        }
      }
}

void scale_in_place(View dst, const InputScaling& scaling) {
  if (scaling == InputScaling{}) return;
  for (index_t c = 0; c < dst.layout.extents[Axis::C]; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    scale_channel(dst, c, scaling.scale, scaling.mean.empty() ? 0.0f : scaling.mean[channel],
                  scaling.std.empty() ? 1.0f : scaling.std[channel]);
  }
}

/// Handles any axis order: loops over the slowest of five axes and relabels the others.
void convert_unscaled(const FileBlock& block, View dst) {
  std::span<const Axis> axes = block.axes;
  if (axes.size() < num_axes) return from_onnx_order(block.bytes, block.dtype, with_renamed_axes(dst, axes));
  const Axis slowest = axes.front();
  const auto count = static_cast<std::size_t>(dst.layout.extents[slowest]);
  const std::size_t slice_bytes = block.bytes.size() / count;
  for (std::size_t k = 0; k < count; ++k) {
    View slice = dst;
    slice.data += static_cast<index_t>(k * sizeof(float)) * dst.layout.strides[slowest];
    slice.layout.extents[slowest] = 1;
    from_onnx_order(block.bytes.subspan(k * slice_bytes, slice_bytes), block.dtype, with_renamed_axes(slice, axes.subspan(1)));
  }
}

void convert_to_floats(const FileBlock& block, View dst, const InputScaling& scaling) {
  convert_unscaled(block, dst);
  scale_in_place(dst, scaling);
}

}  // namespace

void keep_part(std::span<std::byte> block, const Storage& storage, const Box& outer, const Box& inner) {
  if (inner == outer) return;
  RowMover(block, storage, outer, inner).run();
}

void convert_block(const FileBlock& block, View dst, const InputScaling& scaling, const ConversionOptions& options) {
  if (std::is_sorted(block.axes.begin(), block.axes.end()))
    return from_onnx_order(block.bytes, block.dtype, dst, scaling, options);
  if (dst.layout.type == DType::F32) return convert_to_floats(block, dst, scaling);
  HostTensor floats(Box::whole(dst.layout.extents));
  convert_to_floats(block, floats.view(), scaling);
  convert(std::as_const(floats).view(), dst);
}

}  // namespace parconv::hdf5
