// SPDX-License-Identifier: Apache-2.0
// Mutations of nodes and attributes.
#include <array>

#include "fuzz/hostile_values.hpp"
#include "fuzz/model_mutator.hpp"
#include "onnx/onnx_pb.h"

namespace parconv::test {
namespace {

using onnx::AttributeProto;
using onnx::ModelProto;
using onnx::NodeProto;

NodeProto* any_node(ModelProto& model, Random& random) { return any_of(model.mutable_graph()->mutable_node(), random); }

std::string any_op_type(Random& random) {
  static constexpr std::array names{"Conv",       "ConvTranspose", "MaxPool",    "AveragePool",
                                    "Gemm",       "MatMul",        "Add",        "Mul",
                                    "Concat",     "Reshape",       "Flatten",    "Resize",
                                    "Slice",      "Pad",           "Softmax",    "BatchNormalization",
                                    "ReduceMean", "Gather",        "Shape",      "Cast",
                                    "Constant",   "Identity",      "Dropout",    "ConstantOfShape",
                                    "If",         "Loop",          "Unsqueeze",  "InstanceNormalization",
                                    "Upsample",   "Squeeze",       "LSTM",       "GlobalAveragePool",
                                    "Transpose",  "Clip",          "PRelu",      "LayerNormalization",
                                    "Split",      "Scan",          "LogSoftmax", "GroupNormalization"};
  return names[static_cast<std::size_t>(random.integer(0, names.size() - 1))];
}

/// The name of a random value of the graph.
std::string any_value_name(ModelProto& model, Random& random) {
  const NodeProto* node = any_node(model, random);
  if (node == nullptr || random.once_in(8)) return hostile_string(random);
  const auto& names = random.once_in(2) && node->output_size() > 0 ? node->output() : node->input();
  return names.empty() ? std::string() : names[static_cast<int>(random.integer(0, names.size() - 1))];
}

void drop_or_repeat(onnx::GraphProto& graph, Random& random) {
  const int at = static_cast<int>(random.integer(0, graph.node_size() - 1));
  if (random.once_in(2)) {
    graph.mutable_node()->DeleteSubrange(at, 1);
    return;
  }
  const NodeProto copy = graph.node(at);
  *graph.add_node() = copy;
}

void swap_nodes(onnx::GraphProto& graph, Random& random) {
  const index_t last = graph.node_size() - 1;
  graph.mutable_node()->SwapElements(static_cast<int>(random.integer(0, last)), static_cast<int>(random.integer(0, last)));
}

void rename_input(ModelProto& model, NodeProto& node, Random& random) {
  if (std::string* name = any_of(node.mutable_input(), random)) *name = any_value_name(model, random);
}

void rename_output(ModelProto& model, NodeProto& node, Random& random) {
  if (std::string* name = any_of(node.mutable_output(), random)) *name = any_value_name(model, random);
}

void change_number_of_inputs(ModelProto& model, NodeProto& node, Random& random) {
  if (random.once_in(2) && node.input_size() > 0)
    node.mutable_input()->RemoveLast();
  else
    node.add_input(any_value_name(model, random));
}

AttributeProto* any_attribute(NodeProto& node, Random& random) { return any_of(node.mutable_attribute(), random); }

void change_integers(AttributeProto& attribute, Random& random) {
  if (attribute.ints_size() == 0) {
    attribute.set_i(hostile_integer(random));
    return;
  }
  switch (random.integer(0, 4)) {
    case 0:
      attribute.mutable_ints()->RemoveLast();
      return;
    case 1:
      attribute.add_ints(hostile_integer(random));
      return;
    default:
      attribute.set_ints(static_cast<int>(random.integer(0, attribute.ints_size() - 1)), hostile_integer(random));
  }
}

void change_value(AttributeProto& attribute, Random& random) {
  switch (attribute.type()) {
    case AttributeProto::FLOAT:
      return attribute.set_f(hostile_float(random));
    case AttributeProto::FLOATS:
      return attribute.add_floats(hostile_float(random));
    case AttributeProto::STRING:
      return attribute.set_s(hostile_string(random));
    default:
      return change_integers(attribute, random);
  }
}

void add_attribute(NodeProto& node, Random& random) {
  static constexpr std::array names{
      "strides",           "dilations", "pads",         "group", "kernel_shape", "auto_pad",      "axis",      "axes",
      "output_padding",    "ceil_mode", "output_shape", "alpha", "epsilon",      "perm",          "keepdims",  "num_groups",
      "count_include_pad", "to",        "is_test",      "mode",  "scales",       "storage_order", "allowzero", "then_branch"};
  AttributeProto* attribute = node.add_attribute();
  attribute->set_name(names[static_cast<std::size_t>(random.integer(0, names.size() - 1))]);
  if (random.once_in(2)) {
    attribute->set_type(AttributeProto::INT);
    attribute->set_i(hostile_integer(random));
    return;
  }
  attribute->set_type(AttributeProto::INTS);
  for (index_t count = random.integer(0, 6); count > 0; --count) attribute->add_ints(hostile_integer(random));
}

/// Nests a graph in a graph in a graph.
void nest_graphs(AttributeProto& attribute, Random& random) {
  attribute.set_type(AttributeProto::GRAPH);
  AttributeProto* at = &attribute;
  for (index_t depth = random.integer(1, 40); depth > 0; --depth) {
    NodeProto* node = at->mutable_g()->add_node();
    node->set_op_type("If");
    at = node->add_attribute();
    at->set_name("then_branch");
    at->set_type(AttributeProto::GRAPH);
  }
}

}  // namespace

void mutate_node(ModelProto& model, Random& random) {
  NodeProto* node = any_node(model, random);
  if (node == nullptr) return;
  switch (random.integer(0, 8)) {
    case 0:
      return drop_or_repeat(*model.mutable_graph(), random);
    case 1:
      return swap_nodes(*model.mutable_graph(), random);
    case 2:
      return rename_output(model, *node, random);
    case 3:
      return node->set_op_type(random.once_in(8) ? hostile_string(random) : any_op_type(random));
    case 4:
      return node->set_domain(hostile_string(random));
    case 5:
      return change_number_of_inputs(model, *node, random);
    case 6:
      return node->set_name(hostile_string(random));
    default:
      return rename_input(model, *node, random);
  }
}

void mutate_attribute(ModelProto& model, Random& random) {
  NodeProto* node = any_node(model, random);
  for (int tries = 0; tries < 8 && node != nullptr && node->attribute_size() == 0; ++tries) node = any_node(model, random);
  if (node == nullptr) return;
  AttributeProto* attribute = any_attribute(*node, random);
  if (attribute == nullptr || random.once_in(6)) return add_attribute(*node, random);
  switch (random.integer(0, 9)) {
    case 0:
      return attribute->set_name(hostile_string(random));
    case 1:
      return attribute->set_type(static_cast<AttributeProto::AttributeType>(random.integer(0, 14)));
    case 2:
      return nest_graphs(*attribute, random);
    case 3:
      return node->mutable_attribute()->RemoveLast();
    default:
      return change_value(*attribute, random);
  }
}

}  // namespace parconv::test
