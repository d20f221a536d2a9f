// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/functions/inline.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "io/onnx/constants/fold.hpp"
#include "io/onnx/file/onnx_graph.hpp"
#include "io/onnx/functions/function_body.hpp"
#include "io/onnx/ops/onnx_ops.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using onnx::NodeProto;
using Body = std::shared_ptr<const FunctionBody>;
using Nodes = google::protobuf::RepeatedPtrField<NodeProto>;

/// Far above any real model; a function of a function of ... needs stack.
constexpr std::size_t max_depth = 64;

bool has_reader(const std::string& op_type) { return find_operator(op_type) != nullptr || is_foldable(op_type); }

index_t opset_of_model(const onnx::ModelProto& model) {
  for (const onnx::OperatorSetIdProto& opset : model.opset_import())
    if (domain_of(opset.domain()).empty()) return opset.version();
  return 0;
}

/// Names that no two callers get alike.
class UniqueNames {
 public:
  void take(const std::string& name) { taken_.insert(name); }

  std::string make(const std::string& wanted) {
    std::string name = wanted;
    while (!taken_.insert(name).second) name = concat(wanted, ".", ++numbers_[wanted] + 1);
    return name;
  }

 private:
  std::unordered_set<std::string> taken_{};
  std::unordered_map<std::string, int> numbers_{};
};

/// One call: the function, and how its names and attributes read at the caller.
struct Call {
  const NodeProto& node;
  const FunctionBody& body;
  std::string prefix{};
  std::unordered_map<std::string, std::string> names{};
  std::unordered_map<std::string, const onnx::AttributeProto*> attributes{};
};

[[noreturn]] void refuse(const NodeProto& node, const std::string& message) {
  throw Error(ExitCode::BadData, concat(label_of(node), ": ", message), "the model breaks the rules of ONNX; export it again");
}

/// Default attributes, replaced by those of the caller.
void bind_attributes(Call& call) {
  std::unordered_set<std::string> known(call.body.proto.attribute().begin(), call.body.proto.attribute().end());
  for (const onnx::AttributeProto& attribute : call.body.defaults.attribute()) {
    known.insert(attribute.name());
    call.attributes[attribute.name()] = &attribute;
  }
  for (const onnx::AttributeProto& attribute : call.node.attribute()) {
    if (!known.contains(attribute.name())) refuse(call.node, concat("the function has no attribute ", attribute.name()));
    call.attributes[attribute.name()] = &attribute;
  }
}

void expect_arguments_fit(const NodeProto& node, const onnx::FunctionProto& function) {
  if (node.input_size() > function.input_size() || node.output_size() > function.output_size())
    refuse(node, concat("calls a function of ", function.input_size(), " inputs and ", function.output_size(), " outputs with ",
                        node.input_size(), " and ", node.output_size()));
}

class Inliner {
 public:
  explicit Inliner(OnnxContents& contents)
      : contents_(contents), functions_(contents), model_opset_(opset_of_model(contents.proto)) {}

  void run() {
    onnx::GraphProto& graph = *contents_.proto.mutable_graph();
    if (!has_calls(graph)) return;
    take_names(graph);
    Nodes nodes;
    nodes.Swap(graph.mutable_node());
    for (NodeProto& node : nodes) add(std::move(node), model_opset_);
  }

 private:
  bool has_calls(const onnx::GraphProto& graph) const {
    return std::any_of(graph.node().begin(), graph.node().end(),
                       [&](const NodeProto& node) { return function_of(node, model_opset_) != nullptr; });
  }

  void take_names(const onnx::GraphProto& graph) {
    for (const onnx::ValueInfoProto& input : graph.input()) {
      names_.take(input.name());
      types_[input.name()] = input.type().tensor_type().elem_type();
    }
    for (const onnx::TensorProto& tensor : graph.initializer()) {
      names_.take(tensor.name());
      types_[tensor.name()] = tensor.data_type();
    }
    for (const NodeProto& node : graph.node()) {
      for (const std::string& output : node.output()) names_.take(output);
      structure_bytes_ += static_cast<index_t>(node.ByteSizeLong());
    }
  }

  /// Values of a body are taken for floats.
  std::vector<int> input_types(const NodeProto& node) const {
    std::vector<int> types;
    for (const std::string& input : node.input()) {
      const auto known = types_.find(input);
      types.push_back(known == types_.end() ? int{onnx::TensorProto::FLOAT} : known->second);
    }
    return types;
  }

  Body function_of(const NodeProto& node, index_t opset) const {
    if (Body body = functions_.find(node)) return body;
    if (!domain_of(node.domain()).empty() || has_reader(node.op_type())) return nullptr;
    return function_of_operator(node, opset, input_types(node));
  }

  void add(NodeProto&& node, index_t opset) {
    const Body body = function_of(node, opset);
    if (body != nullptr) return inline_call(node, *body);
    contents_.node_opsets.push_back(opset);
    *contents_.proto.mutable_graph()->add_node() = std::move(node);
  }

  void inline_call(const NodeProto& node, const FunctionBody& body) {
    expect_no_recursion(node, body);
    expect_arguments_fit(node, body.proto);
    Call call{.node = node, .body = body, .prefix = prefixes_.make(name_of(node))};
    bind_attributes(call);
    callers_.push_back(&body);
    bind_inputs(call);
    bind_outputs(call);
    for (const NodeProto& inner : body.proto.node()) add(translated(call, inner), opset_in(call, inner));
    callers_.pop_back();
  }

  void expect_no_recursion(const NodeProto& node, const FunctionBody& body) const {
    if (std::find(callers_.begin(), callers_.end(), &body) != callers_.end())
      refuse(node, concat("the function '", body.proto.name(), "' calls itself"));
    if (callers_.size() >= max_depth) refuse(node, concat("calls more than ", max_depth, " functions inside each other"));
  }

  void bind_inputs(Call& call) {
    for (int k = 0; k < call.body.proto.input_size(); ++k)
      call.names[call.body.proto.input(k)] = k < call.node.input_size() ? call.node.input(k) : std::string();
  }

  /// An output that is an input of the function, or another output, is copied.
  void bind_outputs(Call& call) {
    for (int k = 0; k < call.node.output_size(); ++k) {
      const std::string& name = call.node.output(k);
      if (name.empty()) continue;
      const auto [known, is_new] = call.names.try_emplace(call.body.proto.output(k), name);
      if (is_new) continue;
      NodeProto copy;
      copy.set_op_type("Identity");
      copy.set_name(concat(call.prefix, "/", call.body.proto.output(k)));
      copy.add_input(known->second);
      copy.add_output(name);
      account(call.node, copy);
      add(std::move(copy), model_opset_);
    }
  }

  index_t opset_in(const Call& call, const NodeProto& inner) const {
    const index_t opset = call.body.opset();
    if (opset == 0 && domain_of(inner.domain()).empty() && functions_.find(inner) == nullptr)
      refuse(call.node, concat("the function '", call.body.proto.name(), "' does not state its operator set"));
    return opset;
  }

  NodeProto translated(Call& call, const NodeProto& inner) {
    NodeProto node;
    node.set_op_type(inner.op_type());
    node.set_domain(inner.domain());
    node.set_name(concat(call.prefix, "/", name_of(inner)));
    for (const std::string& input : inner.input()) node.add_input(name_in(call, input));
    for (const std::string& output : inner.output()) node.add_output(name_in(call, output));
    for (const onnx::AttributeProto& attribute : inner.attribute()) add_attribute(call, attribute, node);
    account(call.node, node);
    return node;
  }

  std::string name_in(Call& call, const std::string& name) {
    if (name.empty()) return name;
    const auto [known, is_new] = call.names.try_emplace(name);
    if (is_new) known->second = names_.make(concat(call.prefix, "/", name));
    return known->second;
  }

  /// A reference to an attribute that has no value is left out.
  static void add_attribute(const Call& call, const onnx::AttributeProto& attribute, NodeProto& node) {
    if (attribute.ref_attr_name().empty()) {
      *node.add_attribute() = attribute;
      return;
    }
    const auto found = call.attributes.find(attribute.ref_attr_name());
    if (found == call.attributes.end()) return;
    onnx::AttributeProto& added = *node.add_attribute();
    added = *found->second;
    added.set_name(attribute.name());
  }

  /// Calls count as nodes, since functions without nodes of their own may call each other many times.
  void account(const NodeProto& caller, const NodeProto& made) {
    structure_bytes_ += static_cast<index_t>(made.ByteSizeLong());
    if (++num_made_ > max_onnx_nodes) refuse(caller, concat("its functions have more than ", max_onnx_nodes, " nodes"));
    if (structure_bytes_ > max_onnx_structure_bytes)
      refuse(caller, concat("its functions have more than ", max_onnx_structure_bytes >> 20, " MiB"));
  }

  OnnxContents& contents_;
  ModelFunctions functions_;
  index_t model_opset_ = 0;
  UniqueNames names_{};
  UniqueNames prefixes_{};
  std::unordered_map<std::string, int> types_{};
  std::vector<const FunctionBody*> callers_{};
  index_t num_made_ = 0;
  index_t structure_bytes_ = 0;
};

}  // namespace

OnnxContents inlined(OnnxContents contents) {
  Inliner(contents).run();
  return contents;
}

}  // namespace parconv
