// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/file/onnx_fields.hpp"

namespace parconv {
namespace {

Rule model_rule(int field) {
  switch (field) {
    case 1:  // ir_version
      return {Action::Keep};
    case 2:  // producer_name
    case 3:  // producer_version
      return {Action::Name};
    case 8:  // opset_import
      return {Action::Whole};
    case 7:
      return {Action::Enter, Message::Graph};
    case 25:
      return {Action::Enter, Message::Function};
    default:
      return {};
  }
}

Rule function_rule(int field) {
  switch (field) {
    case 1:   // name
    case 4:   // input
    case 5:   // output
    case 6:   // attribute
    case 10:  // domain
      return {Action::Name};
    case 7:
      return {Action::Enter, Message::Node};
    case 9:  // opset_import
      return {Action::Whole};
    case 11:
      return {Action::EnterDefault, Message::Attribute};
    default:
      return {};
  }
}

Rule graph_rule(int field) {
  switch (field) {
    case 1:
      return {Action::Enter, Message::Node};
    case 5:
      return {Action::Enter, Message::Tensor};  // initializer
    case 2:
      return {Action::Name};
    case 11:  // input
    case 12:  // output
      return {Action::Whole};
    case 15:
      return {Action::CountSparse};
    default:
      return {};
  }
}

Rule node_rule(int field) {
  if (field == 5) return {Action::Enter, Message::Attribute};
  return field == 6 || field == 9 ? Rule{} : Rule{Action::Name};  // documentation, and exporter metadata
}

Rule attribute_rule(int field) {
  switch (field) {
    case 1:   // name
    case 4:   // string
    case 21:  // ref_attr_name
      return {Action::Name};
    case 5:
      return {Action::Enter, Message::Tensor};
    case 6:   // a nested graph
    case 9:   // strings
    case 10:  // tensors
    case 11:  // nested graphs
    case 13:  // documentation
    case 22:  // sparse tensors
    case 23:
      return {};
    default:
      return {Action::Keep};
  }
}

Rule tensor_rule(int field) {
  switch (field) {
    case 3:
      return {Action::Refuse};  // segment
    case 4:                     // float_data
    case 9:                     // raw_data
    case 10:
      return {Action::Elements};  // double_data
    case 8:                       // name
    case 13:                      // an entry of external data
      return {Action::Name};
    case 12:  // documentation
    case 16:  // exporter metadata
      return {};
    default:
      return {Action::Keep};
  }
}

}  // namespace

Rule rule_of(Message message, int field) {
  switch (message) {
    case Message::Model:
      return model_rule(field);
    case Message::Graph:
      return graph_rule(field);
    case Message::Function:
      return function_rule(field);
    case Message::Node:
      return node_rule(field);
    case Message::Attribute:
      return attribute_rule(field);
    case Message::Tensor:
      return tensor_rule(field);
  }
  return {};
}

}  // namespace parconv
