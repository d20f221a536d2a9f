// SPDX-License-Identifier: Apache-2.0
// The only source that uses the operator definitions of ONNX's library.
#include <exception>

#include "io/onnx/functions/function_body.hpp"
#include "onnx/defs/schema.h"

namespace parconv {
namespace {

std::vector<onnx::TypeProto> types_of(const std::vector<int>& element_types) {
  std::vector<onnx::TypeProto> types(element_types.size());
  for (std::size_t k = 0; k < types.size(); ++k) types[k].mutable_tensor_type()->set_elem_type(element_types[k]);
  return types;
}

/// A body made for the inputs and attributes of this node, or the same one for all nodes.
bool take_body(const onnx::OpSchema& schema, const onnx::NodeProto& node, const std::vector<int>& input_types,
               FunctionBody& body) {
  if (schema.HasFunction()) {
    body.proto = *schema.GetFunction();
    return true;
  }
  const onnx::FunctionBodyBuildContextImpl context(node, types_of(input_types));
  return schema.HasContextDependentFunction() && schema.BuildContextDependentFunction(context, body.proto);
}

void take_attributes(const onnx::OpSchema& schema, FunctionBody& body) {
  body.proto.clear_attribute();
  for (const auto& [name, attribute] : schema.attributes()) {
    body.proto.add_attribute(name);
    if (!attribute.default_value.name().empty()) *body.defaults.add_attribute() = attribute.default_value;
  }
}

}  // namespace

std::shared_ptr<const FunctionBody> function_of_operator(const onnx::NodeProto& node, index_t opset,
                                                         const std::vector<int>& input_types) {
  const onnx::OpSchema* schema = onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(opset), "");
  if (schema == nullptr || !(schema->HasFunction() || schema->HasContextDependentFunction())) return nullptr;
  auto body = std::make_shared<FunctionBody>();
  try {
    schema->Verify(node);
    if (!take_body(*schema, node, input_types, *body)) return nullptr;
  } catch (const std::exception&) {
    return nullptr;
  }
  take_attributes(*schema, *body);
  if (body->opset() == 0) body->proto.add_opset_import()->set_version(schema->SinceVersion());
  return body;
}

}  // namespace parconv
