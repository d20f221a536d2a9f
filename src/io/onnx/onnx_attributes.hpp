// SPDX-License-Identifier: Apache-2.0
// Typed attributes of an ONNX node, with a check that all were used.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "onnx/onnx_pb.h"
#include "parconv/core/types.hpp"

namespace parconv {

/// Attributes by name. Every getter marks the name as known, and `expect_none_left` rejects the others, so no attribute is
/// silently ignored. Throws Error(BadData) naming the node and the attribute.
class Attributes {
 public:
  /// `label` names the node in messages. `node` must outlive this. Throws if an attribute occurs twice.
  Attributes(const onnx::NodeProto& node, std::string label);

  bool has(const std::string& name);
  index_t get_int(const std::string& name, index_t otherwise);
  float get_float(const std::string& name, float otherwise);
  std::string get_string(const std::string& name, const std::string& otherwise);
  /// Empty if the attribute is absent.
  std::vector<index_t> get_ints(const std::string& name);
  std::vector<float> get_floats(const std::string& name);
  /// Null if the attribute is absent.
  const onnx::TensorProto* get_tensor(const std::string& name);

  /// Marks an attribute without effect on the result as known.
  void ignore(const std::string& name) { asked_.insert(name); }

  /// Throws if an attribute is not known.
  void expect_none_left() const;

 private:
  using Type = onnx::AttributeProto::AttributeType;

  const onnx::AttributeProto* find(const std::string& name, Type type);

  std::string label_;
  std::map<std::string, const onnx::AttributeProto*> attributes_{};
  std::set<std::string> asked_{};
};

}  // namespace parconv
