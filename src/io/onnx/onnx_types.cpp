// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/onnx_types.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using onnx::NodeProto;
using onnx::TensorProto;

/// Value range of an integer type.
template <class Integer>
constexpr Interval range_of() {
  return {static_cast<index_t>(std::numeric_limits<Integer>::min()),
          static_cast<index_t>(std::numeric_limits<Integer>::max()) + 1};
}

/// Value range of a type; empty if it is not an integer type. Clipped to index_t for 64-bit types.
Interval range_of(int type) {
  constexpr index_t huge = std::numeric_limits<index_t>::max();
  switch (type) {
    case TensorProto::BOOL:
      return {0, 2};
    case TensorProto::UINT8:
      return range_of<std::uint8_t>();
    case TensorProto::INT8:
      return range_of<std::int8_t>();
    case TensorProto::UINT16:
      return range_of<std::uint16_t>();
    case TensorProto::INT16:
      return range_of<std::int16_t>();
    case TensorProto::INT32:
      return range_of<std::int32_t>();
    case TensorProto::UINT32:
      return range_of<std::uint32_t>();
    case TensorProto::INT64:
      return {-huge, huge};
    case TensorProto::UINT64:
      return {0, huge};
    default:
      return {};
  }
}

/// Operators whose output elements are elements of their inputs.
bool keeps_elements(std::string_view op_type) {
  static const std::set<std::string_view> names{
      "Clip",  "Concat",  "DepthToSpace", "Dropout", "Expand",    "Flatten",   "Gather",    "GlobalMaxPool", "Identity",
      "Max",   "MaxPool", "Min",          "Pad",     "ReduceMax", "ReduceMin", "Relu",      "Reshape",       "Resize",
      "Slice", "Split",   "SpaceToDepth", "Squeeze", "Tile",      "Transpose", "Unsqueeze", "Upsample"};
  return names.contains(op_type);
}

/// Operators that compare elements, or calculate with values of bool.
bool compares(std::string_view op_type) {
  static const std::set<std::string_view> names{"And",  "ArgMax",      "ArgMin", "Equal", "Greater", "GreaterOrEqual",
                                                "Less", "LessOrEqual", "Not",    "Or",    "Where",   "Xor"};
  return names.contains(op_type);
}

/// Linear interpolation computes new values.
bool interpolates(const NodeProto& node) {
  return std::any_of(node.attribute().begin(), node.attribute().end(), [](const onnx::AttributeProto& attribute) {
    return attribute.name() == "mode" && attribute.s().find("linear") != std::string::npos;
  });
}

bool is_cast(const NodeProto& node) { return node.op_type() == "Cast" || node.op_type() == "CastLike"; }

int cast_target(const NodeProto& node) {
  for (const onnx::AttributeProto& attribute : node.attribute())
    if (attribute.name() == "to") return static_cast<int>(attribute.i());
  return TensorProto::UNDEFINED;
}

index_t axis_attribute(const NodeProto& node) {
  for (const onnx::AttributeProto& attribute : node.attribute())
    if (attribute.name() == "axis") return attribute.i();
  return 0;
}

/// Indices below the extent of the axis; the reader checks the axis.
ElementType index_type(const NodeProto& node, const std::vector<index_t>& dims) {
  const index_t count = std::ssize(dims), axis = axis_attribute(node);
  if (axis < -count || axis >= count) return {.type = TensorProto::INT64, .range = {0, 1}};
  return {.type = TensorProto::INT64, .range = {0, dims[static_cast<std::size_t>(axis < 0 ? axis + count : axis)]}};
}

/// Of one of two elements.
ElementType either_of(const ElementType& a, const ElementType& b) {
  if (a.range.is_empty() || b.range.is_empty()) return a.range.is_empty() ? a : b;
  return {.type = a.type, .range = {std::min(a.range.lo, b.range.lo), std::max(a.range.hi, b.range.hi)}};
}

ElementType cast_to(const NodeProto& node, const ElementType& from, int type) {
  if (is_float_type(type)) return {.type = type};
  if (type == TensorProto::BOOL && node.op_type() == "Cast") return {.type = type, .range = range_of(type)};
  if (!from.range.is_empty() && range_of(type).contains(from.range)) return {.type = type, .range = from.range};
  throw Error(
      ExitCode::BadData,
      concat(label_of(node), ": casts ", type_name(from.type), " to ", type_name(type),
             from.range.is_empty() ? ", but floats can be cast to float types only" : ", which may not represent its values"),
      "cast outside of the model, or leave values as floats");
}

void expect_no_calculation(const NodeProto& node, const std::string& input, const ElementType& type) {
  if (type.range.is_empty() || compares(node.op_type()) || (keeps_elements(node.op_type()) && !interpolates(node))) return;
  throw Error(ExitCode::BadData,
              concat(label_of(node), ": input '", input, "' has element type ", type_name(type.type),
                     "; integers can be moved, selected and compared, but not computed with"),
              "cast it to float first");
}

}  // namespace

bool is_float_type(int type) {
  return type == TensorProto::FLOAT || type == TensorProto::DOUBLE || type == TensorProto::FLOAT16 ||
         type == TensorProto::BFLOAT16;
}

bool is_held_by_f32(int type) {
  constexpr Interval exact{-(index_t{1} << 24), (index_t{1} << 24) + 1};
  return is_float_type(type) || (!range_of(type).is_empty() && exact.contains(range_of(type)));
}

ElementTypes::ElementTypes(const OnnxGraph& graph) {
  for (const onnx::ValueInfoProto* input : graph.inputs) {
    const int type = input->type().tensor_type().elem_type();
    types_[input->name()] = {.type = type, .range = range_of(type)};
  }
}

ElementType ElementTypes::type_of(const std::string& name, OnnxNetworkBuilder& network) const {
  const auto initializer = network.graph().initializers.find(name);
  if (initializer != network.graph().initializers.end()) {
    const int type = initializer->second->data_type();
    return {.type = type, .range = range_of(type)};
  }
  if (const OnnxConstant* constant = network.find_constant(name))
    return {.type = constant->type, .range = range_of(constant->type)};
  const auto known = types_.find(name);
  return known == types_.end() ? ElementType{} : known->second;
}

ElementType ElementTypes::result_of(const NodeProto& node, OnnxNetworkBuilder& network) const {
  const ElementType first = node.input_size() > 0 ? type_of(node.input(0), network) : ElementType{};
  if (node.op_type() == "CastLike" && node.input_size() > 1) return cast_to(node, first, type_of(node.input(1), network).type);
  if (is_cast(node)) return cast_to(node, first, cast_target(node));
  if (!compares(node.op_type())) return first;
  if (node.op_type() == "Where" && node.input_size() == 3)
    return either_of(type_of(node.input(1), network), type_of(node.input(2), network));
  if (node.op_type().starts_with("Arg")) return index_type(node, network.dims(node.input(0)));
  return {.type = TensorProto::BOOL, .range = range_of(TensorProto::BOOL)};
}

void ElementTypes::follow(const NodeProto& node, OnnxNetworkBuilder& network) {
  for (const std::string& input : node.input())
    if (!is_cast(node) && types_.contains(input) && network.find_constant(input) == nullptr)
      expect_no_calculation(node, input, types_[input]);
  const ElementType result = result_of(node, network);
  for (const std::string& output : node.output()) types_[output] = result;
}

}  // namespace parconv
