// SPDX-License-Identifier: Apache-2.0
// Reduce operators and global poolings: an elementwise function, a reduction, and an elementwise function of the result.
#include <map>

#include "io/onnx/ops/onnx_ops.hpp"
#include "io/onnx/ops/onnx_reduction.hpp"
#include "io/onnx/ops/onnx_window.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using Dims = std::vector<index_t>;

/// One Reduce operator: after(reduce(before(x))).
struct FamilyMember {
  ActivationKind before = ActivationKind::None;
  ReduceKind kind = ReduceKind::Sum;
  ActivationKind after = ActivationKind::None;
  bool is_mean = false;
  /// First opset in which the axes are an input.
  index_t axes_are_input = 18;
};

const std::map<std::string_view, FamilyMember>& family() {
  using enum ActivationKind;
  static const std::map<std::string_view, FamilyMember> members{
      {"ReduceL1", {.before = Abs}},
      {"ReduceL2", {.before = Power, .after = Sqrt}},
      {"ReduceLogSum", {.after = Log}},
      {"ReduceMax", {.kind = ReduceKind::Max}},
      {"ReduceMean", {.is_mean = true}},
      {"ReduceMin", {.kind = ReduceKind::Min}},
      {"ReduceProd", {.kind = ReduceKind::Product}},
      {"ReduceSum", {.axes_are_input = 13}},
      {"ReduceSumSquare", {.before = Power}},
  };
  return members;
}

/// Reduced dimensions: an attribute or an input; all by default.
struct ReducedDims {
  std::vector<bool> is_reduced{};
  bool has_none = false;  ///< noop_with_empty_axes
};

ReducedDims reduced_dims(NodeReader& node, bool are_input) {
  const int ndims = node.shape(0).ndims;
  Dims axes;
  node.expect_inputs(1, are_input ? 2 : 1);
  if (!are_input) axes = node.attributes().get_ints("axes");
  if (are_input && node.has_input(1)) axes = node.integers(1, "the axes");
  const bool is_noop = are_input && node.attributes().get_int("noop_with_empty_axes", 0) != 0;
  ReducedDims result{.is_reduced = std::vector<bool>(static_cast<std::size_t>(ndims), axes.empty() && !is_noop)};
  for (const index_t axis : axes) result.is_reduced[static_cast<std::size_t>(checked_axis(node, axis, ndims))] = true;
  result.has_none = axes.empty() && is_noop;
  return result;
}

AxisSet axes_of(const NodeReader& node, const std::vector<bool>& is_reduced) {
  AxisSet axes{};
  const auto ndims = static_cast<int>(is_reduced.size());
  for (int k = 0; k < ndims; ++k)
    axes[static_cast<std::size_t>(axis_of(node, k, ndims))] = is_reduced[static_cast<std::size_t>(k)];
  return axes;
}

/// `dims` without the reduced ones; one dimension of 1 if none remain.
Dims remaining_dims(const Dims& dims, const std::vector<bool>& is_reduced) {
  Dims result;
  for (std::size_t k = 0; k < dims.size(); ++k)
    if (!is_reduced[k]) result.push_back(dims[k]);
  return result.empty() ? Dims{1} : result;
}

Activation activation_of(ActivationKind kind) { return {.kind = kind, .alpha = kind == ActivationKind::Power ? 2.0F : 0.0F}; }

ValueId transformed(NodeReader& node, const char* suffix, ValueId x, ActivationKind kind) {
  if (kind == ActivationKind::None) return x;
  return node.add_step(suffix, Elementwise{}, {x}, Epilogue{.activation = activation_of(kind)});
}

/// Produces the node's output from `x`, dropping reduced dimensions without keepdims.
void make_reduction(NodeReader& node, ValueId x, Operator op, ActivationKind after, const ReducedDims& reduced) {
  Epilogue epilogue{.activation = activation_of(after)};
  if (node.attributes().get_int("keepdims", 1) != 0) return node.make(std::move(op), {x}, std::move(epilogue));
  const Dims dims = remaining_dims(dims_of(node.network().shape(x)), reduced.is_reduced);
  node.make_with_dims(node.add_step("reduced", std::move(op), {x}, std::move(epilogue)), dims);
}

void make_global_pool(NodeReader& node, ReduceKind kind) {
  node.expect_inputs(1, 1);
  const Shape in = node.shape(0);
  expect_spatial(node, in);
  const index_t count = kind == ReduceKind::Sum ? elems_along(in, space) : 1;
  node.make(reduction(in, kind, space, count), {node.value(0)});
}

void read_reduction(NodeReader& node) {
  const FamilyMember& member = family().at(node.op_type());
  const ReducedDims reduced = reduced_dims(node, node.opset() >= member.axes_are_input);
  const bool is_changed = member.before != ActivationKind::None || member.after != ActivationKind::None;
  if (reduced.has_none && is_changed) node.refuse("attribute noop_with_empty_axes is 1, which is not supported without axes");
  const Shape in = node.shape(0);
  const AxisSet axes = axes_of(node, reduced.is_reduced);
  const ValueId x = transformed(node, "before", node.value(0), member.before);
  const index_t count = member.is_mean ? elems_along(in, axes) : 1;
  make_reduction(node, x, reduction(in, member.kind, axes, count), member.after, reduced);
}

/// log(sum(e^(x - max))) + max, which does not overflow.
void read_reduce_log_sum_exp(NodeReader& node) {
  const ReducedDims reduced = reduced_dims(node, node.opset() >= 18);
  if (reduced.has_none) node.refuse("attribute noop_with_empty_axes is 1, which is not supported without axes");
  const Shape in = node.shape(0);
  const AxisSet axes = axes_of(node, reduced.is_reduced);
  const ValueId x = node.value(0);
  const ValueId largest = node.add_step("largest", reduction(in, ReduceKind::Max, axes), {x});
  const Epilogue exponential{.activation = {.kind = ActivationKind::Exp}}, logarithm{.activation = {.kind = ActivationKind::Log}};
  const ValueId terms = node.add_step("terms", Binary{BinaryKind::Sub}, {x, largest}, exponential);
  const ValueId sum = node.add_step("logarithm", reduction(in, ReduceKind::Sum, axes), {terms}, logarithm);
  if (node.attributes().get_int("keepdims", 1) != 0) return node.make(Sum{}, {sum, largest});
  node.make_with_dims(node.add_step("reduced", Sum{}, {sum, largest}), remaining_dims(dims_of(in), reduced.is_reduced));
}

void read_global_average_pool(NodeReader& node) { make_global_pool(node, ReduceKind::Sum); }

void read_global_max_pool(NodeReader& node) { make_global_pool(node, ReduceKind::Max); }

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"GlobalAveragePool", read_global_average_pool, 1},
    {"GlobalMaxPool", read_global_max_pool, 1},
    {"ReduceL1", read_reduction},
    {"ReduceL2", read_reduction},
    {"ReduceLogSum", read_reduction},
    {"ReduceLogSumExp", read_reduce_log_sum_exp},
    {"ReduceMax", read_reduction},
    {"ReduceMean", read_reduction},
    {"ReduceMin", read_reduction},
    {"ReduceProd", read_reduction},
    {"ReduceSum", read_reduction},
    {"ReduceSumSquare", read_reduction},
};

}  // namespace

std::span<const OperatorRow> reduce_operators() { return rows; }

}  // namespace parconv
