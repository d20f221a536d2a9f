// SPDX-License-Identifier: Apache-2.0
#include "compute/onednn/onednn_block.hpp"

#include <algorithm>
#include <utility>

#include "compute/conv/conv_geometry.hpp"
#include "compute/cpu/cpu_activation.hpp"
#include "compute/main_index.hpp"
#include "compute/scratch_bytes.hpp"
#include "parconv/core/error.hpp"

namespace parconv::onednn {
namespace {

std::size_t elems_to_bytes(index_t elems, DType type) { return static_cast<std::size_t>(elems) * size_of(type); }

OperandPart channels_of(const OperandLayout& operand, Interval channels) {
  OperandPart part{.offset_bytes = elems_to_bytes(channels.lo * operand.strides[Axis::C], operand.type), .layout = operand};
  part.layout.extents[Axis::C] = channels.size();
  return part;
}

void take_one_sample(OperandPart& part) {
  part.pitch_bytes = elems_to_bytes(part.layout.strides[Axis::N], part.layout.type);
  part.layout.extents[Axis::N] = 1;
}

bool has_one_pixel(const DenseConv& conv) {
  return conv.out == std::array<index_t, 3>{1, 1, 1} && (is_full_extent(conv) || conv.in == conv.out);
}

std::array<index_t, 3> spatial(const Extents& extents) { return {extents[Axis::D], extents[Axis::H], extents[Axis::W]}; }

/// Appends a dense buffer of `type` for the part, of box `outer`, at `scratch_bytes` and advances it.
DenseCopy dense_copy(const OperandPart& part, const Box& outer, DType type, std::size_t& scratch_bytes) {
  const Box inner = Box::whole(part.layout.extents);
  const DenseCopy copy{.scratch_bytes = scratch_bytes,
                       .size_bytes = elems_to_bytes(volume(outer), type),
                       .inner_bytes = elems_to_bytes(offset_within(inner, outer), type),
                       .inner = layout_within(inner, outer, type),
                       .is_padded = outer != inner};
  scratch_bytes += aligned(copy.size_bytes);
  return copy;
}

/// True if a primitive of `type` can use the part in place.
bool fits(const OperandPart& part, DType type) { return part.layout.type == type && is_dense(part.layout); }

void copy_unless_fit(Port& port, DType type, std::size_t& scratch_bytes) {
  if (fits(port.part, type)) return;
  port.copy = dense_copy(port.part, Box::whole(port.part.layout.extents), type, scratch_bytes);
}

void pad_explicitly(BlockPlan& plan) {
  const Box outer = padded_box(plan.src.part.layout.extents, plan.conv.window);
  if (outer == Box::whole(plan.src.part.layout.extents)) return copy_unless_fit(plan.src, plan.conv.type, plan.copies_bytes);
  plan.src.copy = dense_copy(plan.src.part, outer, plan.conv.type, plan.copies_bytes);
  plan.conv.in = spatial(outer.extents());
  plan.conv.is_src_padded = true;
  plan.conv.window = without_padding(plan.conv.window);
}

/// One call per sample.
void split_samples(BlockPlan& plan) {
  plan.calls = std::exchange(plan.conv.n, 1);
  take_one_sample(plan.src.part);
  take_one_sample(plan.dst.part);
  if (plan.residual) take_one_sample(*plan.residual);
}

/// Example: kernel 2, dilation 2, pads 1 on one input: the only output has inputs -1 and 1, both padding.
bool has_window_in_padding(const WindowAxis& window, index_t in, index_t out) {
  for (index_t o = 0; o < out; ++o) {
    const index_t begin = o * window.stride - window.pad_lo;
    const index_t first = std::max(index_t{0}, ceil_div(-begin, window.dilation));
    if (first >= window.kernel || begin + first * window.dilation >= in) return true;
  }
  return false;
}

/// The result type of a primitive: f32 if the epilogue or the rounding happens afterwards.
DType dst_type_of(const LocalOp& op, DType type) {
  return type == DType::F32 || cpu::is_smooth(op.epilogue.activation.kind) ? DType::F32 : op.dst.type;
}

DenseConv conv_of(const LocalOp& op, const ChannelBlock& block, const Window& window, const OperandLayout& src, DType type) {
  return {.type = type,
          .dst_type = dst_type_of(op, type),
          .n = op.dst.extents[Axis::N],
          .groups = block.groups,
          .ic = block.src.size(),
          .oc = block.dst.size(),
          .in = spatial(src.extents),
          .out = spatial(op.dst.extents),
          .window = window,
          .has_bias = !op.epilogue.bias.empty(),
          .adds_to_dst = op.epilogue.residual >= 0,
          .activation = cpu::is_smooth(op.epilogue.activation.kind) ? Activation{} : op.epilogue.activation};
}

}  // namespace

bool has_window_in_padding(const DenseConv& conv) {
  for (std::size_t axis = 0; axis < 3; ++axis)
    if (has_window_in_padding(conv.window.axes[axis], conv.in[axis], conv.out[axis])) return true;
  return false;
}

std::vector<ChannelBlock> ungrouped(const ChannelBlock& block) {
  std::vector<ChannelBlock> result;
  const index_t ic = block.src.size() / block.groups, oc = block.dst.size() / block.groups;
  for (index_t g = 0; g < block.groups; ++g) {
    ChannelBlock one = block;
    one.groups = 1;
    one.src = Interval{0, ic}.shifted(block.src.lo + g * ic);
    one.dst = Interval{0, oc}.shifted(block.dst.lo + g * oc);
    one.filter.oc = Interval{0, oc}.shifted(block.filter.oc.lo + g * oc);
    result.push_back(one);
  }
  return result;
}

BlockPlan plan_block(const LocalOp& op, const LocalConv& conv, const ChannelBlock& block, const BlockChoice& choice) {
  BlockPlan plan;
  plan.src.part = channels_of(op.srcs[main_index(op)], block.src);
  plan.dst.part = channels_of(op.dst, block.dst);
  if (op.epilogue.residual >= 0) plan.residual = channels_of(op.srcs[static_cast<std::size_t>(op.epilogue.residual)], block.dst);

  Window window = conv.window;
  trim(window, plan.src.part.layout, op.dst.extents);
  plan.conv = conv_of(op, block, window, plan.src.part.layout, choice.type);

  const bool is_copied = !fits(plan.src.part, plan.conv.type) || !fits(plan.dst.part, plan.conv.dst_type);
  if (plan.conv.n > 1 && is_copied && !has_one_pixel(plan.conv)) split_samples(plan);
  if (choice.padding == Padding::Explicit)
    pad_explicitly(plan);
  else
    copy_unless_fit(plan.src, plan.conv.type, plan.copies_bytes);
  copy_unless_fit(plan.dst, plan.conv.dst_type, plan.copies_bytes);
  return plan;
}

}  // namespace parconv::onednn
