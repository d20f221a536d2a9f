// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>

#include "model/fuse/recognise.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/network.hpp"

namespace parconv {
namespace {

bool is_bare(const Epilogue& epilogue) { return epilogue.bias.empty() && !epilogue.has_residual; }
bool is_inactive(const Epilogue& epilogue) { return epilogue.activation.kind == ActivationKind::None; }

/// Fuses nodes into their producers, in topological order. A fused node has output -1 until it is dropped.
class Fuser {
 public:
  explicit Fuser(Network network) : net_(std::move(network)), is_output_(net_.values.size(), false) {
    for (ValueId id : net_.outputs) is_output_[index(id)] = true;
  }

  Network run() {
    drop_dead_nodes();
    pass_by_copies();
    drop_dead_nodes();
    recognise_activations(net_);
    drop_dead_nodes();
    producers_ = producers_of_values(net_);
    readers_ = consumers_of_values(net_);
    for (NodeId id = 0; id < static_cast<NodeId>(net_.nodes.size()); ++id) take_in(id);
    drop_dead_nodes();
    sort();
    return std::move(net_);
  }

 private:
  template <class Id>
  static std::size_t index(Id id) {
    return static_cast<std::size_t>(id);
  }

  Node& node(NodeId id) { return net_.nodes[index(id)]; }
  Node* producer(ValueId id) { return producers_[index(id)] < 0 ? nullptr : &node(producers_[index(id)]); }

  /// True if the value has a single reader and is no output, so that it may disappear.
  bool is_private(ValueId id) const { return !is_output_[index(id)] && readers_[index(id)].size() == 1; }

  /// Redirects readers of a copy to its source. Copies that are outputs stay for now (see remove_copy).
  void pass_by_copies() {
    std::vector<ValueId> sources(net_.values.size());
    std::iota(sources.begin(), sources.end(), 0);
    for (Node& each : net_.nodes) {
      for (ValueId& input : each.inputs) input = sources[index(input)];
      const bool is_copy = std::holds_alternative<Elementwise>(each.op) && is_bare(each.epilogue) && is_inactive(each.epilogue);
      if (is_copy && !is_output_[index(each.output)]) sources[index(each.output)] = each.inputs.front();
    }
  }

  void take_in(NodeId id) {
    const Node& follower = node(id);
    if (std::holds_alternative<ScaleShift>(follower.op)) take_scale_shift(id);
    if (std::holds_alternative<Sum>(follower.op)) take_sum(id);
    if (std::holds_alternative<Elementwise>(follower.op)) take_elementwise(id);
  }

  /// Fuses `follower` into `taker`: moves its output and its activation.
  void merge(Node& taker, NodeId follower_id) {
    Node& follower = node(follower_id);
    taker.epilogue.activation = follower.epilogue.activation;
    replace(taker, follower);
  }

  /// Moves the output of `follower` to `taker`.
  void replace(Node& taker, Node& follower) {
    const NodeId taker_id = producers_[index(taker.output)];
    readers_[index(taker.output)].clear();
    producers_[index(taker.output)] = -1;
    producers_[index(follower.output)] = taker_id;
    taker.output = follower.output;
    follower.output = -1;
  }

  void take_scale_shift(NodeId id) {
    const ScaleShift& follower = std::get<ScaleShift>(node(id).op);
    const ValueId between = node(id).inputs.front();
    Node* taker = producer(between);
    if (taker == nullptr || !is_private(between) || !is_bare(node(id).epilogue)) return;
    Filter* const filter = filter_of(taker->op);
    if (filter == nullptr || taker->epilogue.has_residual || !is_inactive(taker->epilogue)) return;
    scale_filter(*filter, follower.scale);
    std::vector<float>& bias = taker->epilogue.bias;
    bias.resize(follower.shift.size(), 0.0F);
    for (std::size_t c = 0; c < bias.size(); ++c) bias[c] = bias[c] * follower.scale[c] + follower.shift[c];
    merge(*taker, id);
  }

  static void scale_filter(Filter& filter, const std::vector<float>& factors) {
    std::vector<float> scale = filter.scale ? *filter.scale : std::vector<float>(factors.size(), 1.0F);
    PARCONV_EXPECT(scale.size() == factors.size(), scale.size(), " factors and ", factors.size());
    std::transform(scale.begin(), scale.end(), factors.begin(), scale.begin(), std::multiplies<>());
    filter.scale = std::make_shared<const std::vector<float>>(std::move(scale));
  }

  /// True for a convolution that can add a residual: its epilogue is at most a bias, and only the sum reads it.
  bool can_add(ValueId operand) {
    const Node* taker = producer(operand);
    return taker != nullptr && is_private(operand) && filter_of(taker->op) != nullptr && !taker->epilogue.has_residual &&
           is_inactive(taker->epilogue);
  }

  void take_sum(NodeId id) {
    const Node& sum = node(id);
    if (sum.inputs.size() != 2 || !is_bare(sum.epilogue)) return;
    ValueId kept = sum.inputs[0];
    ValueId taken = sum.inputs[1];
    const Value& out = net_.value(sum.output);
    for (ValueId operand : sum.inputs)
      if (net_.value(operand).kind == ValueKind::Constant || net_.value(operand).extents != out.extents) return;
    // The later of two convolutions, since the result of the other is available by then.
    if (producers_[index(kept)] > producers_[index(taken)]) std::swap(kept, taken);
    if (!can_add(taken)) std::swap(kept, taken);
    if (kept == taken || !can_add(taken)) return;
    Node& taker = *producer(taken);
    taker.inputs.push_back(kept);
    taker.epilogue.has_residual = true;
    std::replace(readers_[index(kept)].begin(), readers_[index(kept)].end(), id, producers_[index(taken)]);
    merge(taker, id);
  }

  void take_elementwise(NodeId id) {
    const Node& follower = node(id);
    if (!is_bare(follower.epilogue)) return;
    if (is_inactive(follower.epilogue)) return remove_copy(id);
    const ValueId between = follower.inputs.front();
    Node* taker = producer(between);
    if (taker == nullptr || !is_private(between) || !is_inactive(taker->epilogue)) return;
    if (std::holds_alternative<Concat>(taker->op) || std::holds_alternative<Reshape>(taker->op)) return;
    merge(*taker, id);
  }

  /// Removes a node that only copies to an output. Copies from a network input, a constant or another output stay.
  void remove_copy(NodeId id) {
    Node& copy = node(id);
    const ValueId source = copy.inputs.front();
    Node* taker = producer(source);
    if (taker == nullptr || is_output_[index(source)]) return;
    const ValueId output = copy.output;
    replace_source(id, source, output);
    replace(*taker, copy);
  }

  /// Redirects all readers of `source` except copy `id` to its result `output`.
  void replace_source(NodeId id, ValueId source, ValueId output) {
    for (NodeId reader : readers_[index(source)]) {
      if (reader == id) continue;
      std::replace(node(reader).inputs.begin(), node(reader).inputs.end(), source, output);
      readers_[index(output)].push_back(reader);
    }
    remove_duplicates(readers_[index(output)]);
  }

  static void remove_duplicates(std::vector<NodeId>& ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }

  /// Drops the nodes without a path to an output.
  void drop_dead_nodes() {
    std::vector<bool> is_needed = is_output_;
    std::vector<NodeId> producers(net_.values.size(), -1);
    for (NodeId id = 0; id < static_cast<NodeId>(net_.nodes.size()); ++id)
      if (node(id).output >= 0) producers[index(node(id).output)] = id;
    std::vector<ValueId> to_visit = net_.outputs;
    while (!to_visit.empty()) {
      const NodeId id = producers[index(to_visit.back())];
      to_visit.pop_back();
      if (id < 0) continue;
      for (ValueId input : node(id).inputs) {
        if (!is_needed[index(input)]) to_visit.push_back(input);
        is_needed[index(input)] = true;
      }
    }
    std::erase_if(net_.nodes, [&](const Node& n) { return n.output < 0 || !is_needed[index(n.output)]; });
  }

  /// Restores topological order with few changes: the first ready node is next.
  void sort() {
    producers_ = producers_of_values(net_);
    readers_ = consumers_of_values(net_);
    std::vector<int> waits_for(net_.nodes.size(), 0);
    for (const Node& maker : net_.nodes)
      for (NodeId reader : readers_[index(maker.output)]) ++waits_for[index(reader)];
    std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
    for (NodeId id = 0; id < static_cast<NodeId>(net_.nodes.size()); ++id)
      if (waits_for[index(id)] == 0) ready.push(id);
    std::vector<Node> sorted;
    while (!ready.empty()) {
      const NodeId id = ready.top();
      ready.pop();
      for (NodeId reader : readers_[index(node(id).output)])
        if (--waits_for[index(reader)] == 0) ready.push(reader);
      sorted.push_back(std::move(node(id)));
    }
    PARCONV_EXPECT(sorted.size() == net_.nodes.size(), "the fused network has a cycle");
    net_.nodes = std::move(sorted);
  }

  Network net_;
  std::vector<bool> is_output_;
  std::vector<NodeId> producers_{};
  std::vector<std::vector<NodeId>> readers_{};
};

}  // namespace

Network fuse(const Network& network) { return Fuser(network).run(); }

}  // namespace parconv
