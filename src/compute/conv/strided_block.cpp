// SPDX-License-Identifier: Apache-2.0
#include "compute/conv/strided_block.hpp"

#include <algorithm>

#include "compute/conv/conv_geometry.hpp"
#include "compute/main_index.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using Samples = Attempt::Samples;

/// Libraries access memory in units of 16 bytes.
constexpr std::size_t operand_alignment = 16;

std::size_t rounded_up(std::size_t bytes) { return (bytes + scratch_alignment - 1) / scratch_alignment * scratch_alignment; }

std::size_t bytes_of(index_t elems, DType type) { return static_cast<std::size_t>(elems) * size_of(type); }

bool is_multiple(std::size_t bytes) { return bytes % operand_alignment == 0; }

BlockPort channels_of(const OperandLayout& operand, Interval channels) {
  BlockPort port{.offset_bytes = bytes_of(channels.lo * operand.strides[Axis::C], operand.type), .layout = operand};
  port.layout.extents[Axis::C] = channels.size();
  return port;
}

/// True if a library can use the channels of `operand` in place.
bool is_fit(const OperandLayout& operand, const BlockPort& port, Samples samples) {
  const bool has_place = is_multiple(bytes_of(place_unit(operand), operand.type)) && is_multiple(port.offset_bytes);
  if (!has_place || operand.extents[Axis::C] != port.layout.extents[Axis::C]) return false;
  if (samples == Samples::Together) return is_dense(port.layout);
  const bool has_pitch = port.layout.extents[Axis::N] == 1 || is_multiple(bytes_of(operand.strides[Axis::N], operand.type));
  return has_pitch && is_dense_per_sample(port.layout);
}

/// Appends to scratch memory a buffer of box `outer` around the operand.
ScratchBox take_scratch(const OperandLayout& layout, const Box& outer, std::size_t& scratch_bytes) {
  const Box inner = Box::whole(layout.extents);
  const ScratchBox box{.offset_bytes = scratch_bytes,
                       .size_bytes = bytes_of(volume(outer), layout.type),
                       .inner_bytes = bytes_of(offset_within(inner, outer), layout.type),
                       .inner = layout_within(inner, outer, layout.type),
                       .is_padded = outer != inner};
  scratch_bytes += rounded_up(box.size_bytes);
  return box;
}

ScratchBox take_scratch(const OperandLayout& layout, std::size_t& scratch_bytes) {
  return take_scratch(layout, Box::whole(layout.extents), scratch_bytes);
}

const OperandLayout& layout_for_call(const BlockPort& port) { return port.scratch ? port.scratch->inner : port.layout; }

bool has_epilogue(const LocalEpilogue& epilogue) {
  return !epilogue.bias.empty() || epilogue.residual >= 0 || epilogue.activation.kind != ActivationKind::None;
}

/// The epilogue of the block's channels; its residual is source 1.
LocalEpilogue epilogue_of(const LocalOp& op, const ChannelBlock& block) {
  LocalEpilogue epilogue{.residual = op.epilogue.residual >= 0 ? 1 : -1, .activation = op.epilogue.activation};
  const auto& bias = op.epilogue.bias;
  if (!bias.empty()) epilogue.bias.assign(bias.begin() + block.dst.lo, bias.begin() + block.dst.hi);
  return epilogue;
}

/// Moves the operations that the call fuses from `epilogue` to `conv` and returns the rest. A call with an epilogue always has
/// a bias, if only of zeros: cuDNN has more implementations with one.
LocalEpilogue fuse_into(StridedConv& conv, LocalEpilogue epilogue, const OperandLayout* residual, const ConvLibrary& library) {
  conv.has_bias = !epilogue.bias.empty() || residual != nullptr;
  epilogue.bias.clear();
  if (residual != nullptr) conv.residual = *residual;
  epilogue.residual = -1;
  if (epilogue.activation.kind == ActivationKind::None || !library.fuses(epilogue.activation)) return epilogue;
  conv.has_bias = true;
  conv.activation = epilogue.activation;
  epilogue.activation = {};
  return epilogue;
}

void place_src(StridedBlock& block, const OperandLayout& operand, const Attempt& attempt) {
  OperandLayout read = block.src.layout;
  if (attempt.source == Attempt::Source::Widened) read.type = DType::F32;
  if (attempt.padding == Attempt::Padding::Explicit) {
    const Box outer = padded_box(read.extents, block.conv.window);
    block.src.scratch = take_scratch(read, outer, block.scratch_bytes);
    block.conv.window = without_padding(block.conv.window);
    block.conv.src = layout_within(outer, outer, read.type);
    return;
  }
  if (read.type != operand.type || !is_fit(operand, block.src, attempt.samples))
    block.src.scratch = take_scratch(read, block.scratch_bytes);
  block.conv.src = layout_for_call(block.src);
}

void place_residual(StridedBlock& block, const OperandLayout& operand, Interval channels, Samples samples) {
  BlockPort port = channels_of(operand, channels);
  block.is_residual_fit = is_fit(operand, port, samples);
  port.scratch = take_scratch(port.layout, block.scratch_bytes);
  if (!block.is_residual_fit) block.conv.residual = port.scratch->inner;
  block.residual = port;
}

void place_behind(StridedBlock& block, const LocalEpilogue& rest, const BlockPort* residual) {
  if (!block.dst.scratch && !has_epilogue(rest)) return;
  LocalOp behind{.kind = LocalCopy{}, .epilogue = rest, .srcs = {block.conv.dst}, .dst = block.dst.layout};
  if (rest.residual >= 0) behind.srcs.push_back(residual->layout);
  block.behind = std::move(behind);
}

bool has_padding(const Window& window) {
  return std::any_of(window.axes.begin(), window.axes.end(), [](const WindowAxis& a) { return a.pad_lo > 0 || a.pad_hi > 0; });
}

/// Rewrites a window over the whole source as a 1x1 window over one pixel with more channels, which is a matrix product.
/// Example: 7x7x512 with a 7x7 window becomes 25088 channels with a 1x1 window.
StridedConv with_taps_as_channels(StridedConv conv) {
  const auto covers = [&](Axis axis) {
    const WindowAxis& window = conv.window[axis];
    return window.kernel == conv.src.extents[axis] && conv.dst.extents[axis] == 1 && (window.dilation == 1 || window.kernel == 1);
  };
  const bool covers_all = std::all_of(spatial_axes.begin(), spatial_axes.end(), covers);
  if (conv.groups != 1 || !covers_all || has_padding(conv.window) || !is_dense_per_sample(conv.src)) return conv;
  Extents& extents = conv.src.extents;
  extents[Axis::C] *= extents[Axis::D] * extents[Axis::H] * extents[Axis::W];
  for (Axis axis : spatial_axes) {
    extents[axis] = 1;
    conv.src.strides[axis] = extents[Axis::C];
  }
  conv.window = {};
  return conv;
}

}  // namespace

std::vector<Attempt> all_attempts() {
  std::vector<Attempt> attempts;
  for (const auto source : {Attempt::Source::AsIs, Attempt::Source::Widened})
    for (const auto samples : {Attempt::Samples::Apart, Attempt::Samples::Together})
      for (const auto epilogue : {Attempt::Epilogue::Fused, Attempt::Epilogue::Behind})
        for (const auto padding : {Attempt::Padding::Implicit, Attempt::Padding::Explicit})
          attempts.push_back({.source = source, .samples = samples, .padding = padding, .epilogue = epilogue});
  return attempts;
}

index_t place_unit(const OperandLayout& layout) {
  index_t unit = 1;
  index_t expected = layout.extents[Axis::C];
  for (Axis axis : {Axis::W, Axis::H, Axis::D, Axis::N}) {
    if (layout.strides[axis] != expected) break;
    unit = expected;
    expected *= layout.extents[axis];
  }
  return unit;
}

std::optional<StridedBlock> plan_strided_block(const LocalOp& op, const ChannelBlock& channels, const Attempt& attempt,
                                               const ConvLibrary& library) {
  const OperandLayout& src = op.srcs[main_index(op)];
  const OperandLayout* const residual =
      op.epilogue.residual < 0 ? nullptr : &op.srcs[static_cast<std::size_t>(op.epilogue.residual)];
  const bool is_all_dense = is_dense(src) && is_dense(op.dst) && (residual == nullptr || is_dense(*residual));
  if (attempt.samples == Samples::Together && is_all_dense) return std::nullopt;
  const bool is_narrow_to_f32 = src.type != DType::F32 && op.dst.type == DType::F32;
  if (attempt.source == Attempt::Source::Widened && !is_narrow_to_f32) return std::nullopt;
  StridedBlock block{.src = channels_of(src, channels.src), .dst = channels_of(op.dst, channels.dst)};
  block.conv.window = std::get<LocalConv>(op.kind).window;
  block.conv.groups = channels.groups;
  trim(block.conv.window, block.src.layout, op.dst.extents);
  LocalEpilogue rest = epilogue_of(op, channels);
  if (attempt.padding == Attempt::Padding::Explicit && !has_padding(block.conv.window)) return std::nullopt;
  if (attempt.epilogue == Attempt::Epilogue::Behind && !has_epilogue(rest)) return std::nullopt;

  place_src(block, src, attempt);
  const BlockPort residual_port = residual ? channels_of(*residual, channels.dst) : BlockPort{};
  if (attempt.epilogue == Attempt::Epilogue::Fused) {
    rest = fuse_into(block.conv, rest, residual ? &residual_port.layout : nullptr, library);
    if (residual) place_residual(block, *residual, channels.dst, attempt.samples);
  }
  block.residual_offset_bytes = residual_port.offset_bytes;
  if (!is_fit(op.dst, block.dst, attempt.samples) || rest.residual >= 0)
    block.dst.scratch = take_scratch(block.dst.layout, block.scratch_bytes);
  block.conv.dst = layout_for_call(block.dst);
  place_behind(block, rest, &residual_port);
  block.conv = with_taps_as_channels(block.conv);
  return block;
}

}  // namespace parconv
