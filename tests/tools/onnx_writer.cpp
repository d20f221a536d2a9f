// SPDX-License-Identifier: Apache-2.0
#include "tools/onnx_writer.hpp"

#include <cstring>
#include <fstream>

#include "onnx/onnx_pb.h"
#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

template <class Number>
std::string bytes_of(const std::vector<Number>& values) {
  std::string bytes(values.size() * sizeof(Number), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

void fill_header(onnx::TensorProto& proto, const OnnxTensor& tensor) {
  proto.set_data_type(static_cast<int>(tensor.type));
  for (const index_t dim : tensor.dims) proto.add_dims(dim);
}

void fill_tensor(onnx::TensorProto& proto, const OnnxTensor& tensor) {
  fill_header(proto, tensor);
  proto.set_raw_data(tensor.bytes);
}

/// Sets an attribute from any of its value types.
struct AttributeFiller {
  onnx::AttributeProto& proto;

  void operator()(index_t value) const {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(float value) const {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(value);
  }
  void operator()(const std::vector<index_t>& values) const {
    proto.set_type(onnx::AttributeProto::INTS);
    for (const index_t value : values) proto.add_ints(value);
  }
  void operator()(const std::vector<float>& values) const {
    proto.set_type(onnx::AttributeProto::FLOATS);
    for (const float value : values) proto.add_floats(value);
  }
  void operator()(const OnnxTensor& tensor) const {
    proto.set_type(onnx::AttributeProto::TENSOR);
    fill_tensor(*proto.mutable_t(), tensor);
  }
};

void fill_info(onnx::ValueInfoProto& proto, const std::string& name, const std::vector<OnnxDim>& dims, OnnxType type) {
  proto.set_name(name);
  auto& tensor = *proto.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(static_cast<int>(type));
  for (const OnnxDim& dim : dims) {
    auto& added = *tensor.mutable_shape()->add_dim();
    if (dim.has_size) added.set_dim_value(dim.size);
    if (!dim.symbol.empty()) added.set_dim_param(dim.symbol);
  }
}

void add_entry(onnx::TensorProto& proto, const std::string& key, const std::string& value) {
  if (value.empty()) return;
  auto& entry = *proto.add_external_data();
  entry.set_key(key);
  entry.set_value(value);
}

}  // namespace

OnnxTensor float_tensor(std::vector<index_t> dims, const std::vector<float>& values) {
  return {OnnxType::Float, std::move(dims), bytes_of(values)};
}

OnnxTensor double_tensor(std::vector<index_t> dims, const std::vector<double>& values) {
  return {OnnxType::Double, std::move(dims), bytes_of(values)};
}

OnnxTensor int64_tensor(std::vector<index_t> dims, const std::vector<index_t>& values) {
  return {OnnxType::Int64, std::move(dims), bytes_of(values)};
}

OnnxTensor half_tensor(OnnxType type, std::vector<index_t> dims, const std::vector<std::uint16_t>& bits) {
  return {type, std::move(dims), bytes_of(bits)};
}

struct OnnxWriter::State {
  onnx::ModelProto model{};
  int num_names = 0;

  onnx::GraphProto& graph() { return *model.mutable_graph(); }
};

OnnxWriter::OnnxWriter(index_t opset, index_t ir_version) : state_(std::make_unique<State>()) {
  state_->model.set_ir_version(ir_version);
  state_->model.set_producer_name("parconv tests");
  state_->graph().set_name("network");
  if (opset > 0) add_opset("", opset);
}

OnnxWriter::~OnnxWriter() = default;
OnnxWriter::OnnxWriter(OnnxWriter&&) noexcept = default;
OnnxWriter& OnnxWriter::operator=(OnnxWriter&&) noexcept = default;

void OnnxWriter::add_opset(const std::string& domain, index_t version) {
  auto& opset = *state_->model.add_opset_import();
  opset.set_domain(domain);
  opset.set_version(version);
}

std::string OnnxWriter::add_input(const std::string& name, const std::vector<OnnxDim>& dims, OnnxType type) {
  fill_info(*state_->graph().add_input(), name, dims, type);
  return name;
}

void OnnxWriter::add_output(const std::string& name, const std::vector<OnnxDim>& dims) {
  fill_info(*state_->graph().add_output(), name, dims, OnnxType::Float);
}

std::string OnnxWriter::add_initializer(const std::string& name, const OnnxTensor& tensor) {
  onnx::TensorProto& proto = *state_->graph().add_initializer();
  proto.set_name(name);
  fill_tensor(proto, tensor);
  return name;
}

std::string OnnxWriter::add_float_data(const std::string& name, std::vector<index_t> dims, const std::vector<float>& values) {
  onnx::TensorProto& proto = *state_->graph().add_initializer();
  proto.set_name(name);
  fill_header(proto, {OnnxType::Float, std::move(dims), {}});
  for (const float value : values) proto.add_float_data(value);
  return name;
}

std::string OnnxWriter::add_external(const std::string& name, const OnnxTensor& tensor, const OnnxExternal& external) {
  onnx::TensorProto& proto = *state_->graph().add_initializer();
  proto.set_name(name);
  fill_header(proto, tensor);
  proto.set_data_location(onnx::TensorProto::EXTERNAL);
  add_entry(proto, "location", external.location);
  add_entry(proto, "offset", external.offset);
  add_entry(proto, "length", external.length);
  return name;
}

std::string OnnxWriter::add_node(const OnnxNode& node) {
  std::vector<std::string> outputs = node.outputs;
  if (outputs.empty()) outputs = {concat(node.op_type, "_", ++state_->num_names)};
  onnx::NodeProto& proto = *state_->graph().add_node();
  proto.set_op_type(node.op_type);
  proto.set_name(node.name.empty() ? outputs.front() : node.name);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  for (const std::string& input : node.inputs) proto.add_input(input);
  for (const std::string& output : outputs) proto.add_output(output);
  for (const OnnxAttribute& attribute : node.attributes) {
    onnx::AttributeProto& added = *proto.add_attribute();
    added.set_name(attribute.name);
    std::visit(AttributeFiller{added}, attribute.value);
  }
  return outputs.front();
}

void OnnxWriter::add_sparse_initializer() { state_->graph().add_sparse_initializer()->mutable_values()->set_name("sparse"); }

std::string OnnxWriter::serialized() const { return state_->model.SerializeAsString(); }

void OnnxWriter::save(const std::string& path) const {
  std::ofstream file(path, std::ios::binary);
  if (!state_->model.SerializeToOstream(&file) || !file.flush())
    throw Error(ExitCode::CannotCreate, concat("cannot write '", path, "'"));
}

}  // namespace parconv::test
