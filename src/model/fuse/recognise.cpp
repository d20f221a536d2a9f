// SPDX-License-Identifier: Apache-2.0
#include "model/fuse/recognise.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "parconv/model/activation.hpp"

namespace parconv {
namespace {

constexpr std::size_t max_nodes = 16;

constexpr std::array known{ActivationKind::Silu,     ActivationKind::Gelu,     ActivationKind::GeluTanh,
                           ActivationKind::Mish,     ActivationKind::Sigmoid,  ActivationKind::HardSwish,
                           ActivationKind::Softplus, ActivationKind::Softsign, ActivationKind::Tanh};

std::size_t index(int id) { return static_cast<std::size_t>(id); }

/// The value of a constant in memory with a single element.
std::optional<float> number_of(const Value& value) {
  if (value.kind != ValueKind::Constant || volume(value.extents) != 1) return std::nullopt;
  if (value.constant.is_fill) return value.constant.fill;
  if (value.constant.values && value.constant.values->size() == 1) return value.constant.values->front();
  return std::nullopt;
}

/// Element-wise operators that lead from one value to the output of the last.
struct Function {
  std::set<NodeId> nodes{};
  ValueId source = -1;
};

class Recogniser {
 public:
  explicit Recogniser(Network& network) : net_(network), is_output_(network.values.size(), false) {
    for (ValueId id : net_.outputs) is_output_[index(id)] = true;
    find_neighbours();
  }

  void run() {
    for (NodeId id = static_cast<NodeId>(net_.nodes.size()) - 1; id >= 0; --id)
      if (is_number_function(net_.node(id))) recognise(id);
  }

 private:
  void find_neighbours() {
    producers_ = producers_of_values(net_);
    readers_ = consumers_of_values(net_);
  }

  bool is_number_function(const Node& node) const {
    const bool is_kind = std::holds_alternative<Elementwise>(node.op) || std::holds_alternative<Sum>(node.op) ||
                         std::holds_alternative<Binary>(node.op);
    if (!is_kind || !node.epilogue.bias.empty() || node.epilogue.has_residual) return false;
    return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
      const Value& input = net_.value(id);
      if (input.kind == ValueKind::Constant) return number_of(input).has_value();
      return input.extents == net_.value(node.output).extents;
    });
  }

  /// Extends the group backwards, producer by producer, and compares whenever the group depends on a single value.
  void recognise(NodeId root) {
    Function function{.nodes = {root}};
    while (function.nodes.size() <= max_nodes) {
      const std::set<ValueId> sources = sources_of(function);
      if (sources.empty()) return;
      if (sources.size() == 1 && function.nodes.size() > 1) {
        function.source = *sources.begin();
        if (replace_if_known(root, function)) return;
      }
      const auto last = std::max_element(sources.begin(), sources.end(),
                                         [&](ValueId a, ValueId b) { return producers_[index(a)] < producers_[index(b)]; });
      if (!take_in(function, *last)) return;
    }
  }

  std::set<ValueId> sources_of(const Function& function) const {
    std::set<ValueId> sources;
    for (NodeId id : function.nodes)
      for (ValueId input : net_.node(id).inputs)
        if (net_.value(input).kind != ValueKind::Constant && !function.nodes.contains(producers_[index(input)]))
          sources.insert(input);
    return sources;
  }

  bool take_in(Function& function, ValueId value) const {
    const NodeId producer = producers_[index(value)];
    if (producer < 0 || is_output_[index(value)] || !is_number_function(net_.node(producer))) return false;
    const std::vector<NodeId>& readers = readers_[index(value)];
    if (!std::all_of(readers.begin(), readers.end(), [&](NodeId id) { return function.nodes.contains(id); })) return false;
    function.nodes.insert(producer);
    return true;
  }

  bool replace_if_known(NodeId root, const Function& function) {
    const std::vector<float> numbers = probes(function);
    for (ActivationKind kind : known) {
      const auto agree = [&](float x) { return are_near(value_at(root, function, x), activated({.kind = kind}, x)); };
      if (!std::all_of(numbers.begin(), numbers.end(), agree)) continue;
      Node& node = net_.nodes[index(root)];
      node.op = Elementwise{};
      node.inputs = {function.source};
      node.epilogue.activation = {.kind = kind};
      find_neighbours();
      return true;
    }
    return false;
  }

  static bool are_near(float a, float b) {
    constexpr float tolerance = 1e-5F;
    return std::isfinite(a) && std::abs(a - b) <= tolerance * std::max(1.0F, std::abs(b));
  }

  /// Points of all magnitudes, and points around every constant, where a function may have a kink.
  std::vector<float> probes(const Function& function) const {
    std::vector<float> sizes{0, 1e-6F, 1e-3F, 10, 16, 30, 64, 100, 1e3F, 1e4F, 1e6F, 1e10F, 1e30F};
    for (int k = 1; k <= 256; ++k) sizes.push_back(static_cast<float>(k) / 32);
    for (NodeId id : function.nodes)
      for (ValueId input : net_.node(id).inputs)
        if (const std::optional<float> number = number_of(net_.value(input)))
          for (const float factor : {0.98F, 1.0F, 1.02F}) sizes.push_back(*number * factor);
    for (std::size_t k = 0, count = sizes.size(); k < count; ++k) sizes.push_back(-sizes[k]);
    return sizes;
  }

  float value_at(NodeId root, const Function& function, float x) const {
    std::map<ValueId, float> found{{function.source, x}};
    for (NodeId id : function.nodes) found[net_.node(id).output] = result_of(net_.node(id), found);
    return found[net_.node(root).output];
  }

  float result_of(const Node& node, const std::map<ValueId, float>& found) const {
    const auto at = [&](std::size_t k) {
      const std::optional<float> number = number_of(net_.value(node.inputs[k]));
      return number ? *number : found.at(node.inputs[k]);
    };
    float result = at(0);
    if (const auto* binary = std::get_if<Binary>(&node.op)) {
      result = combined(binary->kind, result, at(1));
    } else {
      for (std::size_t k = 1; k < node.inputs.size(); ++k) result += at(k);
    }
    return activated(node.epilogue.activation, result);
  }

  Network& net_;
  std::vector<bool> is_output_;
  std::vector<NodeId> producers_{};
  std::vector<std::vector<NodeId>> readers_{};
};

}  // namespace

void recognise_activations(Network& network) { Recogniser(network).run(); }

}  // namespace parconv
