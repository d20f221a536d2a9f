// SPDX-License-Identifier: Apache-2.0
// Element types of ONNX values. parconv computes in f32, which represents integers of up to 24 bits exactly: integer values may
// be moved, selected and compared, but not used in arithmetic, as ONNX integers wrap around and truncate in division.
#pragma once

#include <string>
#include <unordered_map>

#include "io/onnx/onnx_builder.hpp"

namespace parconv {

/// float, double, float16, bfloat16.
bool is_float_type(int onnx_type);

/// True for types representable in f32: all float types (rounded), bool, and integers of 8 and 16 bits.
bool is_held_by_f32(int onnx_type);

/// Element type of a value. `range` bounds integers and bool; floats have none.
struct ElementType {
  int type = onnx::TensorProto::FLOAT;
  Interval range{};
};

/// Element types of all values, propagated node by node.
class ElementTypes {
 public:
  explicit ElementTypes(const OnnxGraph& graph);

  /// Notes the types of what `node` makes. Throws Error(BadData) naming the node and its input if it would calculate with
  /// integers, or cast numbers to a type that does not hold them.
  void follow(const onnx::NodeProto& node, OnnxNetworkBuilder& network);

 private:
  ElementType type_of(const std::string& name, OnnxNetworkBuilder& network) const;
  ElementType result_of(const onnx::NodeProto& node, OnnxNetworkBuilder& network) const;

  std::unordered_map<std::string, ElementType> types_{};
};

}  // namespace parconv
