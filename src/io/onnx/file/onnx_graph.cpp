// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/file/onnx_graph.hpp"

#include <functional>
#include <queue>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using onnx::NodeProto;

/// Far above any real network; bounds work that is quadratic in the number of inputs.
constexpr int max_node_inputs = 1024;

constexpr const char* export_hint = "the model breaks the rules of ONNX; export it again";

[[noreturn]] void refuse(const std::string& message) { throw Error(ExitCode::BadData, message, export_hint); }

/// Builds an OnnxGraph step by step.
class Indexer {
 public:
  explicit Indexer(const onnx::GraphProto& proto) { graph_.proto = &proto; }

  OnnxGraph run() {
    take_initializers();
    take_inputs();
    take_node_outputs();
    check_reads();
    count_uses();
    order_nodes(needed_nodes());
    return std::move(graph_);
  }

 private:
  static constexpr int not_a_node = -1;

  const NodeProto& node(int id) const { return graph_.proto->node(id); }
  int num_nodes() const { return graph_.proto->node_size(); }

  void take_initializers() {
    for (const onnx::TensorProto& tensor : graph_.proto->initializer()) {
      if (tensor.name().empty()) refuse("the model has an initializer without a name");
      if (!graph_.initializers.emplace(tensor.name(), &tensor).second)
        refuse(concat("two initializers are named '", tensor.name(), "'"));
      makers_.emplace(tensor.name(), not_a_node);
    }
  }

  void take_inputs() {
    std::unordered_map<std::string_view, bool> seen;
    for (const onnx::ValueInfoProto& input : graph_.proto->input()) {
      if (input.name().empty()) refuse("the model has an input without a name");
      if (!seen.emplace(input.name(), true).second) refuse(concat("two inputs are named '", input.name(), "'"));
      if (makers_.emplace(input.name(), not_a_node).second) graph_.inputs.push_back(&input);
    }
  }

  void take_node_outputs() {
    for (int id = 0; id < num_nodes(); ++id)
      for (const std::string& output : node(id).output()) {
        if (output.empty()) continue;
        const auto [maker, is_new] = makers_.emplace(output, id);
        if (!is_new)
          refuse(concat(label_of(node(id)), " has the output '", output, "', which is also ", describe_maker(maker->second)));
      }
  }

  std::string describe_maker(int id) const {
    return id == not_a_node ? "an input or initializer" : concat("an output of ", label_of(node(id)));
  }

  void check_reads() const {
    for (const NodeProto& reader : graph_.proto->node())
      if (reader.input_size() > max_node_inputs)
        refuse(concat(label_of(reader), " has ", reader.input_size(), " inputs; at most ", max_node_inputs, " are supported"));
    for (const NodeProto& reader : graph_.proto->node())
      for (const std::string& input : reader.input())
        if (!input.empty() && !makers_.contains(input))
          refuse(concat(label_of(reader), " reads '", input, "', which is not an input, an initializer or the output of a node"));
    if (graph_.proto->output_size() == 0) refuse("the model has no outputs");
    for (const onnx::ValueInfoProto& output : graph_.proto->output())
      if (!makers_.contains(output.name())) refuse(concat("output '", output.name(), "' is not the output of any node"));
  }

  void count_uses() {
    for (const NodeProto& reader : graph_.proto->node())
      for (const std::string& input : reader.input())
        if (!input.empty()) ++graph_.num_uses[input];
    for (const onnx::ValueInfoProto& output : graph_.proto->output()) ++graph_.num_uses[output.name()];
  }

  /// The node that produces `name`, or not_a_node.
  int maker_of(const std::string& name) const { return name.empty() ? not_a_node : makers_.at(name); }

  std::vector<bool> needed_nodes() const {
    std::vector<bool> is_needed(static_cast<std::size_t>(num_nodes()), false);
    std::vector<int> to_visit;
    for (const onnx::ValueInfoProto& output : graph_.proto->output()) to_visit.push_back(maker_of(output.name()));
    while (!to_visit.empty()) {
      const int id = to_visit.back();
      to_visit.pop_back();
      if (id == not_a_node || is_needed[static_cast<std::size_t>(id)]) continue;
      is_needed[static_cast<std::size_t>(id)] = true;
      for (const std::string& input : node(id).input()) to_visit.push_back(maker_of(input));
    }
    return is_needed;
  }

  /// Topological order (Kahn, 1962); among ready nodes, file order.
  void order_nodes(const std::vector<bool>& is_needed) {
    std::vector<int> waits_for(static_cast<std::size_t>(num_nodes()), 0);
    std::vector<std::vector<int>> readers(static_cast<std::size_t>(num_nodes()));
    std::priority_queue<int, std::vector<int>, std::greater<>> ready;
    for (int id = 0; id < num_nodes(); ++id) {
      if (!is_needed[static_cast<std::size_t>(id)]) continue;
      int& waits = waits_for[static_cast<std::size_t>(id)];
      for (const std::string& input : node(id).input())
        if (const int maker = maker_of(input); maker != not_a_node) {
          readers[static_cast<std::size_t>(maker)].push_back(id);
          ++waits;
        }
      if (waits == 0) ready.push(id);
    }
    drain(ready, readers, waits_for);
    check_no_cycle(is_needed, waits_for);
  }

  void drain(std::priority_queue<int, std::vector<int>, std::greater<>>& ready, const std::vector<std::vector<int>>& readers,
             std::vector<int>& waits_for) {
    while (!ready.empty()) {
      const int id = ready.top();
      ready.pop();
      graph_.nodes.push_back(&node(id));
      for (const int reader : readers[static_cast<std::size_t>(id)])
        if (--waits_for[static_cast<std::size_t>(reader)] == 0) ready.push(reader);
    }
  }

  void check_no_cycle(const std::vector<bool>& is_needed, const std::vector<int>& waits_for) const {
    for (int id = 0; id < num_nodes(); ++id)
      if (is_needed[static_cast<std::size_t>(id)] && waits_for[static_cast<std::size_t>(id)] > 0)
        refuse(concat(label_of(node(id)), " is part of a cycle or depends on one"));
  }

  OnnxGraph graph_{};
  std::unordered_map<std::string_view, int> makers_{};
};

}  // namespace

OnnxGraph index_graph(const OnnxContents& contents) {
  if (contents.num_sparse_initializers > 0)
    throw Error(ExitCode::BadData, concat("the model has ", contents.num_sparse_initializers, " sparse initializers"),
                "save the model with dense weights");
  OnnxGraph graph = Indexer(contents.proto.graph()).run();
  for (std::size_t k = 0; k < contents.node_opsets.size(); ++k)
    graph.opsets.emplace(&contents.proto.graph().node(static_cast<int>(k)), contents.node_opsets[k]);
  return graph;
}

std::string name_of(const NodeProto& node) {
  if (!node.name().empty() || node.output_size() == 0) return node.name();
  return node.output(0);
}

std::string label_of(const NodeProto& node) { return concat("node '", name_of(node), "' (", node.op_type(), ")"); }

}  // namespace parconv
