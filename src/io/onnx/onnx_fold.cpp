// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/onnx_fold.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <optional>

#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/model/activation.hpp"

namespace parconv {
namespace {

using Ints = std::vector<index_t>;
using Result = std::optional<OnnxConstant>;

constexpr index_t max_elements = 1024;
constexpr index_t max_joined_elements = 4 * max_elements;

bool is_short(const OnnxConstant* constant) { return constant != nullptr && constant->data.count <= max_elements; }

bool is_list(const OnnxConstant& constant) { return constant.dims.size() <= 1; }

bool has_short_inputs(NodeReader& node) {
  bool is_known = node.num_inputs() > 0;
  for (std::size_t k = 0; k < node.num_inputs(); ++k)
    is_known = is_known && (!node.has_input(k) || is_short(node.network().find_constant(node.input_name(k))));
  return is_known && node.has_input(0);
}

OnnxConstant input(NodeReader& node, std::size_t k) { return *node.network().find_constant(node.input_name(k)); }

/// Gathers the elements at `indices`, with dimensions `dims`.
OnnxConstant picked(const OnnxConstant& from, const Ints& indices, Ints dims) {
  const auto pick = [&](const auto& elements) {
    std::decay_t<decltype(elements)> result;
    for (const index_t index : indices) result.push_back(elements[static_cast<std::size_t>(index)]);
    return result;
  };
  if (from.is_integer) return integer_constant(pick(from.integers), std::move(dims));
  return float_constant(pick(read_constant(from.data)), std::move(dims));
}

/// The axes from an input or, in older opsets, an attribute; none if both are absent.
std::optional<Ints> axes_of(NodeReader& node) {
  if (node.has_input(1)) return node.integers(1, "the axes");
  if (node.attributes().has("axes")) return node.attributes().get_ints("axes");
  return std::nullopt;
}

/// Converts an index that may count from the end (negative) to one from the beginning.
index_t resolved_index(const NodeReader& node, index_t index, index_t count, const char* what) {
  if (index < -count || index >= count) node.refuse(concat(what, " ", index, " is out of range for ", count));
  return index < 0 ? index + count : index;
}

Result fold_shape(NodeReader& node) {
  node.expect_inputs(1, 1);
  const Ints dims = node.dims(0);
  const index_t count = std::ssize(dims);
  const auto limit = [&](const char* name, index_t otherwise) {
    const index_t stated = node.attributes().get_int(name, otherwise);
    return std::clamp<index_t>(stated < 0 ? stated + count : stated, 0, count);
  };
  const index_t start = limit("start", 0), end = std::max(limit("end", count), start);
  return integer_constant({dims.begin() + start, dims.begin() + end}, {end - start});
}

Result fold_gather(NodeReader& node) {
  node.expect_inputs(2, 2);
  const OnnxConstant data = input(node, 0), indices = input(node, 1);
  if (data.dims.size() != 1 || !is_list(indices) || !indices.is_integer) return std::nullopt;
  resolved_index(node, node.attributes().get_int("axis", 0), 1, "axis");
  Ints resolved;
  for (const index_t index : indices.integers) resolved.push_back(resolved_index(node, index, data.dims[0], "index"));
  return picked(data, resolved, indices.dims);
}

Result fold_cast(NodeReader& node) {
  OnnxConstant from = input(node, 0);
  const index_t to = node.attributes().get_int("to", 0);
  node.attributes().ignore("saturate");
  std::vector<float> values = read_constant(from.data);
  if (to == onnx::TensorProto::FLOAT || to == onnx::TensorProto::DOUBLE) return float_constant(std::move(values), from.dims);
  if (to != onnx::TensorProto::INT32 && to != onnx::TensorProto::INT64) return std::nullopt;
  if (from.is_integer) return from;
  Ints integers;
  for (const float value : values) {
    if (!(std::abs(value) < 1e15F)) node.refuse(concat("cannot convert ", value, " to an integer"));
    integers.push_back(static_cast<index_t>(value));
  }
  return integer_constant(std::move(integers), from.dims);
}

Result fold_concat(NodeReader& node) {
  OnnxConstant result = input(node, 0);
  std::vector<float> floats;
  Ints integers;
  for (std::size_t k = 0; k < node.num_inputs(); ++k) {
    const OnnxConstant part = input(node, k);
    if (part.dims.size() != 1 || part.is_integer != result.is_integer) return std::nullopt;
    const std::vector<float> values = read_constant(part.data);
    floats.insert(floats.end(), values.begin(), values.end());
    integers.insert(integers.end(), part.integers.begin(), part.integers.end());
    if (std::ssize(floats) > max_joined_elements) return std::nullopt;
  }
  resolved_index(node, node.attributes().get_int("axis", 0), 1, "axis");
  const index_t count = std::ssize(floats);
  return result.is_integer ? integer_constant(std::move(integers), {count}) : float_constant(std::move(floats), {count});
}

/// Arguments of a Slice: inputs, or attributes before opset 10.
struct Range {
  Ints starts{};
  Ints ends{};
  Ints axes{0};
  Ints steps{1};
};

Range range_of(NodeReader& node) {
  Range range;
  if (node.opset() < 10) {
    range.starts = node.attributes().get_ints("starts");
    range.ends = node.attributes().get_ints("ends");
    if (node.attributes().has("axes")) range.axes = node.attributes().get_ints("axes");
    return range;
  }
  node.expect_inputs(3, 5);
  range.starts = node.integers(1, "the starts");
  range.ends = node.integers(2, "the ends");
  if (node.has_input(3)) range.axes = node.integers(3, "the axes");
  if (node.has_input(4)) range.steps = node.integers(4, "the steps");
  return range;
}

Result fold_slice(NodeReader& node) {
  const OnnxConstant data = input(node, 0);
  if (data.dims.size() != 1) return std::nullopt;
  const Range range = range_of(node);
  if (range.starts.size() != 1 || range.ends.size() != 1 || range.axes.size() != 1 || range.steps.size() != 1)
    node.refuse("slices a list, but does not have one start, end, axis and step");
  resolved_index(node, range.axes[0], 1, "axis");
  const index_t count = data.dims[0], step = range.steps[0];
  if (step == 0) node.refuse("has a step of 0");
  const index_t lowest = step > 0 ? 0 : -1;
  const auto limit = [&](index_t index) {
    return std::clamp(index < 0 ? std::max(index, -count - 1) + count : index, lowest, count + lowest);
  };
  Ints indices;
  const index_t end = limit(range.ends[0]);
  for (index_t at = limit(range.starts[0]); step > 0 ? at < end : at > end; at += std::clamp(step, -count, count))
    indices.push_back(at);
  const index_t taken = std::ssize(indices);
  return picked(data, indices, {taken});
}

Ints all_indices(const OnnxConstant& constant) {
  Ints indices(static_cast<std::size_t>(constant.data.count));
  std::iota(indices.begin(), indices.end(), index_t{0});
  return indices;
}

Result fold_unsqueeze(NodeReader& node) {
  const OnnxConstant data = input(node, 0);
  const Ints axes = axes_of(node).value_or(Ints{});
  const index_t ndims = std::ssize(data.dims) + std::ssize(axes);
  std::vector<bool> is_new(static_cast<std::size_t>(ndims), false);
  for (const index_t axis : axes) is_new[static_cast<std::size_t>(resolved_index(node, axis, ndims, "axis"))] = true;
  if (std::count(is_new.begin(), is_new.end(), true) != std::ssize(axes)) node.refuse("names an axis twice");
  Ints dims;
  for (std::size_t k = 0, old = 0; k < is_new.size(); ++k) dims.push_back(is_new[k] ? 1 : data.dims[old++]);
  return picked(data, all_indices(data), dims);
}

Result fold_squeeze(NodeReader& node) {
  const OnnxConstant data = input(node, 0);
  const std::optional<Ints> axes = axes_of(node);
  const index_t ndims = std::ssize(data.dims);
  std::vector<bool> is_dropped;
  for (const index_t dim : data.dims) is_dropped.push_back(!axes && dim == 1);
  for (const index_t axis : axes.value_or(Ints{})) {
    const auto dim_index = static_cast<std::size_t>(resolved_index(node, axis, ndims, "axis"));
    if (data.dims[dim_index] != 1) node.refuse(concat("cannot drop axis ", axis, " of ", dims_string(data.dims)));
    is_dropped[dim_index] = true;
  }
  Ints dims;
  for (std::size_t k = 0; k < data.dims.size(); ++k)
    if (!is_dropped[k]) dims.push_back(data.dims[k]);
  return picked(data, all_indices(data), dims);
}

/// Broadcast dimensions of constants, aligned at the trailing dimension.
Ints broadcast_dims(NodeReader& node, const std::vector<OnnxConstant>& inputs) {
  std::size_t ndims = 0;
  for (const OnnxConstant& input : inputs) ndims = std::max(ndims, input.dims.size());
  Ints result(ndims, 1);
  for (const OnnxConstant& input : inputs)
    for (std::size_t k = 0; k < input.dims.size(); ++k) {
      index_t& dim = result[ndims - input.dims.size() + k];
      if (dim != 1 && input.dims[k] != 1 && dim != input.dims[k])
        node.refuse(concat("cannot broadcast constants of ", dims_string(inputs.front().dims), " and ", dims_string(input.dims)));
      if (dim == 1) dim = input.dims[k];
    }
  return result;
}

/// For each element of `out_dims`, the index of the broadcast element in a tensor of `dims`.
Ints broadcast_indices(const Ints& dims, const Ints& out_dims) {
  const index_t count = std::accumulate(out_dims.begin(), out_dims.end(), index_t{1}, std::multiplies<>());
  Ints indices;
  for (index_t out = 0; out < count; ++out) {
    index_t rest = out, source = 0, stride = 1;
    for (std::size_t k = 0; k < out_dims.size(); ++k) {
      const std::size_t dim = out_dims.size() - 1 - k;
      const index_t index = rest % out_dims[dim];
      rest /= out_dims[dim];
      if (k >= dims.size()) continue;
      const index_t extent = dims[dims.size() - 1 - k];
      if (extent > 1) source += index * stride;
      stride *= extent;
    }
    indices.push_back(source);
  }
  return indices;
}

/// All inputs, broadcast to common dimensions.
std::vector<OnnxConstant> broadcast_inputs(NodeReader& node) {
  std::vector<OnnxConstant> inputs;
  for (std::size_t k = 0; k < node.num_inputs(); ++k) inputs.push_back(input(node, k));
  const Ints dims = broadcast_dims(node, inputs);
  for (OnnxConstant& input : inputs) input = picked(input, broadcast_indices(input.dims, dims), dims);
  return inputs;
}

template <class Number, class Operation>
std::vector<Number> pairwise(const std::vector<Number>& a, const std::vector<Number>& b, Operation operation) {
  std::vector<Number> result;
  for (std::size_t k = 0; k < a.size(); ++k) result.push_back(operation(a[k], b[k]));
  return result;
}

index_t calculate(NodeReader& node, index_t a, index_t b) {
  const char* label = node.label().c_str();
  const std::string& name = node.op_type();
  if (name == "Add") return checked_add(a, b, label);
  if (name == "Sub") return checked_add(a, checked_mul(b, -1, label), label);
  if (name == "Mul") return checked_mul(a, b, label);
  if (name == "Max") return std::max(a, b);
  if (name == "Min") return std::min(a, b);
  if (name == "Equal") return a == b ? 1 : 0;
  if (b == 0) node.refuse("divides by zero");
  if (name == "Mod") return b == -1 ? 0 : (a % b + b) % b;
  return b == -1 ? checked_mul(a, -1, label) : a / b;
}

float calculate(NodeReader& node, float a, float b) {
  static const std::map<std::string_view, BinaryKind> kinds{{"Div", BinaryKind::Div}, {"Max", BinaryKind::Max},
                                                            {"Min", BinaryKind::Min}, {"Mul", BinaryKind::Mul},
                                                            {"Pow", BinaryKind::Pow}, {"Sub", BinaryKind::Sub}};
  return node.op_type() == "Add" ? a + b : combined(kinds.at(node.op_type()), a, b);
}

Result fold_arithmetic(NodeReader& node) {
  if (node.num_inputs() != 2) return std::nullopt;
  if (node.opset() < 7 && node.attributes().has("axis")) return std::nullopt;
  const std::string& name = node.op_type();
  const std::vector<OnnxConstant> inputs = broadcast_inputs(node);
  const OnnxConstant &a = inputs[0], &b = inputs[1];
  const bool is_for_integers = name == "Equal" || name == "Mod";
  if (a.is_integer != b.is_integer || (a.is_integer ? name == "Pow" : is_for_integers)) return std::nullopt;
  if (node.opset() < 7) node.attributes().ignore("broadcast");
  const auto operation = [&](auto x, auto y) { return calculate(node, x, y); };
  if (a.is_integer) return integer_constant(pairwise(a.integers, b.integers, operation), a.dims);
  return float_constant(pairwise(read_constant(a.data), read_constant(b.data), operation), a.dims);
}

/// Selects the second input where the first is true, else the third, as exporters do to replace -1 in a shape.
Result fold_where(NodeReader& node) {
  node.expect_inputs(3, 3);
  const std::vector<OnnxConstant> inputs = broadcast_inputs(node);
  const std::vector<float> condition = read_constant(inputs[0].data);
  if (inputs[1].is_integer != inputs[2].is_integer) return std::nullopt;
  const auto choose = [&](auto chosen, const auto& others) {
    for (std::size_t k = 0; k < chosen.size(); ++k)
      if (condition[k] == 0) chosen[k] = others[k];
    return chosen;
  };
  if (inputs[1].is_integer) return integer_constant(choose(inputs[1].integers, inputs[2].integers), inputs[1].dims);
  return float_constant(choose(read_constant(inputs[1].data), read_constant(inputs[2].data)), inputs[1].dims);
}

Result fold_expand(NodeReader& node) {
  const OnnxConstant from = input(node, 0);
  const Ints target = node.integers(1, "the shape");
  const Ints dims = broadcast_dims(node, {from, OnnxConstant{.dims = target}});
  if (count_of(dims, node.label()) > max_elements) return std::nullopt;
  return picked(from, broadcast_indices(from.dims, dims), dims);
}

Result fold_function(NodeReader& node) {
  static const std::map<std::string_view, ActivationKind> kinds{
      {"Abs", ActivationKind::Abs},     {"Ceil", ActivationKind::Ceil}, {"Exp", ActivationKind::Exp},
      {"Floor", ActivationKind::Floor}, {"Log", ActivationKind::Log},   {"Neg", ActivationKind::Neg},
      {"Round", ActivationKind::Round}, {"Sqrt", ActivationKind::Sqrt}, {"Reciprocal", ActivationKind::Reciprocal}};
  const OnnxConstant from = input(node, 0);
  if (from.is_integer) return std::nullopt;
  std::vector<float> values = read_constant(from.data);
  for (float& value : values) value = activated({.kind = kinds.at(node.op_type())}, value);
  return float_constant(std::move(values), from.dims);
}

using Fold = Result (*)(NodeReader&);

const std::map<std::string_view, Fold>& table() {
  static const std::map<std::string_view, Fold> folds{
      {"Abs", fold_function},   {"Add", fold_arithmetic},      {"Cast", fold_cast},           {"Ceil", fold_function},
      {"Concat", fold_concat},  {"Div", fold_arithmetic},      {"Equal", fold_arithmetic},    {"Exp", fold_function},
      {"Expand", fold_expand},  {"Floor", fold_function},      {"Gather", fold_gather},       {"Log", fold_function},
      {"Max", fold_arithmetic}, {"Min", fold_arithmetic},      {"Mod", fold_arithmetic},      {"Mul", fold_arithmetic},
      {"Neg", fold_function},   {"Pow", fold_arithmetic},      {"Reciprocal", fold_function}, {"Round", fold_function},
      {"Shape", fold_shape},    {"Slice", fold_slice},         {"Sqrt", fold_function},       {"Squeeze", fold_squeeze},
      {"Sub", fold_arithmetic}, {"Unsqueeze", fold_unsqueeze}, {"Where", fold_where}};
  return folds;
}

}  // namespace

bool is_foldable(std::string_view op_type) { return table().contains(op_type); }

bool fold(NodeReader& node) {
  const auto found = table().find(node.op_type());
  if (found == table().end()) return false;
  const bool is_known = node.op_type() == "Shape" || has_short_inputs(node);
  Result result = is_known ? found->second(node) : std::nullopt;
  if (!result) return false;
  node.network().set_constant(node.output_name(), std::move(*result));
  return true;
}

}  // namespace parconv
