// Element types of the values of an ONNX graph. parconv computes in f32, which holds integers of up to 24 bits exactly: they can
// be moved, chosen from and compared, but not calculated with, since ONNX's integers wrap around and divide without a remainder.
#pragma once

#include <string>
#include <unordered_map>

#include "io/onnx_builder.hpp"

namespace parconv {

/// float, double, float16, bfloat16.
bool is_float_type(int onnx_type);

/// True for the types whose numbers f32 holds: all float types (rounded), bool, and integers of 8 and 16 bits.
bool is_held_by_f32(int onnx_type);

/// What a value holds. `range` is that of integers and of bool; floats have none.
struct ElementType {
  int type = onnx::TensorProto::FLOAT;
  Interval range{};
};

/// The types of all values, followed node by node.
class ElementTypes {
 public:
  explicit ElementTypes(const OnnxGraph& graph);

  /// Notes the types of what `node` makes. Throws Error(BadData) naming the node and its input if it would calculate with
  /// integers, or cast numbers to a type that does not hold them.
  void follow(const onnx::NodeProto& node, NetworkBuilder& network);

 private:
  ElementType type_of(const std::string& name, NetworkBuilder& network) const;
  ElementType result_of(const onnx::NodeProto& node, NetworkBuilder& network) const;

  std::unordered_map<std::string, ElementType> types_{};
};

}  // namespace parconv
