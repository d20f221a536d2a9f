// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/onnx/onnx_summary.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "io/onnx/onnx_reading.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

std::vector<std::string> dims_text(const onnx::ValueInfoProto& info) {
  std::vector<std::string> dims;
  for (const auto& dim : info.type().tensor_type().shape().dim()) {
    if (dim.has_dim_value() && dim.dim_value() >= 0)
      dims.push_back(std::to_string(dim.dim_value()));
    else
      dims.push_back(dim.dim_param().empty() ? "?" : dim.dim_param());
  }
  return dims;
}

TensorSummary tensor_summary(const onnx::ValueInfoProto& info) {
  return {.name = info.name(), .type = type_name(info.type().tensor_type().elem_type()), .dims = dims_text(info)};
}

/// Inputs without an initializer.
std::vector<TensorSummary> input_summaries(const onnx::GraphProto& graph) {
  std::unordered_set<std::string> initialized;
  for (const onnx::TensorProto& tensor : graph.initializer()) initialized.insert(tensor.name());
  std::vector<TensorSummary> inputs;
  for (const onnx::ValueInfoProto& input : graph.input())
    if (!initialized.contains(input.name())) inputs.push_back(tensor_summary(input));
  return inputs;
}

index_t count_parameters(const onnx::GraphProto& graph) {
  index_t sum = 0;
  for (const onnx::TensorProto& tensor : graph.initializer())
    sum = checked_add(sum, count_of({tensor.dims().begin(), tensor.dims().end()}, concat("initializer '", tensor.name(), "'")),
                      "parameters of the model");
  return sum;
}

void try_reading(const OnnxContents& contents, const ReadOptions& options, ModelSummary& summary) {
  try {
    summary.num_parameters = count_parameters(contents.proto.graph());
    ModelReading reading(contents);
    reading.begin(options);
    reading.read_nodes();
    std::unordered_map<const onnx::NodeProto*, std::string> causes;
    for (const NodeProblem& problem : reading.problems()) causes[problem.node] = problem.cause;
    int k = 0;
    for (NodeSummary& node : summary.nodes)
      if (const auto found = causes.find(&contents.proto.graph().node(k++)); found != causes.end()) node.problem = found->second;
    if (causes.empty()) validate(reading.finish());
  } catch (const Error& error) {
    summary.problem = error.what();
  }
}

}  // namespace

bool ModelSummary::is_supported() const {
  return problem.empty() && std::all_of(nodes.begin(), nodes.end(), [](const NodeSummary& node) { return node.problem.empty(); });
}

ModelSummary summarize(const OnnxModel& model, const ReadOptions& options) {
  const OnnxContents& contents = model.contents();
  const onnx::GraphProto& graph = contents.proto.graph();
  ModelSummary summary{.path = contents.path,
                       .name = graph.name(),
                       .producer = contents.proto.producer_name(),
                       .ir_version = contents.proto.ir_version(),
                       .opset = opset_of(contents)};
  if (!contents.proto.producer_version().empty()) summary.producer += " " + contents.proto.producer_version();
  summary.inputs = input_summaries(graph);
  for (const onnx::ValueInfoProto& output : graph.output()) summary.outputs.push_back(tensor_summary(output));
  for (const onnx::NodeProto& node : graph.node())
    summary.nodes.push_back({.name = name_of(node), .op_type = node.op_type(), .problem = unsupported_reason(node)});
  try_reading(contents, options, summary);
  return summary;
}

}  // namespace parconv
