// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/onnx_attributes.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

using onnx::AttributeProto;

Attributes::Attributes(const onnx::NodeProto& node, std::string label) : label_(std::move(label)) {
  for (const AttributeProto& attribute : node.attribute())
    if (!attributes_.emplace(attribute.name(), &attribute).second)
      throw Error(ExitCode::BadData, concat(label_, ": attribute ", attribute.name(), " occurs twice"));
}

bool Attributes::has(const std::string& name) {
  asked_.insert(name);
  return attributes_.contains(name);
}

const AttributeProto* Attributes::find(const std::string& name, Type type) {
  if (!has(name)) return nullptr;
  const AttributeProto* attribute = attributes_[name];
  if (attribute->type() == type) return attribute;
  throw Error(ExitCode::BadData,
              concat(label_, ": attribute ", name, " has type ", AttributeProto::AttributeType_Name(attribute->type()),
                     ", expected ", AttributeProto::AttributeType_Name(type)));
}

index_t Attributes::get_int(const std::string& name, index_t otherwise) {
  const AttributeProto* attribute = find(name, AttributeProto::INT);
  return attribute != nullptr ? attribute->i() : otherwise;
}

float Attributes::get_float(const std::string& name, float otherwise) {
  const AttributeProto* attribute = find(name, AttributeProto::FLOAT);
  return attribute != nullptr ? attribute->f() : otherwise;
}

std::string Attributes::get_string(const std::string& name, const std::string& otherwise) {
  const AttributeProto* attribute = find(name, AttributeProto::STRING);
  return attribute != nullptr ? attribute->s() : otherwise;
}

std::vector<index_t> Attributes::get_ints(const std::string& name) {
  const AttributeProto* attribute = find(name, AttributeProto::INTS);
  if (attribute == nullptr) return {};
  return {attribute->ints().begin(), attribute->ints().end()};
}

std::vector<float> Attributes::get_floats(const std::string& name) {
  const AttributeProto* attribute = find(name, AttributeProto::FLOATS);
  if (attribute == nullptr) return {};
  return {attribute->floats().begin(), attribute->floats().end()};
}

const onnx::TensorProto* Attributes::get_tensor(const std::string& name) {
  const AttributeProto* attribute = find(name, AttributeProto::TENSOR);
  return attribute != nullptr ? &attribute->t() : nullptr;
}

void Attributes::expect_none_left() const {
  for (const auto& [name, attribute] : attributes_)
    if (!asked_.contains(name))
      throw Error(ExitCode::BadData, concat(label_, ": attribute ", name, " is unknown for this operator"),
                  "the model may need a newer version of parconv");
}

}  // namespace parconv
