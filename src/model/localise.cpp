#include "parconv/model/localise.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"
#include "parconv/core/overloaded.hpp"

namespace parconv {
namespace {

const Extents& extents_of(const Network& network, ValueId id) { return network.value(id).extents; }

index_t groups_size_out(const Conv& conv) { return conv.filter.oc / conv.groups; }

/// Input channels of the groups that output channels `oc` belong to.
/// Example: 8 outputs and 4 inputs in 2 groups: outputs [3, 4) belong to group 0 and need inputs [0, 2).
Interval group_inputs(const Conv& conv, Interval oc) {
  if (oc.is_empty()) return {0, 0};
  const index_t first_group = oc.lo / groups_size_out(conv);
  const index_t last_group = ceil_div(oc.hi, groups_size_out(conv));
  return {first_group * conv.filter.ic_per_group, last_group * conv.filter.ic_per_group};
}

Box needed_by_window(const Window& window, const Extents& in, const Share& share, Interval channels) {
  Box need;
  need[Axis::N] = share.computed[Axis::N];
  need[Axis::C] = channels;
  for (Axis axis : spatial_axes)
    need[axis] = intersect(window[axis].clipped_input_range(share.computed[axis], in[axis]), share.contracted[axis]);
  return need;
}

/// ONNX broadcasting: where the input has extent 1, its only element is needed.
Box needed_by_broadcast(const Extents& in, const Box& computed) {
  Box need;
  for (Axis axis : all_axes)
    need[axis] = in[axis] == 1 && !computed[axis].is_empty() ? Interval{0, 1} : computed[axis];
  return need;
}

Box needed_by_softmax(const Softmax& softmax, const Extents& in, const Box& computed) {
  Box need = computed;
  for (Axis axis : all_axes)
    if (softmax.axes[static_cast<std::size_t>(axis)]) need[axis] = {0, in[axis]};
  return need;
}

/// Whole samples, or everything if samples are not kept apart.
Box needed_by_reshape(const Extents& in, const Extents& out, const Box& computed) {
  Box need = Box::whole(in);
  if (in[Axis::N] == out[Axis::N]) need[Axis::N] = computed[Axis::N];
  return need;
}

Box needed_by_concat(const Network& network, const Node& node, std::size_t operand, const Box& computed) {
  Box need = computed;
  const index_t offset = concat_offset(network, node, operand);
  need[Axis::C] = intersect(computed[Axis::C].shifted(-offset), {0, extents_of(network, node.inputs[operand])[Axis::C]});
  return need;
}

Box needed_by_operator(const Network& network, const Node& node, std::size_t operand, const Share& share) {
  const Extents& in = extents_of(network, node.inputs[operand]);
  const Box& computed = share.computed;
  return std::visit(
      Overloaded{
          [&](const Conv& conv) {
            const Interval channels = intersect(group_inputs(conv, computed[Axis::C]), share.contracted[Axis::C]);
            return needed_by_window(conv.window, in, share, channels);
          },
          [&](const Pool& pool) { return needed_by_window(pool.window, in, share, computed[Axis::C]); },
          [&](const Sum&) { return needed_by_broadcast(in, computed); },
          [&](const Concat&) { return needed_by_concat(network, node, operand, computed); },
          [&](const RowSum&) { return computed.with(Axis::W, share.contracted[Axis::W]); },
          [&](const RowsMean&) { return computed.with(Axis::D, {0, in[Axis::D]}).with(Axis::H, {0, in[Axis::H]}); },
          [&](const Softmax& softmax) { return needed_by_softmax(softmax, in, computed); },
          [&](const Reshape&) { return needed_by_reshape(in, extents_of(network, node.output), computed); },
          [&](const auto&) { return computed; },
      },
      node.op);
}

bool covers_whole_input(const WindowAxis& window, index_t in_size) {
  return window.pad_lo == 0 && window.pad_hi == 0 && window.dilation == 1 && window.kernel == in_size;
}

// ---- localise -----------------------------------------------------------------------------------------------------------

/// The taps of a kernel axis that fall into the contracted inputs: all of them unless space is contracted, which it is only for
/// a window over the full extent, where tap t reads input t.
Interval taps_of(const WindowAxis& window, Interval contracted, index_t in_size) {
  return covers_whole_input(window, in_size) ? contracted : Interval{0, window.kernel};
}

/// Padding 0 at a cut, the true one at the tensor's edge.
/// Example: kernel 3, pad 1, 8 rows: outputs [0, 4) get pad_lo 1 and pad_hi 0 and the inputs [0, 5).
WindowAxis local_window(const WindowAxis& window, Interval out, Interval need, Interval taps) {
  WindowAxis local = window;
  local.kernel = taps.size();
  const Interval range = window.input_range(out);
  local.pad_lo = need.lo - range.lo - (taps.lo > 0 ? taps.lo : 0);
  local.pad_hi = range.hi - need.hi - (window.kernel - taps.hi);
  return local;
}

/// Pieces of `conv` for output channels `oc` and input channels `ic`: a head that is part of a group, whole groups, a tail.
std::vector<ChannelPiece> channel_pieces(const Conv& conv, Interval oc, Interval ic) {
  const index_t group_oc = groups_size_out(conv);
  const index_t group_ic = conv.filter.ic_per_group;
  std::vector<ChannelPiece> pieces;
  for (index_t group = oc.lo / group_oc; group * group_oc < oc.hi; ++group) {
    const Interval out = intersect(oc, Interval{group * group_oc, (group + 1) * group_oc});
    const Interval in = intersect(ic, Interval{group * group_ic, (group + 1) * group_ic});
    if (in.is_empty()) continue;
    const bool is_whole = out.size() == group_oc && in.size() == group_ic;
    const Interval within = in.shifted(-group * group_ic);
    if (is_whole && !pieces.empty() && pieces.back().filter.ic == within &&
        pieces.back().dst.size() == pieces.back().groups * group_oc) {
      pieces.back().groups += 1;
      pieces.back().src.hi = in.hi - ic.lo;
      pieces.back().dst.hi = out.hi - oc.lo;
      pieces.back().filter.oc.hi = out.hi;
      continue;
    }
    pieces.push_back({.groups = 1,
                      .src = in.shifted(-ic.lo),
                      .dst = out.shifted(-oc.lo),
                      .filter = {.oc = out, .ic = within, .kernel = {}}});
  }
  return pieces;
}

LocalKind local_conv(const Conv& conv, const Extents& in, const Share& share, const Box& need) {
  if (need.is_empty()) return LocalFill{};
  LocalConv local{.window = conv.window, .pieces = channel_pieces(conv, share.computed[Axis::C], need[Axis::C]), .filter = conv.filter};
  std::array<Interval, 3> kernel{};
  for (Axis axis : spatial_axes) {
    const Interval taps = taps_of(conv.window[axis], share.contracted[axis], in[axis]);
    local.window[axis] = local_window(conv.window[axis], share.computed[axis], need[axis], taps);
    kernel[static_cast<std::size_t>(axis) - 2] = taps;
  }
  for (ChannelPiece& piece : local.pieces) piece.filter.kernel = kernel;
  return local;
}

/// How many taps of each output count for an average: those inside the input, or inside the padded input.
std::vector<index_t> tap_counts(const WindowAxis& window, Interval counted, Interval out) {
  std::vector<index_t> counts;
  for (index_t o = out.lo; o < out.hi; ++o) {
    index_t count = 0;
    for (index_t t = 0; t < window.kernel; ++t) {
      const index_t input = o * window.stride - window.pad_lo + t * window.dilation;
      if (input >= counted.lo && input < counted.hi) ++count;
    }
    counts.push_back(std::max<index_t>(count, 1));
  }
  return counts;
}

LocalKind local_pool(const Pool& pool, const Extents& in, const Box& computed, const Box& need) {
  if (need.is_empty()) return LocalFill{};
  LocalPool local{.kind = pool.kind, .window = pool.window};
  for (Axis axis : spatial_axes) {
    const WindowAxis& window = pool.window[axis];
    local.window[axis] = local_window(window, computed[axis], need[axis], {0, window.kernel});
    if (pool.kind == PoolKind::Max) continue;
    const std::size_t k = static_cast<std::size_t>(axis) - 2;
    const Interval inside{0, in[axis]};
    const Interval padded{-window.pad_lo, in[axis] + pool.counted_pad_hi[k]};
    local.divisors[k] = tap_counts(window, pool.is_padding_counted ? padded : inside, computed[axis]);
  }
  return local;
}

std::vector<float> slice(const std::vector<float>& values, Interval range) {
  if (values.empty()) return {};
  return {values.begin() + range.lo, values.begin() + range.hi};
}

Extents offset_in(const Box& inner, const Box& outer) {
  Extents offset;
  for (Axis axis : all_axes) offset[axis] = inner[axis].lo - outer[axis].lo;
  return offset;
}

LocalKind local_reshape(const Extents& in, const Extents& out, const Share& share, const Box& need) {
  const bool keeps_samples = in[Axis::N] == out[Axis::N];
  const Box origin = keeps_samples ? Box::whole(out).with(Axis::N, share.computed[Axis::N]) : Box::whole(out);
  Extents src_shape = in;
  src_shape[Axis::N] = need[Axis::N].size();
  return LocalReshape{.src_shape = src_shape, .dst_shape = origin.extents(), .dst_offset = offset_in(share.computed, origin)};
}

LocalKind local_kind(const Network& network, const Node& node, const Share& share, const Box& need) {
  const Extents& in = extents_of(network, node.inputs[0]);
  const Interval channels = share.computed[Axis::C];
  return std::visit(
      Overloaded{
          [&](const Conv& conv) { return local_conv(conv, in, share, need); },
          [&](const Pool& pool) { return local_pool(pool, in, share.computed, need); },
          [&](const Elementwise&) -> LocalKind { return LocalCopy{}; },
          [&](const ScaleShift& op) -> LocalKind { return LocalScaleShift{slice(op.scale, channels), slice(op.shift, channels)}; },
          [&](const Sum&) -> LocalKind { return LocalSum{}; },
          [&](const RowSum&) -> LocalKind { return LocalRowSum{}; },
          [&](const RowsMean& op) -> LocalKind { return LocalRowsMean{op.count}; },
          [&](const Softmax& op) -> LocalKind {
            return LocalSoftmax{op.axes, op.is_logarithm, offset_in(share.computed, need)};
          },
          [&](const Reshape&) { return local_reshape(in, extents_of(network, node.output), share, need); },
          [&](const Concat&) -> LocalKind { PARCONV_EXPECT(false, "a Concat only moves boxes"); return LocalCopy{}; },
      },
      node.op);
}

double taps_per_output(const Window& window) {
  double taps = 1;
  for (const WindowAxis& axis : window.axes) taps *= static_cast<double>(axis.kernel);
  return taps;
}

}  // namespace

std::array<bool, num_axes> contracted_axes(const Network& network, const Node& node) {
  std::array<bool, num_axes> result{};
  if (const auto* conv = std::get_if<Conv>(&node.op)) {
    result[static_cast<std::size_t>(Axis::C)] = true;
    const Extents& in = extents_of(network, node.inputs[0]);
    for (Axis axis : spatial_axes)
      result[static_cast<std::size_t>(axis)] = in[axis] > 1 && covers_whole_input(conv->window[axis], in[axis]);
  }
  if (std::holds_alternative<RowSum>(node.op)) result[static_cast<std::size_t>(Axis::W)] = true;
  return result;
}

Box whole_contracted(const Network& network, const Node& node) { return Box::whole(extents_of(network, node.inputs[0])); }

Box needed_box(const Network& network, const Node& node, std::size_t operand, const Share& share) {
  PARCONV_EXPECT(operand < node.inputs.size(), "operand ", operand, " of ", node.name);
  if (share.computed.is_empty()) return {};
  const bool is_residual = operand >= node.num_operands();
  const Box need = is_residual ? share.computed : needed_by_operator(network, node, operand, share);
  return need.is_empty() ? Box{} : need;
}

LocalOp localise(const Network& network, const Node& node, const Share& share, bool is_finished) {
  PARCONV_EXPECT(!share.computed.is_empty(), node.name);
  LocalOp local;
  const Box first_need = needed_box(network, node, 0, share);
  local.kind = local_kind(network, node, share, first_need);
  local.dst = layout_within(share.computed, share.computed);
  const bool is_fill = std::holds_alternative<LocalFill>(local.kind);
  for (std::size_t operand = 0; operand < node.inputs.size(); ++operand) {
    const bool is_residual = operand >= node.num_operands();
    if ((is_residual && !is_finished) || (is_fill && !is_residual)) continue;
    if (is_residual) local.finish.residual = static_cast<int>(local.srcs.size());
    const Box need = needed_box(network, node, operand, share);
    local.srcs.push_back(layout_within(need, need));
  }
  if (is_finished) {
    const int residual = local.finish.residual;
    local.finish = local_finish(network, node, share.computed);
    local.finish.residual = residual;
  }
  return local;
}

LocalFinish local_finish(const Network&, const Node& node, const Box& owned) {
  return {.bias = slice(node.finish.bias, owned[Axis::C]), .residual = -1, .activation = node.finish.activation};
}

index_t concat_offset(const Network& network, const Node& node, std::size_t operand) {
  index_t offset = 0;
  for (std::size_t k = 0; k < operand; ++k) offset += extents_of(network, node.inputs[k])[Axis::C];
  return offset;
}

double flops(const Network& network, const Node& node, const Share& share) {
  const auto outputs = static_cast<double>(volume(share.computed));
  if (const auto* conv = std::get_if<Conv>(&node.op)) {
    const double groups = static_cast<double>(conv->groups);
    double taps = static_cast<double>(share.contracted[Axis::C].size()) / groups;
    const Extents& in = extents_of(network, node.inputs[0]);
    for (Axis axis : spatial_axes)
      taps *= static_cast<double>(taps_of(conv->window[axis], share.contracted[axis], in[axis]).size());
    return 2 * outputs * taps;
  }
  if (const auto* pool = std::get_if<Pool>(&node.op)) return outputs * taps_per_output(pool->window);
  double elements = 0;
  for (std::size_t operand = 0; operand < node.inputs.size(); ++operand)
    elements += static_cast<double>(volume(needed_box(network, node, operand, share)));
  return elements;
}

index_t weight_bytes(const Network& network, const Node& node, const Share& share) {
  const auto* conv = std::get_if<Conv>(&node.op);
  if (conv == nullptr || share.computed.is_empty()) return 0;
  const Box need = needed_box(network, node, 0, share);
  const Extents& in = extents_of(network, node.inputs[0]);
  index_t elements = share.computed[Axis::C].size();
  index_t taps = 1;
  for (Axis axis : spatial_axes) taps *= taps_of(conv->window[axis], share.contracted[axis], in[axis]).size();
  if (!need.is_empty())
    for (const ChannelPiece& piece : channel_pieces(*conv, share.computed[Axis::C], need[Axis::C]))
      elements += piece.filter.oc.size() * piece.filter.ic.size() * taps;
  return elements * static_cast<index_t>(size_of(DType::F32));
}

}  // namespace parconv
