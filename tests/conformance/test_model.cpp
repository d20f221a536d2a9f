// SPDX-License-Identifier: Apache-2.0
#include "conformance/test_model.hpp"

#include <algorithm>
#include <fstream>

#include "io/onnx/file/onnx_tensor.hpp"
#include "onnx/onnx_pb.h"
#include "parconv/core/error.hpp"
#include "parconv/io/constants.hpp"

namespace parconv::test {
namespace {

template <class Message>
bool parse(const std::filesystem::path& path, Message& message) {
  std::ifstream file(path, std::ios::binary);
  return file && message.ParseFromIstream(&file);
}

template <class Message>
Message parsed(const std::filesystem::path& path) {
  Message message;
  if (!parse(path, message)) throw Error(ExitCode::BadData, concat("'", path.string(), "' cannot be read"));
  return message;
}

TestTensor tensor_of(const onnx::TensorProto& proto, const std::string& name) {
  const OnnxConstant constant = read_tensor(proto, "", concat("the data of '", name, "'"));
  return {.name = name, .dims = constant.dims, .values = read_constant(constant.data), .type = constant.data.type};
}

/// The suite stores bfloat16 bit patterns as uint16, since NumPy has no bfloat16.
onnx::TensorProto tensor_proto(const onnx::ValueInfoProto& info, const std::filesystem::path& path) {
  if (!info.type().has_tensor_type()) throw Error(ExitCode::BadData, concat("the data of '", info.name(), "' is not a tensor"));
  auto proto = parsed<onnx::TensorProto>(path);
  const bool is_bits = info.type().tensor_type().elem_type() == onnx::TensorProto::BFLOAT16;
  if (is_bits && proto.data_type() == onnx::TensorProto::UINT16) proto.set_data_type(onnx::TensorProto::BFLOAT16);
  return proto;
}

}  // namespace

struct TestModel::Contents {
  onnx::ModelProto model{};
  std::filesystem::path data{};
  std::vector<std::string> input_names{};
  std::vector<onnx::ValueInfoProto> inputs{};

  onnx::TensorProto input(std::size_t k) const { return tensor_proto(inputs[k], data / concat("input_", k, ".pb")); }
};

TestModel::TestModel(const SuiteCase& suite_case) {
  auto contents = std::make_shared<Contents>();
  contents->model = parsed<onnx::ModelProto>(suite_case.model);
  contents->data = suite_case.data;
  std::set<std::string> initialized;
  for (const onnx::TensorProto& tensor : contents->model.graph().initializer()) initialized.insert(tensor.name());
  for (const onnx::ValueInfoProto& input : contents->model.graph().input()) {
    if (initialized.contains(input.name())) continue;
    contents->inputs.push_back(input);
    contents->input_names.push_back(input.name());
  }
  contents_ = std::move(contents);
}

const std::vector<std::string>& TestModel::input_names() const { return contents_->input_names; }

bool TestModel::is_tensor(std::size_t k) const { return contents_->inputs[k].type().has_tensor_type(); }

TestTensor TestModel::input(std::size_t k) const { return tensor_of(contents_->input(k), input_names()[k]); }

std::vector<TestTensor> TestModel::expected_outputs() const {
  std::vector<TestTensor> outputs;
  for (const onnx::ValueInfoProto& info : contents_->model.graph().output()) {
    const std::string file = concat("output_", outputs.size(), ".pb");
    outputs.push_back(tensor_of(tensor_proto(info, contents_->data / file), info.name()));
  }
  return outputs;
}

void TestModel::save(const std::string& path, const std::set<std::size_t>& constants) const {
  onnx::ModelProto model = contents_->model;
  onnx::GraphProto& graph = *model.mutable_graph();
  for (const std::size_t k : constants) {
    const std::string& name = input_names()[k];
    onnx::TensorProto& tensor = *graph.add_initializer();
    tensor = contents_->input(k);
    tensor.set_name(name);
    auto& inputs = *graph.mutable_input();
    inputs.erase(std::find_if(inputs.begin(), inputs.end(), [&](const auto& input) { return input.name() == name; }));
  }
  std::ofstream file(path, std::ios::binary);
  if (!model.SerializeToOstream(&file)) throw Error(ExitCode::Io, concat("cannot write '", path, "'"));
}

}  // namespace parconv::test
