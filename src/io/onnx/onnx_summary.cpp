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
    if (dim.has_dim_value())
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

/// Reads the model as far as possible and records the problem of each rejected node.
class Trial {
 public:
  Trial(const OnnxContents& contents, const ReadOptions& options) : reading_(contents) { reading_.begin(options); }

  std::unordered_map<const onnx::NodeProto*, std::string> run() {
    for (const onnx::NodeProto* node : reading_.graph().nodes)
      if (!try_node(*node)) unknown_.insert(node->output().begin(), node->output().end());
    if (problems_.empty() && unknown_.empty()) validate(reading_.finish());
    return std::move(problems_);
  }

 private:
  bool try_node(const onnx::NodeProto& node) {
    const auto is_unknown = [&](const std::string& input) { return unknown_.contains(input); };
    if (std::any_of(node.input().begin(), node.input().end(), is_unknown) || !unsupported_reason(node).empty()) return false;
    try {
      reading_.read_node(node);
      return true;
    } catch (const Error& error) {
      problems_[&node] = error.what();
      return false;
    }
  }

  ModelReading reading_;
  std::unordered_set<std::string> unknown_{};
  std::unordered_map<const onnx::NodeProto*, std::string> problems_{};
};

void try_reading(const OnnxContents& contents, const ReadOptions& options, ModelSummary& summary) {
  try {
    summary.num_parameters = count_parameters(contents.proto.graph());
    const auto problems = Trial(contents, options).run();
    int k = 0;
    for (NodeSummary& node : summary.nodes)
      if (const auto found = problems.find(&contents.proto.graph().node(k++)); found != problems.end())
        node.problem = found->second;
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
