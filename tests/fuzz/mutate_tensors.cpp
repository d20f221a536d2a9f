// SPDX-License-Identifier: Apache-2.0
// Mutations of tensors and of a model's declarations.
#include <cstring>

#include "fuzz/hostile_values.hpp"
#include "fuzz/model_mutator.hpp"
#include "onnx/onnx_pb.h"

namespace parconv::test {
namespace {

using onnx::ModelProto;
using onnx::TensorProto;
using onnx::ValueInfoProto;

/// A random initializer or the tensor of a Constant node.
TensorProto* any_tensor(ModelProto& model, Random& random) {
  onnx::GraphProto& graph = *model.mutable_graph();
  for (int tries = 0; tries < 4 && (random.once_in(3) || graph.initializer_size() == 0); ++tries) {
    onnx::NodeProto* node = any_of(graph.mutable_node(), random);
    onnx::AttributeProto* attribute = node == nullptr ? nullptr : any_of(node->mutable_attribute(), random);
    if (attribute != nullptr && attribute->has_t()) return attribute->mutable_t();
  }
  return any_of(graph.mutable_initializer(), random);
}

void change_dims(google::protobuf::RepeatedField<std::int64_t>& dims, Random& random) {
  if (dims.empty() || random.once_in(6)) return dims.Add(hostile_integer(random));
  if (random.once_in(6)) return dims.RemoveLast();
  dims.Set(static_cast<int>(random.integer(0, dims.size() - 1)), hostile_integer(random));
}

void change_raw_data(TensorProto& tensor, Random& random) {
  std::string& raw = *tensor.mutable_raw_data();
  const auto size = static_cast<index_t>(raw.size());
  switch (random.integer(0, 3)) {
    case 0:
      return raw.resize(static_cast<std::size_t>(random.integer(0, size)));
    case 1:
      return raw.resize(static_cast<std::size_t>(size + random.integer(1, 5000)));
    case 2: {
      const float value = hostile_float(random);
      for (std::size_t at = 0; at + sizeof(value) <= raw.size(); at += sizeof(value))
        std::memcpy(&raw[at], &value, sizeof(value));
      return;
    }
    default: {
      const index_t value = hostile_integer(random);
      for (std::size_t at = 0; at + sizeof(value) <= raw.size(); at += sizeof(value))
        std::memcpy(&raw[at], &value, sizeof(value));
    }
  }
}

void move_outside(TensorProto& tensor, Random& random) {
  tensor.set_data_location(TensorProto::EXTERNAL);
  tensor.clear_raw_data();
  const auto entry = [&](const char* key, const std::string& value) {
    auto* pair = tensor.add_external_data();
    pair->set_key(key);
    pair->set_value(value);
  };
  entry("location", random.once_in(2) ? hostile_string(random) : "weights.bin");
  if (random.once_in(2)) entry("offset", std::to_string(hostile_integer(random)));
  if (random.once_in(2)) entry("length", std::to_string(hostile_integer(random)));
}

void rename_tensors(onnx::GraphProto& graph, Random& random) {
  TensorProto* first = any_of(graph.mutable_initializer(), random);
  TensorProto* second = any_of(graph.mutable_initializer(), random);
  if (first == nullptr) return;
  if (random.once_in(4)) return first->set_name(hostile_string(random));
  std::swap(*first->mutable_name(), *second->mutable_name());
}

void drop_or_repeat_tensor(onnx::GraphProto& graph, Random& random) {
  if (graph.initializer_size() == 0) return;
  const int at = static_cast<int>(random.integer(0, graph.initializer_size() - 1));
  if (random.once_in(2)) {
    graph.mutable_initializer()->DeleteSubrange(at, 1);
    return;
  }
  const TensorProto copy = graph.initializer(at);
  *graph.add_initializer() = copy;
}

void change_value_info(ValueInfoProto& value, Random& random) {
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  switch (random.integer(0, 5)) {
    case 0:
      return value.set_name(hostile_string(random));
    case 1:
      return tensor.set_elem_type(static_cast<int>(random.integer(0, 20)));
    case 2:
      return tensor.clear_shape();
    case 3:
      return value.mutable_type()->mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type()->set_elem_type(1);
    case 4:
      tensor.mutable_shape()->add_dim()->set_dim_value(hostile_integer(random));
      return;
    default:
      if (auto* dim = any_of(tensor.mutable_shape()->mutable_dim(), random)) dim->set_dim_value(hostile_integer(random));
  }
}

void change_outputs(onnx::GraphProto& graph, Random& random) {
  if (random.once_in(4)) return graph.clear_output();
  ValueInfoProto* output = graph.add_output();
  if (random.once_in(2) && graph.input_size() > 0) return output->set_name(graph.input(0).name());
  if (random.once_in(2) && graph.initializer_size() > 0) return output->set_name(graph.initializer(0).name());
  if (random.once_in(2) && graph.output_size() > 1) return output->set_name(graph.output(0).name());
  const onnx::NodeProto* node = any_of(graph.mutable_node(), random);
  output->set_name(node != nullptr && node->output_size() > 0 ? node->output(0) : hostile_string(random));
}

void change_inputs(onnx::GraphProto& graph, Random& random) {
  if (random.once_in(4)) return graph.clear_input();
  ValueInfoProto* added = graph.add_input();
  if (graph.input_size() > 1 && random.once_in(2)) added->CopyFrom(graph.input(0));
  if (graph.initializer_size() > 0 && random.once_in(2)) added->set_name(graph.initializer(0).name());
}

}  // namespace

void mutate_tensor(ModelProto& model, Random& random) {
  TensorProto* tensor = any_tensor(model, random);
  if (tensor == nullptr) return;
  switch (random.integer(0, 8)) {
    case 0:
      return tensor->set_data_type(static_cast<int>(random.integer(-1, 20)));
    case 1:
      return move_outside(*tensor, random);
    case 2:
      return rename_tensors(*model.mutable_graph(), random);
    case 3:
      return drop_or_repeat_tensor(*model.mutable_graph(), random);
    case 4:
    case 5:
      return change_raw_data(*tensor, random);
    case 6:
      return tensor->add_float_data(hostile_float(random));
    default:
      return change_dims(*tensor->mutable_dims(), random);
  }
}

void mutate_interface(ModelProto& model, Random& random) {
  onnx::GraphProto& graph = *model.mutable_graph();
  ValueInfoProto* input = any_of(graph.mutable_input(), random);
  switch (random.integer(0, 9)) {
    case 0:
      return model.set_ir_version(hostile_integer(random));
    case 1:
      model.mutable_opset_import()->Clear();
      model.add_opset_import()->set_version(random.integer(0, 30));
      return;
    case 2:
      if (auto* opset = any_of(model.mutable_opset_import(), random)) opset->set_version(hostile_integer(random));
      return;
    case 3:
      return change_outputs(graph, random);
    case 4:
      return change_inputs(graph, random);
    case 5:
      return graph.set_name(hostile_string(random));
    default:
      if (input != nullptr) change_value_info(*input, random);
  }
}

}  // namespace parconv::test
