// SPDX-License-Identifier: Apache-2.0
#include "compute/elements/element_tables.hpp"

#include "parconv/core/error.hpp"

namespace parconv::element {
namespace {

bool has_channels_side_by_side(const OperandLayout& layout) {
  return layout.strides[Axis::C] == 1 || layout.extents[Axis::C] == 1;
}

void check_type(const OperandLayout& operand) {
  if (is_element_type(operand.type) || operand.type == DType::Accumulator) return;
  throw Error(ExitCode::Unavailable, concat("GPU kernels support f32, f16 and bf16, not ", name_of(operand.type)),
              "Use --dtype f32, f16 or bf16.");
}

}  // namespace

std::vector<std::size_t> operand_indices(const LocalOp& op) {
  std::vector<std::size_t> indices;
  for (std::size_t k = 0; k < op.srcs.size(); ++k)
    if (static_cast<int>(k) != op.epilogue.residual) indices.push_back(k);
  return indices;
}

const OperandLayout& main_source(const LocalOp& op) { return op.srcs[operand_indices(op).front()]; }

ConstElements repeated(const OperandLayout& src, const Extents& dst) {
  OperandLayout layout = src;
  for (Axis axis : all_axes) {
    PARCONV_EXPECT(src.extents[axis] == 1 || src.extents[axis] == dst[axis], "src ", src.extents, ", dst ", dst);
    if (src.extents[axis] != dst[axis]) layout.strides[axis] = 0;
  }
  return elements_of<const std::byte>(layout);
}

void check_call(const LocalOp& op) {
  PARCONV_EXPECT(volume(op.dst.extents) > 0, "dst ", op.dst.extents);
  const auto channels = static_cast<std::size_t>(op.dst.extents[Axis::C]);
  PARCONV_EXPECT(op.epilogue.bias.empty() || op.epilogue.bias.size() == channels, op.epilogue.bias.size(), " != ", channels);
  PARCONV_EXPECT(op.epilogue.residual < static_cast<int>(op.srcs.size()), "residual ", op.epilogue.residual);
  PARCONV_EXPECT(has_fitting_accumulators(op), name_of(op.kind));
  check_type(op.dst);
  PARCONV_EXPECT(has_channels_side_by_side(op.dst), "channel stride ", op.dst.strides[Axis::C]);
  for (const OperandLayout& src : op.srcs) {
    check_type(src);
    PARCONV_EXPECT(has_channels_side_by_side(src), "channel stride ", src.strides[Axis::C]);
  }
  if (op.epilogue.residual < 0) return;
  const OperandLayout& residual = op.srcs[static_cast<std::size_t>(op.epilogue.residual)];
  PARCONV_EXPECT(residual.extents == op.dst.extents, residual.extents, " != ", op.dst.extents);
}

}  // namespace parconv::element
