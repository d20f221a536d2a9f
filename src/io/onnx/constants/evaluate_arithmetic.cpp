// SPDX-License-Identifier: Apache-2.0
// Element by element: arithmetic, comparisons, logic, functions and casts.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "io/onnx/constants/constant_node.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using onnx::TensorProto;
using Operands = std::vector<ConstantTensor>;

Operands broadcast_inputs(ConstantNode& node) {
  std::vector<Dims> all;
  for (std::size_t k = 0; k < node.num_inputs(); ++k) all.push_back(node.input(k).dims);
  const Dims dims = node.broadcast(all);
  Operands inputs;
  for (std::size_t k = 0; k < node.num_inputs(); ++k)
    inputs.push_back(taken(node.input(k), broadcast_sources(node.input(k).dims, dims), dims));
  return inputs;
}

index_t remainder_of(index_t a, index_t b, bool has_sign_of_dividend) {
  if (b == -1) return 0;
  return has_sign_of_dividend ? a % b : (a % b + b) % b;
}

index_t power(const ConstantNode& node, index_t base, index_t exponent, const char* label) {
  if (exponent < 0) node.refuse("raises an integer to a negative power");
  if (base == 0 || base == 1) return exponent == 0 ? 1 : base;
  if (base == -1) return exponent % 2 == 0 ? 1 : -1;
  index_t result = 1;
  for (; exponent > 0; --exponent) result = checked_mul(result, base, label);
  return result;
}

index_t calculated(ConstantNode& node, index_t a, index_t b, const char* label) {
  const std::string& name = node.op_type();
  if (name == "Add" || name == "Sum") return checked_add(a, b, label);
  if (name == "Sub") return checked_add(a, checked_mul(b, -1, label), label);
  if (name == "Mul") return checked_mul(a, b, label);
  if (name == "Max") return std::max(a, b);
  if (name == "Min") return std::min(a, b);
  if (name == "Pow") return power(node, a, b, label);
  if (b == 0) node.refuse("divides by zero");
  if (name == "Mod") return remainder_of(a, b, node.attributes().get_int("fmod", 0) != 0);
  return b == -1 ? checked_mul(a, -1, label) : a / b;
}

/// NaN if one of the two is.
double extremum(double a, double b, bool is_greatest) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  return is_greatest ? std::max(a, b) : std::min(a, b);
}

double calculated(ConstantNode& node, double a, double b) {
  const std::string& name = node.op_type();
  if (name == "Add" || name == "Sum" || name == "Mean") return a + b;
  if (name == "Sub") return a - b;
  if (name == "Mul") return a * b;
  if (name == "Div") return a / b;
  if (name == "Max" || name == "Min") return extremum(a, b, name == "Max");
  if (name == "Mod") return std::fmod(a, b);
  return std::pow(a, b);
}

template <class Number, class Operation>
std::vector<Number> pairwise(const std::vector<Number>& a, const std::vector<Number>& b, Operation operation) {
  std::vector<Number> result(a.size());
  std::transform(a.begin(), a.end(), b.begin(), result.begin(), operation);
  return result;
}

ConstantTensor combined(ConstantNode& node, const ConstantTensor& a, const ConstantTensor& b) {
  const char* label = node.reader().label().c_str();
  if (a.is_integer() && b.is_integer()) {
    const auto operation = [&](index_t x, index_t y) { return calculated(node, x, y, label); };
    return integer_tensor(pairwise(a.integers(), b.integers(), operation), a.dims, a.type);
  }
  const auto operation = [&](double x, double y) { return calculated(node, x, y); };
  const std::vector<double> result = pairwise(reals(a), reals(b), operation);
  if (!a.is_integer()) return real_tensor(result, a.dims, a.type);
  return integer_tensor(std::vector<index_t>(result.begin(), result.end()), a.dims, a.type);  // Pow of an integer
}

bool has_types_of_one_kind(const Operands& inputs) {
  return std::all_of(inputs.begin(), inputs.end(), [&](const auto& each) { return each.is_integer() == inputs[0].is_integer(); });
}

Evaluated arithmetic(ConstantNode& node) {
  if (node.num_inputs() < 1) return {};
  if (node.opset() < 7 && node.attributes().has("axis")) return {};
  if (node.opset() < 7) node.attributes().ignore("broadcast");
  const Operands inputs = broadcast_inputs(node);
  const std::string& name = node.op_type();
  if (!has_types_of_one_kind(inputs) && name != "Pow") return {};
  const bool is_mod_of_reals = name == "Mod" && !inputs[0].is_integer();
  if (is_mod_of_reals && node.attributes().get_int("fmod", 0) == 0) node.refuse("is defined for floats only with fmod = 1");
  ConstantTensor result = inputs[0];
  for (std::size_t k = 1; k < inputs.size(); ++k) result = combined(node, result, inputs[k]);
  if (name == "Mean") {
    std::vector<double> values = reals(result);
    for (double& value : values) value /= static_cast<double>(inputs.size());
    result = real_tensor(values, result.dims, result.type);
  }
  return {result};
}

bool holds(std::string_view relation, double a, double b) {
  if (relation == "Equal") return a == b;
  if (relation == "Greater") return a > b;
  if (relation == "GreaterOrEqual") return a >= b;
  return relation == "Less" ? a < b : a <= b;
}

bool holds_of_integers(std::string_view relation, index_t a, index_t b) { return holds(relation, a > b ? 1 : a < b ? -1 : 0, 0); }

ConstantTensor truths(const std::vector<bool>& values, const Dims& dims) {
  return integer_tensor(std::vector<index_t>(values.begin(), values.end()), dims, TensorProto::BOOL);
}

Evaluated comparison(ConstantNode& node) {
  if (node.opset() < 7) return {};
  const Operands inputs = broadcast_inputs(node);
  if (inputs.size() != 2 || !has_types_of_one_kind(inputs)) return {};
  std::vector<bool> values(static_cast<std::size_t>(inputs[0].count()));
  if (inputs[0].is_integer()) {
    for (std::size_t k = 0; k < values.size(); ++k)
      values[k] = holds_of_integers(node.op_type(), inputs[0].integers()[k], inputs[1].integers()[k]);
  } else {
    const std::vector<double> a = reals(inputs[0]), b = reals(inputs[1]);
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = holds(node.op_type(), a[k], b[k]);
  }
  return {truths(values, inputs[0].dims)};
}

Evaluated logic(ConstantNode& node) {
  if (node.opset() < 7) return {};
  const Operands inputs = broadcast_inputs(node);
  if (inputs.size() != 2 || inputs[0].type != TensorProto::BOOL || inputs[1].type != TensorProto::BOOL) return {};
  const std::string& name = node.op_type();
  const auto operation = [&](index_t a, index_t b) -> index_t {
    if (name == "And") return a & b;
    return name == "Or" ? a | b : a ^ b;
  };
  return {integer_tensor(pairwise(inputs[0].integers(), inputs[1].integers(), operation), inputs[0].dims, TensorProto::BOOL)};
}

Evaluated negation(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  if (from.type != TensorProto::BOOL) return {};
  std::vector<index_t> values = from.integers();
  for (index_t& value : values) value = 1 - value;
  return {integer_tensor(std::move(values), from.dims, TensorProto::BOOL)};
}

double half_even(double value) {
  const double below = std::floor(value), rest = value - below;
  if (rest != 0.5) return std::round(value);
  return std::fmod(below, 2) == 0 ? below : below + 1;
}

using Function = double (*)(double);

Function function_of(std::string_view name) {
  static const std::map<std::string_view, Function> functions{
      {"Abs", [](double x) { return std::abs(x); }},
      {"Acos", [](double x) { return std::acos(x); }},
      {"Asin", [](double x) { return std::asin(x); }},
      {"Atan", [](double x) { return std::atan(x); }},
      {"Ceil", [](double x) { return std::ceil(x); }},
      {"Cos", [](double x) { return std::cos(x); }},
      {"Erf", [](double x) { return std::erf(x); }},
      {"Exp", [](double x) { return std::exp(x); }},
      {"Floor", [](double x) { return std::floor(x); }},
      {"Log", [](double x) { return std::log(x); }},
      {"Neg", [](double x) { return -x; }},
      {"Reciprocal", [](double x) { return 1 / x; }},
      {"Relu", [](double x) { return x < 0 ? 0.0 : x; }},
      {"Round", half_even},
      {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"Sign", [](double x) { return std::isnan(x) ? x : static_cast<double>((x > 0) - (x < 0)); }},
      {"Sin", [](double x) { return std::sin(x); }},
      {"Softplus", [](double x) { return std::log1p(std::exp(-std::abs(x))) + std::max(x, 0.0); }},
      {"Sqrt", [](double x) { return std::sqrt(x); }},
      {"Tan", [](double x) { return std::tan(x); }},
      {"Tanh", [](double x) { return std::tanh(x); }}};
  return functions.at(name);
}

Evaluated function(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  if (from.is_integer()) {
    const std::string& name = node.op_type();
    if (name != "Abs" && name != "Neg" && name != "Sign" && name != "Relu") return {};
    std::vector<index_t> values = from.integers();
    for (index_t& value : values) {
      if (name == "Sign")
        value = (value > 0) - (value < 0);
      else if (name == "Neg" || (name == "Abs" && value < 0))
        value = checked_mul(value, -1, node.reader().label().c_str());
      else if (name == "Relu")
        value = std::max<index_t>(value, 0);
    }
    return {integer_tensor(std::move(values), from.dims, from.type)};
  }
  std::vector<double> values = reals(from);
  std::transform(values.begin(), values.end(), values.begin(), function_of(node.op_type()));
  return {real_tensor(values, from.dims, from.type)};
}

Evaluated property(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  const bool finds_negative = node.attributes().get_int("detect_negative", 1) != 0;
  const bool finds_positive = node.attributes().get_int("detect_positive", 1) != 0;
  const bool is_for_nans = node.op_type() == "IsNaN";
  std::vector<bool> values;
  for (const double x : reals(from))
    values.push_back(is_for_nans ? std::isnan(x) : std::isinf(x) && (x > 0 ? finds_positive : finds_negative));
  return {truths(values, from.dims)};
}

Evaluated clip(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  if (from.is_integer()) {
    const auto [least, greatest] = limits_of(from.type);
    const index_t lo = node.has_input(1) ? node.integer(1, "the least value") : least;
    const index_t hi = node.has_input(2) ? node.integer(2, "the greatest value") : greatest;
    std::vector<index_t> values = from.integers();
    for (index_t& value : values) value = std::min(std::max(value, lo), hi);
    return {integer_tensor(std::move(values), from.dims, from.type)};
  }
  const auto bound = [&](std::size_t k, const char* name, double otherwise) {
    if (node.opset() < 11) return static_cast<double>(node.attributes().get_float(name, static_cast<float>(otherwise)));
    return node.has_input(k) ? reals(node.input(k)).at(0) : otherwise;
  };
  const double lo = bound(1, "min", std::numeric_limits<float>::lowest()),
               hi = bound(2, "max", std::numeric_limits<float>::max());
  const bool is_open = node.opset() >= 11;
  std::vector<double> values = reals(from);
  for (double& value : values) {
    if (!is_open || node.has_input(1)) value = std::max(value, lo);
    if (!is_open || node.has_input(2)) value = std::min(value, hi);
  }
  return {real_tensor(values, from.dims, from.type)};
}

Evaluated where(ConstantNode& node) {
  node.reader().expect_inputs(3, 3);
  const Operands inputs = broadcast_inputs(node);
  if (!inputs[0].is_integer() || inputs[1].type != inputs[2].type) return {};
  ConstantTensor result = inputs[1];
  std::visit(
      [&](auto& chosen) {
        const auto& others = std::get<std::decay_t<decltype(chosen)>>(inputs[2].numbers);
        for (std::size_t k = 0; k < chosen.size(); ++k)
          if (inputs[0].integers()[k] == 0) chosen[k] = others[k];
      },
      result.numbers);
  return {result};
}

ConstantTensor cast(const ConstantNode& node, const ConstantTensor& from, int type) {
  if (from.is_integer() && type != TensorProto::BOOL) return integer_tensor(from.integers(), from.dims, type);
  std::vector<index_t> values;
  for (const double value : reals(from)) {
    if (type != TensorProto::BOOL && !(std::abs(value) < 9e18)) node.refuse(concat("cannot convert ", value, " to an integer"));
    values.push_back(type == TensorProto::BOOL ? value != 0 : static_cast<index_t>(value));
  }
  return integer_tensor(std::move(values), from.dims, type);
}

bool is_real(int type) {
  return type == TensorProto::FLOAT || type == TensorProto::DOUBLE || type == TensorProto::FLOAT16 ||
         type == TensorProto::BFLOAT16;
}

Evaluated cast_node(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  node.attributes().ignore("saturate");  // applies to 8-bit floats only
  const auto type = node.op_type() == "CastLike" ? node.input(1).type : static_cast<int>(node.attributes().get_int("to", 0));
  if (!is_evaluated_type(type)) return {};
  if (is_real(type)) return {real_tensor(reals(from), from.dims, type)};
  return {cast(node, from, type)};
}

constexpr EvaluationRow rows[]{
    {"Abs", function},
    {"Acos", function},
    {"Add", arithmetic},
    {"And", logic},
    {"Asin", function},
    {"Atan", function},
    {"Cast", cast_node},
    {"CastLike", cast_node},
    {"Ceil", function},
    {"Clip", clip},
    {"Cos", function},
    {"Div", arithmetic},
    {"Equal", comparison},
    {"Erf", function},
    {"Exp", function},
    {"Floor", function},
    {"Greater", comparison},
    {"GreaterOrEqual", comparison},
    {"IsInf", property},
    {"IsNaN", property},
    {"Less", comparison},
    {"LessOrEqual", comparison},
    {"Log", function},
    {"Max", arithmetic},
    {"Mean", arithmetic},
    {"Min", arithmetic},
    {"Mod", arithmetic},
    {"Mul", arithmetic},
    {"Neg", function},
    {"Not", negation},
    {"Or", logic},
    {"Pow", arithmetic},
    {"Reciprocal", function},
    {"Relu", function},
    {"Round", function},
    {"Sigmoid", function},
    {"Sign", function},
    {"Sin", function},
    {"Softplus", function},
    {"Sqrt", function},
    {"Sub", arithmetic},
    {"Sum", arithmetic},
    {"Tan", function},
    {"Tanh", function},
    {"Where", where},
    {"Xor", logic},
};

}  // namespace

std::span<const EvaluationRow> arithmetic_evaluations() { return rows; }

}  // namespace parconv
