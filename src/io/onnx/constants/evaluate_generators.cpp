// SPDX-License-Identifier: Apache-2.0
// Operators that make elements from sizes.
#include <cmath>

#include "io/onnx/constants/constant_node.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Floats remain a fill, which its reader makes.
Evaluated constant_of_shape(ConstantNode& node) {
  const Dims dims = node.integers(0, "the shape");
  const onnx::TensorProto* tensor = node.attributes().get_tensor("value");
  ConstantTensor value = real_tensor({0}, {1}, onnx::TensorProto::FLOAT);
  if (tensor != nullptr) value = loaded(read_tensor(*tensor, node.reader().network().model_path(), "attribute value"));
  if (value.count() != 1) node.refuse(concat("attribute value has ", value.count(), " elements, expected one"));
  if (!value.is_integer()) return {};
  const index_t count = node.checked_count(dims);
  return {taken(value, Sources(static_cast<std::size_t>(count), 0), dims)};
}

Evaluated eye_like(ConstantNode& node) {
  const Dims& dims = node.input(0).dims;
  const auto type = static_cast<int>(node.attributes().get_int("dtype", node.input(0).type));
  const index_t diagonal = node.attributes().get_int("k", 0);
  if (dims.size() != 2 || !is_evaluated_type(type)) return {};
  std::vector<double> values;
  for (index_t row = 0; row < dims[0]; ++row)
    for (index_t column = 0; column < dims[1]; ++column) values.push_back(column - row == diagonal ? 1 : 0);
  const ConstantTensor zeros = loaded(OnnxConstant{.type = type});
  if (!zeros.is_integer()) return {real_tensor(values, dims, type)};
  return {integer_tensor({values.begin(), values.end()}, dims, type)};
}

index_t steps_of(const ConstantNode& node, double count) {
  if (!(count < static_cast<double>(max_evaluated_elements))) node.refuse(concat("makes a range of ", count, " elements"));
  return static_cast<index_t>(std::max(count, 0.0));
}

Evaluated range(ConstantNode& node) {
  node.reader().expect_inputs(3, 3);
  const ConstantTensor &start = node.input(0), &limit = node.input(1), &delta = node.input(2);
  for (const ConstantTensor* each : {&start, &limit, &delta})
    if (each->count() != 1 || each->type != start.type) node.refuse("start, limit and delta are not three numbers of one type");
  const double first = reals(start)[0], step = reals(delta)[0];
  if (step == 0) node.refuse("has a step of 0");
  const index_t count = steps_of(node, std::ceil((reals(limit)[0] - first) / step));
  if (start.is_integer()) {
    Dims values;
    for (index_t k = 0; k < count; ++k) values.push_back(checked_add(start.integers()[0], checked_mul(k, delta.integers()[0])));
    return {integer_tensor(std::move(values), {count}, start.type)};
  }
  std::vector<double> values;
  for (index_t k = 0; k < count; ++k) values.push_back(first + static_cast<double>(k) * step);
  return {real_tensor(values, {count}, start.type)};
}

constexpr EvaluationRow rows[]{
    {"ConstantOfShape", constant_of_shape},
    {"EyeLike", eye_like},
    {"Range", range},
};

}  // namespace

std::span<const EvaluationRow> generator_evaluations() { return rows; }

}  // namespace parconv
