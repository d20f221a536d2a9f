#include "compute/element_tables.hpp"

#include "compute/axis_taps.hpp"
#include "parconv/core/error.hpp"

namespace parconv::element {
namespace {

const OperandLayout& main_source(const LocalOp& op) { return op.srcs[operand_indices(op).front()]; }

bool has_channels_side_by_side(const OperandLayout& layout) {
  return layout.strides[Axis::C] == 1 || layout.extents[Axis::C] == 1;
}

bool is_marked(const LocalSoftmax& softmax, Axis axis) { return softmax.axes[static_cast<std::size_t>(axis)]; }

void check_type(const OperandLayout& operand) {
  if (is_element_type(operand.type)) return;
  throw Error(ExitCode::Unavailable, concat("a GPU computes on f32, f16 and bf16; it was asked for ", name_of(operand.type)),
              "Use --dtype f32, f16 or bf16.");
}

}  // namespace

std::vector<std::size_t> operand_indices(const LocalOp& op) {
  std::vector<std::size_t> indices;
  for (std::size_t k = 0; k < op.srcs.size(); ++k)
    if (static_cast<int>(k) != op.finish.residual) indices.push_back(k);
  return indices;
}

ConstElements repeated(const OperandLayout& src, const Extents& dst) {
  OperandLayout layout = src;
  for (Axis axis : all_axes) {
    PARCONV_EXPECT(src.extents[axis] == 1 || src.extents[axis] == dst[axis], "src ", src.extents, ", dst ", dst);
    if (src.extents[axis] != dst[axis]) layout.strides[axis] = 0;
  }
  return elements_of<const std::byte>(layout);
}

std::vector<PoolTaps> pool_taps(const LocalOp& op, Axis axis) {
  const auto& pool = std::get<LocalPool>(op.kind);
  const WindowAxis& window = pool.window[axis];
  const auto& divisors = pool.divisors[static_cast<std::size_t>(axis) - 2];
  const bool has_divisors = pool.kind == PoolKind::Average;
  PARCONV_EXPECT(!has_divisors || std::ssize(divisors) == op.dst.extents[axis], divisors.size(), " divisors along ",
                 name_of(axis));
  std::vector<PoolTaps> taps;
  for (index_t out = 0; out < op.dst.extents[axis]; ++out) {
    const Interval inside = taps_inside(window, out, main_source(op).extents[axis]);
    taps.push_back({.first = out * window.stride - window.pad_lo + inside.lo * window.dilation,
                    .count = inside.size(),
                    .divisor = has_divisors ? divisors[static_cast<std::size_t>(out)] : 1});
  }
  return taps;
}

std::vector<StepDigit> step_digits(const LocalOp& op, Axis axis) {
  std::vector<StepDigit> steps;
  for (const IndexDigit& digit : std::get<LocalRearrange>(op.kind).digits[static_cast<std::size_t>(axis)])
    steps.push_back({.dst_stride = Divisor(digit.dst_stride),
                     .size = Divisor(digit.size),
                     .step = digit.src_stride * main_source(op).strides[digit.src]});
  return steps;
}

index_t rearranged_origin(const LocalOp& op) {
  index_t origin = 0;
  for (Axis axis : all_axes) origin -= std::get<LocalRearrange>(op.kind).src_offset[axis] * main_source(op).strides[axis];
  return origin;
}

std::vector<AxisTap> channel_taps(const LocalResample& resample) {
  const std::vector<AxisTap>& taps = resample[Axis::C];
  for (std::size_t c = 0; c < taps.size(); ++c)
    if (taps[c].lo != static_cast<index_t>(c)) return taps;
  return {};
}

Extents softmax_group_counts(const LocalOp& op) {
  Extents counts = op.dst.extents;
  for (Axis axis : all_axes)
    if (is_marked(std::get<LocalSoftmax>(op.kind), axis)) counts[axis] = 1;
  return counts;
}

SoftmaxGroups softmax_groups(const LocalOp& op) {
  const auto& softmax = std::get<LocalSoftmax>(op.kind);
  const OperandLayout& src = main_source(op);
  const Extents counts = softmax_group_counts(op);
  Extents strides{{0, 0, 0, 0, 0}}, first{{0, 0, 0, 0, 0}}, extents;
  index_t stride = 1;
  for (auto axis = memory_axes.rbegin(); axis != memory_axes.rend(); ++axis) {
    PARCONV_EXPECT(softmax.dst_offset[*axis] + op.dst.extents[*axis] <= src.extents[*axis], src.extents);
    if (is_marked(softmax, *axis)) {
      extents[*axis] = src.extents[*axis];
    } else {
      strides[*axis] = stride;
      first[*axis] = softmax.dst_offset[*axis];
      stride *= counts[*axis];
    }
  }
  return {.strides = place_of(strides),
          .first = place_of(first),
          .extents = place_of(extents),
          .dst_offset = place_of(softmax.dst_offset)};
}

void check_call(const LocalOp& op) {
  PARCONV_EXPECT(volume(op.dst.extents) > 0, "dst ", op.dst.extents);
  const auto channels = static_cast<std::size_t>(op.dst.extents[Axis::C]);
  PARCONV_EXPECT(op.finish.bias.empty() || op.finish.bias.size() == channels, op.finish.bias.size(), " != ", channels);
  PARCONV_EXPECT(op.finish.residual < static_cast<int>(op.srcs.size()), "residual ", op.finish.residual);
  check_type(op.dst);
  PARCONV_EXPECT(has_channels_side_by_side(op.dst), "channel stride ", op.dst.strides[Axis::C]);
  for (const OperandLayout& src : op.srcs) {
    check_type(src);
    PARCONV_EXPECT(has_channels_side_by_side(src), "channel stride ", src.strides[Axis::C]);
  }
  if (op.finish.residual < 0) return;
  const OperandLayout& residual = op.srcs[static_cast<std::size_t>(op.finish.residual)];
  PARCONV_EXPECT(residual.extents == op.dst.extents, residual.extents, " != ", op.dst.extents);
}

}  // namespace parconv::element
