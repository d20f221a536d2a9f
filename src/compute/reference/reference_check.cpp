// SPDX-License-Identifier: Apache-2.0
#include "compute/reference/reference_call.hpp"
#include "parconv/core/error.hpp"

namespace parconv::reference {
namespace {

void check_type(const OperandLayout& layout) {
  if (is_element_type(layout.type) || layout.type == DType::Accumulator) return;
  throw Error(ExitCode::Unavailable, concat("the reference backend computes on floating point, asked for ", name_of(layout.type)),
              "Use another backend for other types.");
}

void check_epilogue(const LocalEpilogue& epilogue, const LocalOp& op) {
  const auto channels = static_cast<std::size_t>(op.dst.extents[Axis::C]);
  PARCONV_EXPECT(epilogue.bias.empty() || epilogue.bias.size() == channels, epilogue.bias.size(), " biases for ", op.dst.extents);
  if (epilogue.residual < 0) return;
  const auto residual = static_cast<std::size_t>(epilogue.residual);
  PARCONV_EXPECT(residual < op.srcs.size(), "residual ", residual, " of ", op.srcs.size(), " sources");
  PARCONV_EXPECT(op.srcs[residual].extents == op.dst.extents, "residual ", op.srcs[residual].extents);
}

}  // namespace

CallExtents check_operands(const LocalOp& op) {
  PARCONV_EXPECT(volume(op.dst.extents) > 0, "dst ", op.dst.extents);
  PARCONV_EXPECT(has_fitting_accumulators(op), name_of(op.kind));
  check_type(op.dst);
  for (const OperandLayout& src : op.srcs) check_type(src);
  check_epilogue(op.epilogue, op);
  CallExtents call{.dst = op.dst.extents};
  for (std::size_t k = 0; k < op.srcs.size(); ++k)
    if (static_cast<int>(k) != op.epilogue.residual) call.srcs.push_back(op.srcs[k].extents);
  PARCONV_EXPECT(!call.srcs.empty() || std::holds_alternative<LocalFill>(op.kind), name_of(op.kind), " without a source");
  return call;
}

void check_reduced(const CallExtents& call, std::span<const Axis> reduced) {
  Extents expected = call.srcs.front();
  for (Axis axis : reduced) expected[axis] = 1;
  PARCONV_EXPECT(call.dst == expected, "src ", call.srcs.front(), ", dst ", call.dst);
}

void check_broadcast(const CallExtents& call) {
  for (const Extents& src : call.srcs)
    for (Axis axis : all_axes) PARCONV_EXPECT(src[axis] == 1 || src[axis] == call.dst[axis], "src ", src, ", dst ", call.dst);
}

void check_within(const CallExtents& call, const Extents& offset) {
  const Extents& src = call.srcs.front();
  for (Axis axis : all_axes)
    PARCONV_EXPECT(offset[axis] >= 0 && offset[axis] + call.dst[axis] <= src[axis], "dst ", call.dst, " at ", offset, " of ",
                   src);
}

}  // namespace parconv::reference
