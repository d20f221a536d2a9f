// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/onnx/onnx_reader.hpp"

#include <algorithm>

#include "io/onnx/constants/fold.hpp"
#include "io/onnx/onnx_reading.hpp"
#include "io/onnx/ops/onnx_ops.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Newest supported opset; later versions may change the meaning of operators.
constexpr index_t max_opset = 30;
constexpr index_t max_ir_version = 30;

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

void check_newest(const char* what, index_t version, index_t newest) {
  if (version <= newest) return;
  throw Error(ExitCode::BadData, concat("the model has ", what, " ", version, ", but the newest supported is ", newest));
}

constexpr const char* opset_hint = "convert the model with onnx.version_converter, or export it again";

index_t opset_of(const OnnxGraph& graph, const onnx::NodeProto& node, index_t otherwise) {
  const auto found = graph.opsets.find(&node);
  return found == graph.opsets.end() ? otherwise : found->second;
}

void check_oldest(const onnx::NodeProto& node, index_t opset) {
  check_newest("operator set", opset, max_opset);
  if (const index_t oldest = oldest_opset(node.op_type()); opset < oldest && unsupported_reason(node).empty())
    throw Error(ExitCode::BadData,
                concat(label_of(node), ": the model uses operator set ", opset, ", but the oldest supported here is ", oldest),
                opset_hint);
}

/// Checks that every operator has its present semantics in the model's opset.
index_t checked_opset(const OnnxContents& contents, const OnnxGraph& graph) {
  const index_t opset = opset_of(contents);
  check_newest("IR version", contents.proto.ir_version(), max_ir_version);
  check_newest("operator set", opset, max_opset);
  if (opset < 1) throw Error(ExitCode::BadData, "the model does not state its operator set", opset_hint);
  for (const onnx::NodeProto* node : graph.nodes) check_oldest(*node, opset_of(graph, *node, opset));
  return opset;
}

}  // namespace

std::string unsupported_reason(const onnx::NodeProto& node) {
  if (!is_default_domain(node.domain())) return concat("operator domain '", node.domain(), "' is not supported");
  const bool is_known = find_operator(node.op_type()) != nullptr || is_foldable(node.op_type());
  return is_known ? std::string() : concat("operator ", node.op_type(), " is not supported");
}

index_t opset_of(const OnnxContents& contents) {
  for (const onnx::OperatorSetIdProto& opset : contents.proto.opset_import())
    if (is_default_domain(opset.domain())) return opset.version();
  return 0;
}

ModelReading::ModelReading(const OnnxContents& contents)
    : contents_(contents), graph_(index_graph(contents)), network_(contents, graph_), types_(graph_) {
  context_.opset = checked_opset(contents, graph_);
}

void ModelReading::begin(const ReadOptions& options) {
  const ResolvedInputs resolved = resolve_inputs(graph_, options);
  context_.batch = resolved.batch;
  context_.model_batch = resolved.model_batch;
  for (const ResolvedInput& input : resolved.inputs) network_.add_input(input.name, input.shape);
}

bool ModelReading::is_unknown(const std::string& name) const { return unknown_.contains(name); }

void ModelReading::refuse(const onnx::NodeProto& node, NodeProblem problem) {
  problems_.push_back(std::move(problem));
  unknown_.insert(node.output().begin(), node.output().end());
}

void ModelReading::read_nodes() {
  for (const onnx::NodeProto* node : graph_.nodes) {
    const std::string reason = unsupported_reason(*node);
    if (!reason.empty()) {
      refuse(*node, problem_of(*node, reason, concat("supported operators are ", supported_operators())));
    } else if (std::any_of(node->input().begin(), node->input().end(), [&](const auto& name) { return is_unknown(name); })) {
      unknown_.insert(node->output().begin(), node->output().end());
    } else {
      try_node(*node);
    }
  }
}

void ModelReading::try_node(const onnx::NodeProto& node) {
  try {
    read_node(node);
  } catch (const Error& error) {
    if (error.code() != ExitCode::BadData) throw;
    refuse(node, problem_of(node, error));
  }
}

void ModelReading::read_node(const onnx::NodeProto& node) {
  const ReadOperator read = find_operator(node.op_type());
  ReadContext context = context_;
  context.opset = opset_of(graph_, node, context_.opset);
  NodeReader reader(node, context, network_);
  if (!fold(reader)) {
    if (read == nullptr)
      reader.refuse("is supported only on constants and sizes, which are known when the model is read",
                    "an input of it depends on the data, or is too large");
    types_.follow(node, network_);
    read(reader);
  }
  reader.expect_outputs_made();
  reader.attributes().expect_none_left();
}

Network ModelReading::finish() {
  for (const onnx::ValueInfoProto& output : contents_.proto.graph().output()) network_.add_output(output.name());
  return network_.take(contents_.proto.graph().name());
}

std::vector<ModelInput> inputs_of(const OnnxModel& model) {
  const OnnxGraph graph = index_graph(model.contents());
  std::vector<ModelInput> inputs;
  for (const onnx::ValueInfoProto* input : graph.inputs)
    if (graph.is_used(input->name()))
      inputs.push_back({.name = input->name(), .ndims = input->type().tensor_type().shape().dim_size()});
  if (inputs.empty()) throw Error(ExitCode::BadData, "the model has no inputs");
  return inputs;
}

Network read_network(const OnnxModel& model, const ReadOptions& options) {
  ModelReading reading(model.contents());
  reading.begin(options);
  reading.read_nodes();
  if (!reading.problems().empty()) throw error_of(reading.problems());
  Network network = reading.finish();
  validate(network);
  return network;
}

}  // namespace parconv
