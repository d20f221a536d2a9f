// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/onnx/onnx_reader.hpp"

#include "io/onnx/onnx_fold.hpp"
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

/// Checks that every operator has its present semantics in the model's opset.
index_t checked_opset(const OnnxContents& contents, const OnnxGraph& graph) {
  const char* hint = "convert the model with onnx.version_converter, or export it again";
  const index_t opset = opset_of(contents);
  check_newest("IR version", contents.proto.ir_version(), max_ir_version);
  check_newest("operator set", opset, max_opset);
  if (opset < 1) throw Error(ExitCode::BadData, "the model does not state its operator set", hint);
  for (const onnx::NodeProto* node : graph.nodes)
    if (const index_t oldest = oldest_opset(node->op_type()); opset < oldest && unsupported_reason(*node).empty())
      throw Error(ExitCode::BadData,
                  concat(label_of(*node), ": the model uses operator set ", opset, ", but the oldest supported here is ", oldest),
                  hint);
  return opset;
}

/// Reports all unsupported operators in one error, with the name of the first node.
void check_supported(const OnnxGraph& graph) {
  constexpr int max_listed = 20;
  std::string problems;
  int count = 0;
  for (const onnx::NodeProto* node : graph.nodes) {
    const std::string reason = unsupported_reason(*node);
    if (reason.empty() || ++count > max_listed) continue;
    problems += concat(count == 1 ? "" : "; ", label_of(*node), ": ", reason);
  }
  if (count > max_listed) problems += concat("; and ", count - max_listed, " more");
  if (count > 0)
    throw Error(ExitCode::BadData, concat(count, count == 1 ? " node is" : " nodes are", " not supported: ", problems),
                concat("supported operators are ", supported_operators()));
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

void ModelReading::read_node(const onnx::NodeProto& node) {
  const ReadOperator read = find_operator(node.op_type());
  NodeReader reader(node, context_, network_);
  if (!fold(reader)) {
    if (read == nullptr)
      reader.refuse("is supported only on shapes and short constants, which are known when the model is read",
                    "its input depends on the data, or is too long");
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
  check_supported(reading.graph());
  reading.begin(options);
  for (const onnx::NodeProto* node : reading.graph().nodes) reading.read_node(*node);
  Network network = reading.finish();
  validate(network);
  return network;
}

}  // namespace parconv
