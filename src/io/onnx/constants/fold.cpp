// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/constants/fold.hpp"

#include <algorithm>
#include <map>

#include "io/onnx/constants/constant_node.hpp"
#include "io/onnx/onnx_types.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Constants up to this size are always evaluated; larger ones only where no other reader of the operator keeps them on disk, or
/// as a fill.
constexpr index_t largest_short = 1024;
/// Of all constants of a model: a few bytes can request many elements.
constexpr index_t max_elements_of_model = index_t{1} << 27;

const std::map<std::string_view, Evaluate>& table() {
  static const auto all = [] {
    std::map<std::string_view, Evaluate> evaluations;
    for (const auto rows :
         {arithmetic_evaluations(), move_evaluations(), index_evaluations(), generator_evaluations(), reduction_evaluations()})
      for (const EvaluationRow& row : rows) evaluations.emplace(row.op_type, row.evaluate);
    return evaluations;
  }();
  return all;
}

bool is_shape_operator(std::string_view op_type) { return op_type == "Shape" || op_type == "Size"; }

/// Elements of all inputs; -1 unless all are constants.
index_t constant_elements(NodeReader& node) {
  index_t count = 0;
  for (std::size_t k = 0; k < node.num_inputs(); ++k) {
    if (!node.has_input(k)) continue;
    const OnnxConstant* constant = node.network().find_constant(node.input_name(k));
    if (constant == nullptr || constant->data.count > max_evaluated_elements) return -1;
    count += constant->data.count;
  }
  return node.num_inputs() > 0 && node.has_input(0) ? count : -1;
}

/// True for operators that describe their result by their input, without reading it.
bool stays_on_disk(NodeReader& node) {
  const std::string& name = node.op_type();
  if (name == "Cast") return is_float_type(static_cast<int>(node.attributes().get_int("to", 0)));
  return name == "Transpose" && node.network().find_constant(node.input_name(0))->data.is_fill;
}

ConstantTensor shape_of_input(NodeReader& node) {
  node.expect_inputs(1, 1);
  const Dims dims = node.dims(0);
  if (node.op_type() == "Size") return integer_tensor({count_of(dims, node.label())}, {});
  const index_t count = std::ssize(dims);
  const auto limit = [&](const char* name, index_t otherwise) {
    const index_t stated = node.attributes().get_int(name, otherwise);
    return std::clamp<index_t>(stated < 0 ? stated + count : stated, 0, count);
  };
  const index_t start = limit("start", 0), end = std::max(limit("end", count), start);
  return integer_tensor({dims.begin() + start, dims.begin() + end}, {end - start});
}

/// Results are calculated in 64 bits.
void expect_in_range(const NodeReader& node, const ConstantTensor& result) {
  if (!result.is_integer()) return;
  const auto [least, greatest] = limits_of(result.type);
  for (const index_t value : result.integers())
    if (value < least || value > greatest)
      node.refuse(concat("makes ", value, ", which ", type_name(result.type), " cannot hold"));
}

bool set_outputs(NodeReader& node, Evaluated results) {
  if (results.empty()) return false;
  for (std::size_t k = 0; k < std::min(results.size(), node.num_outputs()); ++k) {
    expect_in_range(node, results[k]);
    node.network().count_evaluated(results[k].count());
    if (!node.output_name(k).empty()) node.network().set_constant(node.output_name(k), stored(std::move(results[k])));
  }
  return true;
}

}  // namespace

bool is_foldable(std::string_view op_type) { return is_shape_operator(op_type) || table().contains(op_type); }

std::vector<std::string_view> foldable_operators() {
  std::vector<std::string_view> names{"Shape", "Size"};
  for (const auto& [name, evaluate] : table()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

bool fold(NodeReader& node) {
  if (is_shape_operator(node.op_type())) return set_outputs(node, {shape_of_input(node)});
  const auto found = table().find(node.op_type());
  if (found == table().end()) return false;
  const index_t count = constant_elements(node);
  if (count < 0 || (count > largest_short && stays_on_disk(node))) return false;
  if (node.network().count_evaluated(count) > max_elements_of_model) return false;
  ConstantNode constants(node);
  return set_outputs(node, found->second(constants));
}

}  // namespace parconv
