#include "compute/strided_piece.hpp"

#include <algorithm>

#include "compute/conv_geometry.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using Samples = Attempt::Samples;

/// Libraries read and write 16 bytes at once.
constexpr std::size_t operand_alignment = 16;

std::size_t rounded_up(std::size_t bytes) { return (bytes + scratch_alignment - 1) / scratch_alignment * scratch_alignment; }

std::size_t bytes_of(index_t elems, DType type) { return static_cast<std::size_t>(elems) * size_of(type); }

bool is_multiple(std::size_t bytes) { return bytes % operand_alignment == 0; }

PiecePort channels_of(const OperandLayout& operand, Interval channels) {
  PiecePort port{.offset_bytes = bytes_of(channels.lo * operand.strides[Axis::C], operand.type), .layout = operand};
  port.layout.extents[Axis::C] = channels.size();
  return port;
}

/// True if a library takes the channels of `operand` where they are.
bool is_fit(const OperandLayout& operand, const PiecePort& port, Samples samples) {
  const bool has_place = is_multiple(bytes_of(place_unit(operand), operand.type)) && is_multiple(port.offset_bytes);
  if (!has_place || operand.extents[Axis::C] != port.layout.extents[Axis::C]) return false;
  if (samples == Samples::Together) return is_dense(port.layout);
  const bool has_pitch = port.layout.extents[Axis::N] == 1 || is_multiple(bytes_of(operand.strides[Axis::N], operand.type));
  return has_pitch && is_dense_per_sample(port.layout);
}

/// A buffer of `outer` around the operand, behind what scratch already holds.
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

const OperandLayout& layout_for_call(const PiecePort& port) { return port.scratch ? port.scratch->inner : port.layout; }

std::size_t main_index(const LocalOp& op) { return op.finish.residual == 0 ? 1 : 0; }

bool has_finish(const LocalFinish& finish) {
  return !finish.bias.empty() || finish.residual >= 0 || finish.activation.kind != ActivationKind::None;
}

/// The finish of the piece's channels; its residual is source 1.
LocalFinish finish_of(const LocalOp& op, const ChannelPiece& piece) {
  LocalFinish finish{.residual = op.finish.residual >= 0 ? 1 : -1, .activation = op.finish.activation};
  const auto& bias = op.finish.bias;
  if (!bias.empty()) finish.bias.assign(bias.begin() + piece.dst.lo, bias.begin() + piece.dst.hi);
  return finish;
}

/// Takes what the call does itself out of `finish` and writes it into `conv`; returns what is left. A call that does more than
/// convolve always adds a bias, if only of zeros: with one, cuDNN has more implementations.
LocalFinish fuse_into(StridedConv& conv, LocalFinish finish, const OperandLayout* residual, const ConvLibrary& library) {
  conv.has_bias = !finish.bias.empty() || residual != nullptr;
  finish.bias.clear();
  if (residual != nullptr) conv.residual = *residual;
  finish.residual = -1;
  if (finish.activation.kind == ActivationKind::None || !library.fuses(finish.activation)) return finish;
  conv.has_bias = true;
  conv.activation = finish.activation;
  finish.activation = {};
  return finish;
}

void place_src(StridedPiece& piece, const OperandLayout& operand, const Attempt& attempt) {
  OperandLayout read = piece.src.layout;
  if (attempt.source == Attempt::Source::Widened) read.type = DType::F32;
  if (attempt.padding == Attempt::Padding::Explicit) {
    const Box outer = padded_box(read.extents, piece.conv.window);
    piece.src.scratch = take_scratch(read, outer, piece.scratch_bytes);
    piece.conv.window = without_padding(piece.conv.window);
    piece.conv.src = layout_within(outer, outer, read.type);
    return;
  }
  if (read.type != operand.type || !is_fit(operand, piece.src, attempt.samples))
    piece.src.scratch = take_scratch(read, piece.scratch_bytes);
  piece.conv.src = layout_for_call(piece.src);
}

void place_residual(StridedPiece& piece, const OperandLayout& operand, Interval channels, Samples samples) {
  PiecePort port = channels_of(operand, channels);
  piece.is_residual_fit = is_fit(operand, port, samples);
  port.scratch = take_scratch(port.layout, piece.scratch_bytes);
  if (!piece.is_residual_fit) piece.conv.residual = port.scratch->inner;
  piece.residual = port;
}

void place_behind(StridedPiece& piece, const LocalFinish& rest, const PiecePort* residual) {
  if (!piece.dst.scratch && !has_finish(rest)) return;
  LocalOp behind{.kind = LocalCopy{}, .finish = rest, .srcs = {piece.conv.dst}, .dst = piece.dst.layout};
  if (rest.residual >= 0) behind.srcs.push_back(residual->layout);
  piece.behind = std::move(behind);
}

bool has_padding(const Window& window) {
  return std::any_of(window.axes.begin(), window.axes.end(), [](const WindowAxis& a) { return a.pad_lo > 0 || a.pad_hi > 0; });
}

/// A window over the whole source makes one pixel: the same memory seen as one pixel of more channels, which is a matrix product.
/// Example: 7x7x512 under a 7x7 window is 25088 channels under a 1x1 window.
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
      for (const auto finish : {Attempt::Finish::Fused, Attempt::Finish::Behind})
        for (const auto padding : {Attempt::Padding::Implicit, Attempt::Padding::Explicit})
          attempts.push_back({.source = source, .samples = samples, .padding = padding, .finish = finish});
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

std::optional<StridedPiece> plan_strided_piece(const LocalOp& op, const ChannelPiece& channels, const Attempt& attempt,
                                               const ConvLibrary& library) {
  const OperandLayout& src = op.srcs[main_index(op)];
  const OperandLayout* const residual = op.finish.residual < 0 ? nullptr : &op.srcs[static_cast<std::size_t>(op.finish.residual)];
  const bool is_all_dense = is_dense(src) && is_dense(op.dst) && (residual == nullptr || is_dense(*residual));
  if (attempt.samples == Samples::Together && is_all_dense) return std::nullopt;
  const bool is_narrow_to_f32 = src.type != DType::F32 && op.dst.type == DType::F32;
  if (attempt.source == Attempt::Source::Widened && !is_narrow_to_f32) return std::nullopt;
  StridedPiece piece{.src = channels_of(src, channels.src), .dst = channels_of(op.dst, channels.dst)};
  piece.conv.window = std::get<LocalConv>(op.kind).window;
  piece.conv.groups = channels.groups;
  trim(piece.conv.window, piece.src.layout, op.dst.extents);
  LocalFinish rest = finish_of(op, channels);
  if (attempt.padding == Attempt::Padding::Explicit && !has_padding(piece.conv.window)) return std::nullopt;
  if (attempt.finish == Attempt::Finish::Behind && !has_finish(rest)) return std::nullopt;

  place_src(piece, src, attempt);
  const PiecePort residual_port = residual ? channels_of(*residual, channels.dst) : PiecePort{};
  if (attempt.finish == Attempt::Finish::Fused) {
    rest = fuse_into(piece.conv, rest, residual ? &residual_port.layout : nullptr, library);
    if (residual) place_residual(piece, *residual, channels.dst, attempt.samples);
  }
  piece.residual_offset_bytes = residual_port.offset_bytes;
  if (!is_fit(op.dst, piece.dst, attempt.samples) || rest.residual >= 0)
    piece.dst.scratch = take_scratch(piece.dst.layout, piece.scratch_bytes);
  piece.conv.dst = layout_for_call(piece.dst);
  place_behind(piece, rest, &residual_port);
  piece.conv = with_taps_as_channels(piece.conv);
  return piece;
}

}  // namespace parconv
