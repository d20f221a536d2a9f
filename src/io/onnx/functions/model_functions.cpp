// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/functions/function_body.hpp"
#include "parconv/core/error.hpp"

namespace parconv {

index_t FunctionBody::opset() const {
  for (const onnx::OperatorSetIdProto& opset : proto.opset_import())
    if (domain_of(opset.domain()).empty()) return opset.version();
  return 0;
}

std::string domain_of(const std::string& name) { return name == "ai.onnx" ? std::string() : name; }

ModelFunctions::ModelFunctions(OnnxContents& contents) {
  for (int k = 0; k < contents.proto.functions_size(); ++k) {
    auto body = std::make_shared<FunctionBody>();
    body->proto = std::move(*contents.proto.mutable_functions(k));
    body->defaults = std::move(contents.function_defaults[static_cast<std::size_t>(k)]);
    const std::string name = body->proto.name();
    if (!functions_.try_emplace({domain_of(body->proto.domain()), name}, std::move(body)).second)
      throw Error(ExitCode::BadData, concat("the model has two functions '", name, "' of one domain"),
                  "functions with overloads are not supported");
  }
  contents.proto.clear_functions();
  contents.function_defaults.clear();
}

std::shared_ptr<const FunctionBody> ModelFunctions::find(const onnx::NodeProto& node) const {
  const auto found = functions_.find({domain_of(node.domain()), node.op_type()});
  return found == functions_.end() ? nullptr : found->second;
}

}  // namespace parconv
