// SPDX-License-Identifier: Apache-2.0
#include "model/whole_operator.hpp"

#include <algorithm>
#include <numeric>

#include "compute/local_op_case.hpp"
#include "model/ops/elementwise/channels.hpp"
#include "model/ops/window/resample.hpp"
#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

std::size_t position(const Extents& extents, const std::array<index_t, num_axes>& index) {
  index_t at = 0;
  for (Axis axis : all_axes) at = at * extents[axis] + index[static_cast<std::size_t>(axis)];
  return static_cast<std::size_t>(at);
}

void for_each_index(const Box& box, const std::function<void(const std::array<index_t, num_axes>&)>& visit) {
  std::array<index_t, num_axes> i{};
  for (i[0] = box.intervals[0].lo; i[0] < box.intervals[0].hi; ++i[0])
    for (i[1] = box.intervals[1].lo; i[1] < box.intervals[1].hi; ++i[1])
      for (i[2] = box.intervals[2].lo; i[2] < box.intervals[2].hi; ++i[2])
        for (i[3] = box.intervals[3].lo; i[3] < box.intervals[3].hi; ++i[3])
          for (i[4] = box.intervals[4].lo; i[4] < box.intervals[4].hi; ++i[4]) visit(i);
}

/// One overload per operator: its definition on whole operands, without the epilogue.
class Definition {
 public:
  Definition(const Extents& out, std::vector<Elements> operands) : out_(out), operands_(std::move(operands)) {}

  std::vector<float> operator()(const Conv& op) {
    return run(LocalConv{.window = op.window,
                         .blocks = {whole_block(op.filter, op.groups)},
                         .filter = op.filter,
                         .leaves = leaves_of(op.filter, op.leaf_rule)});
  }

  std::vector<float> operator()(const ConvTranspose& op) {
    LocalDeconv local{.window = op.window,
                      .blocks = {whole_block(op.filter, op.groups)},
                      .filter = op.filter,
                      .leaves = leaves_of(op.filter, op.leaf_rule)};
    for (WindowAxis& axis : local.window.axes) axis.pad_hi = 0;
    return run(std::move(local));
  }

  std::vector<float> operator()(const Pool& op) {
    LocalPool local{.kind = op.kind, .window = op.window};
    if (op.kind == PoolKind::Average)
      for (std::size_t k = 0; k < local.divisors.size(); ++k)
        for (index_t o = 0; o < out_[spatial_axes[k]]; ++o) local.divisors[k].push_back(counted_taps(op, k, o));
    return run(std::move(local));
  }

  std::vector<float> operator()(const Elementwise&) { return operands_.front().values; }
  std::vector<float> operator()(const ScaleShift& op) { return run(LocalScaleShift{.scale = op.scale, .shift = op.shift}); }
  std::vector<float> operator()(const Sum&) { return run(LocalSum{}); }
  std::vector<float> operator()(const Binary& op) { return run(LocalBinary{op.kind}); }
  std::vector<float> operator()(const Lrn& op) { return run(LocalLrn{.lrn = op}); }
  std::vector<float> operator()(const MatMul& op) {
    return run(LocalMatMul{op.rows, op.columns, leaves_of(operands_.front().extents[op.columns], 1, op.leaf_rule)});
  }

  std::vector<float> operator()(const Reduction& op) {
    return run(LocalReduce{.kind = op.kind, .axes = op.axes, .count = op.count});
  }

  std::vector<float> operator()(const Softmax& op) { return run(LocalSoftmax{.axes = op.axes, .is_logarithm = op.is_logarithm}); }

  std::vector<float> operator()(const Hardmax& op) { return run(LocalHardmax{.axes = op.axes}); }

  /// ONNX order is the order of `values`.
  std::vector<float> operator()(const Reshape&) { return operands_.front().values; }

  std::vector<float> operator()(const Resample& op) {
    PARCONV_EXPECT(std::holds_alternative<KeepAxis>(op[Axis::N].method));
    LocalResample local{.fill = op.fill};
    for (Axis axis : {Axis::C, Axis::D, Axis::H, Axis::W})
      for (index_t o = 0; o < out_[axis]; ++o) local[axis].push_back(tap_of(op[axis], o, operands_.front().extents[axis]));
    return run(std::move(local));
  }

  std::vector<float> operator()(const Concat& op) {
    std::vector<float> result(static_cast<std::size_t>(volume(out_)));
    index_t begin = 0;
    for (const Elements& operand : operands_) {
      for_each_index(Box::whole(operand.extents), [&](std::array<index_t, num_axes> index) {
        const float value = operand.values[position(operand.extents, index)];
        index[static_cast<std::size_t>(op.axis)] += begin;
        result[position(out_, index)] = value;
      });
      begin += operand.extents[op.axis];
    }
    return result;
  }

  /// Dimension k of the transposed tensor is dimension order[k] of the input seen as the factors.
  std::vector<float> operator()(const Rearrange& op) {
    std::vector<std::size_t> strides(op.factors.size(), 1);
    for (std::size_t k = op.factors.size(); k-- > 1;) strides[k - 1] = strides[k] * static_cast<std::size_t>(op.factors[k]);
    std::vector<float> result(operands_.front().values.size());
    for (std::size_t at = 0; at < result.size(); ++at) {
      std::size_t rest = at, from = 0;
      for (std::size_t k = op.order.size(); k-- > 0;) {
        const auto factor = static_cast<std::size_t>(op.order[k]);
        const auto extent = static_cast<std::size_t>(op.factors[factor]);
        from += rest % extent * strides[factor];
        rest /= extent;
      }
      result[at] = operands_.front().values[from];
    }
    return result;
  }

 private:
  std::vector<float> run(LocalKind kind) {
    std::vector<Operand> srcs;
    for (const Elements& operand : operands_) srcs.push_back({operand.extents, operand.values});
    return run_placed(*make_reference_backend(), {.kind = std::move(kind)}, srcs, out_, Placement::Dense);
  }

  /// Taps of output `o` inside the input, or inside the padded input; an average of none is divided by one.
  index_t counted_taps(const Pool& op, std::size_t k, index_t o) const {
    const WindowAxis& window = op.window.axes[k];
    const index_t size = operands_.front().extents[spatial_axes[k]];
    const index_t lo = op.is_padding_counted ? -window.pad_lo : 0;
    const index_t hi = op.is_padding_counted ? size + op.counted_pad_hi[k] : size;
    index_t count = 0;
    for (index_t t = 0; t < window.kernel; ++t) {
      const index_t at = o * window.stride - window.pad_lo + t * window.dilation;
      count += lo <= at && at < hi ? 1 : 0;
    }
    return std::max<index_t>(count, 1);
  }

  Extents out_;
  std::vector<Elements> operands_;
};

bool reads_all_between(const Window& window) {
  return std::all_of(window.axes.begin(), window.axes.end(),
                     [](const WindowAxis& axis) { return axis.dilation == 1 && axis.stride <= axis.kernel; });
}

struct HasTightFaces {
  NeededFaces faces{};

  bool operator()(const Conv& op) const { return reads_all_between(op.window); }
  bool operator()(const Pool& op) const { return reads_all_between(op.window); }
  bool operator()(const ConvTranspose& op) const {
    return std::all_of(op.window.axes.begin(), op.window.axes.end(), [](const WindowAxis& along) { return along.dilation == 1; });
  }
  bool operator()(const Elementwise&) const { return true; }
  bool operator()(const ScaleShift&) const { return true; }
  bool operator()(const Sum&) const { return true; }
  bool operator()(const Concat&) const { return true; }
  bool operator()(const Reduction&) const { return true; }
  bool operator()(const Lrn&) const { return true; }
  bool operator()(const MatMul&) const { return true; }
  /// A slope only affects negative values; comparisons of other values may be equal.
  bool operator()(const Binary& op) const {
    return op.kind <= BinaryKind::Pow && (op.kind != BinaryKind::PRelu || faces.input == 0);
  }
  /// The softmax of a single value is 1.
  bool operator()(const Softmax& op) const {
    index_t row = 1;
    for (Axis along : all_axes) row *= op.axes[static_cast<std::size_t>(along)] ? faces.in[along] : 1;
    return row > 1;
  }
  /// Other values may have their maximum at the same index.
  bool operator()(const Hardmax&) const { return false; }
  bool operator()(const Reshape&) const { return faces.axis == Axis::N; }
  bool operator()(const Resample& op) const {
    const auto* take = std::get_if<TakeAxis>(&op[faces.axis].method);
    return !std::holds_alternative<LinearAxis>(op[faces.axis].method) && (take == nullptr || take->border != Border::Wrap);
  }
  /// Needed boxes are rounded up to whole factors.
  bool operator()(const Rearrange&) const { return false; }
};

}  // namespace

void for_each_element(const Box& box, const Extents& extents, const std::function<void(std::size_t)>& visit) {
  for_each_index(box, [&](const std::array<index_t, num_axes>& index) { visit(position(extents, index)); });
}

Elements cut(const Elements& whole, const Box& box) {
  Elements part{.extents = box.extents()};
  for_each_element(box, whole.extents, [&](std::size_t at) { part.values.push_back(whole.values[at]); });
  return part;
}

Elements whole_output(const Network& network, const Node& node, const std::vector<Elements>& inputs) {
  const Extents& extents = network.value(node.output).extents;
  const std::vector<Elements> operands(inputs.begin(), inputs.begin() + static_cast<index_t>(node.num_operands()));
  const std::vector<float> values = std::visit(Definition(extents, operands), node.op);
  LocalOp epilogue{.kind = LocalCopy{}, .epilogue = {.bias = node.epilogue.bias, .activation = node.epilogue.activation}};
  std::vector<Operand> srcs{{extents, values}};
  if (node.epilogue.has_residual) {
    epilogue.epilogue.residual = 1;
    srcs.push_back({extents, inputs.back().values});
  }
  return {extents, run_placed(*make_reference_backend(), epilogue, srcs, extents, Placement::Dense)};
}

bool has_tight_faces(const Operator& op, const NeededFaces& faces) { return std::visit(HasTightFaces{faces}, op); }

}  // namespace parconv::test
