// SPDX-License-Identifier: Apache-2.0
// Reshape: elements keep their ONNX (row-major n, c, d, h, w) order under another shape.
#include "compute/cpu/cpu_kernels.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "parconv/core/error.hpp"

namespace parconv::cpu {
namespace {

class ReshapeKernel final : public RowKernel {
 public:
  explicit ReshapeKernel(const LocalOp& op) : RowKernel(op), reshape_(std::get<LocalReshape>(op.kind)) {
    for (Axis axis : {Axis::C, Axis::D, Axis::H, Axis::W}) {
      PARCONV_EXPECT(reshape_.src_shape[axis] >= 1, reshape_.src_shape);
      PARCONV_EXPECT(reshape_.dst_offset[axis] + op.dst.extents[axis] <= reshape_.dst_shape[axis], reshape_.dst_shape);
    }
  }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const Operand src = main_operand(srcs);
    for (index_t w = 0; w < shape().pixels; ++w)
      for (index_t c = 0; c < shape().channels; ++c) dst.data[w * dst.pitch + c] = at_linear(src, linear_index(row, c, w));
  }

  /// ONNX index of an output, from the first element of dst_shape.
  index_t linear_index(const RowIndex& row, index_t c, index_t w) const {
    const Extents& from = reshape_.dst_offset;
    const Extents& shape = reshape_.dst_shape;
    index_t index = from[Axis::N] + row.n;
    index = index * shape[Axis::C] + from[Axis::C] + c;
    index = index * shape[Axis::D] + from[Axis::D] + row.d;
    index = index * shape[Axis::H] + from[Axis::H] + row.h;
    return index * shape[Axis::W] + from[Axis::W] + w;
  }

  float at_linear(const Operand& src, index_t index) const {
    const auto take = [&](Axis axis) {
      const index_t rest = index % reshape_.src_shape[axis];
      index /= reshape_.src_shape[axis];
      return rest;
    };
    const index_t w = take(Axis::W), h = take(Axis::H), d = take(Axis::D), c = take(Axis::C);
    return src.value({{index, c, d, h, w}});
  }

  LocalReshape reshape_;
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalReshape&, const LocalOp& op) { return std::make_unique<ReshapeKernel>(op); }

}  // namespace parconv::cpu
