// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/network.hpp"

#include <algorithm>
#include <unordered_set>

#include "model/ops/all.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/shape.hpp"

namespace parconv {
namespace {

std::string describe(const Node& node) { return concat(name_of(node.op), " '", node.name, "'"); }

[[noreturn]] void refuse(const std::string& what, const std::string& why) {
  throw Error(ExitCode::BadData, concat(what, ": ", why));
}

std::vector<Shape> operand_shapes(const Network& network, const Node& node) {
  std::vector<Shape> shapes;
  for (std::size_t k = 0; k < node.num_operands(); ++k) shapes.push_back(shape_of(network.value(node.inputs[k])));
  return shapes;
}

/// Checks a network node by node, in topological order.
class Validator {
 public:
  explicit Validator(const Network& network) : network_(network), is_available_(network.values.size(), false) {}

  void run() {
    for (ValueId id : network_.inputs) add_input(id);
    for (std::size_t id = 0; id < is_available_.size(); ++id)
      if (network_.values[id].kind == ValueKind::Constant) is_available_[id] = true;
    for (const Node& node : network_.nodes) check_node(node);
    for (ValueId id : network_.outputs) check_output(id);
  }

 private:
  const Value& value(ValueId id, const std::string& user) const {
    if (id < 0 || static_cast<std::size_t>(id) >= network_.values.size())
      refuse(user, concat("refers to value ", id, ", but the network has ", network_.values.size(), " values"));
    return network_.value(id);
  }

  static void check_value(const Value& value) {
    const std::string what = concat("value '", value.name, "'");
    if (value.ndims < 1 || value.ndims > num_axes) refuse(what, concat("has ", value.ndims, " dimensions; 1 to 5 are supported"));
    if (shape_from_dims(dims_of(shape_of(value)), what).extents != value.extents)
      refuse(what, concat("extents ", value.extents, " are not those of a tensor with ", value.ndims, " dimensions"));
  }

  void add_input(ValueId id) {
    check_value(value(id, "the list of inputs"));
    if (network_.value(id).kind != ValueKind::Input)
      refuse(concat("value '", network_.value(id).name, "'"), "is listed as an input, but is not marked as one");
    is_available_[static_cast<std::size_t>(id)] = true;
  }

  void check_output(ValueId id) const {
    const std::string& name = value(id, "the list of outputs").name;
    if (!is_available_[static_cast<std::size_t>(id)]) refuse(concat("output '", name, "'"), "no node produces it");
  }

  void check_node(const Node& node) {
    const std::string what = describe(node);
    for (ValueId id : node.inputs) check_operand(value(id, what), id, what);
    check_result(node, what);
    check_shape(node, what);
    check_epilogue(node, what);
    is_available_[static_cast<std::size_t>(node.output)] = true;
  }

  void check_operand(const Value& operand, ValueId id, const std::string& what) const {
    if (!is_available_[static_cast<std::size_t>(id)])
      refuse(what, concat("reads '", operand.name, "' before any node produces it"));
    check_value(operand);
    if (operand.kind != ValueKind::Constant) return;
    const ConstantData& data = operand.constant;
    const index_t found = data.values ? static_cast<index_t>(data.values->size()) : data.count;
    if (!data.is_fill && found != volume(operand.extents))
      refuse(what, concat("constant '", operand.name, "' of ", operand.extents, " has ", found, " elements"));
  }

  void check_result(const Node& node, const std::string& what) {
    const Value& result = value(node.output, what);
    check_value(result);
    if (result.kind != ValueKind::Activation || is_available_[static_cast<std::size_t>(node.output)])
      refuse(what, concat("produces '", result.name, "', which already has a producer"));
    if (result.name.empty() || !names_.insert(result.name).second)
      refuse(what, concat("the name of its output '", result.name, "' is not unique"));
  }

  void check_shape(const Node& node, const std::string& what) const {
    if (node.inputs.empty() || node.num_operands() == 0) refuse(what, "has no input");
    const Extents& found = network_.value(node.output).extents;
    if (std::holds_alternative<Reshape>(node.op)) return check_reshape(node, what);
    const Extents expected = output_shape(node.op, operand_shapes(network_, node), what).extents;
    if (found != expected) refuse(what, concat("produces ", expected, ", but its output is declared as ", found));
  }

  void check_reshape(const Node& node, const std::string& what) const {
    const Extents& from = network_.value(node.inputs.front()).extents;
    const Extents& to = network_.value(node.output).extents;
    if (node.num_operands() != 1) refuse(what, concat("expects one input, but has ", node.num_operands()));
    if (volume(from) != volume(to)) refuse(what, concat("cannot reshape ", from, " to ", to));
  }

  void check_epilogue(const Node& node, const std::string& what) const {
    const Extents& out = network_.value(node.output).extents;
    if (!node.epilogue.bias.empty() && static_cast<index_t>(node.epilogue.bias.size()) != out[Axis::C])
      refuse(what, concat("has ", node.epilogue.bias.size(), " biases for ", out[Axis::C], " channels"));
    if (!node.epilogue.has_residual) return;
    const Extents& residual = network_.value(node.inputs.back()).extents;
    if (residual != out) refuse(what, concat("adds a residual of ", residual, " to ", out));
  }

  const Network& network_;
  std::vector<bool> is_available_;
  std::unordered_set<std::string> names_;
};

/// Changes the number of samples of a network: values that depend on an input change, constants do not.
class Rebatcher {
 public:
  Rebatcher(Network network, index_t n) : before_(network), after_(std::move(network)), n_(n) {}

  Network run() {
    for (ValueId id : after_.inputs) after_.value(id).extents[Axis::N] = n_;
    for (Node& node : after_.nodes) update(node);
    validate(after_);
    return std::move(after_);
  }

 private:
  bool is_changed(ValueId id) const { return before_.value(id).extents != after_.value(id).extents; }

  void update(Node& node) {
    if (std::none_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return is_changed(id); })) return;
    require_separate_samples(node);
    rebatch(node.op);
    Extents& out = after_.value(node.output).extents;
    if (std::holds_alternative<Reshape>(node.op)) {
      out[Axis::N] = n_;
      checked_product(out.values, describe(node).c_str());
    } else {
      out = output_shape(node.op, operand_shapes(after_, node), describe(node)).extents;
    }
  }

  void rebatch(Operator& op) const {
    std::visit(
        [&](auto& kind) {
          using KindRules = Rules<std::decay_t<decltype(kind)>>;
          if constexpr (requires { KindRules::rebatch(kind, n_); }) KindRules::rebatch(kind, n_);
        },
        op);
  }

  void require_separate_samples(const Node& node) const {
    const auto refuse_batch = [&](const std::string& why) {
      throw Error(ExitCode::BadData, concat(describe(node), " ", why, ", so the batch size cannot be changed to ", n_),
                  concat("keep the batch size of the model, ", before_.value(node.inputs.front()).extents[Axis::N]));
    };
    const auto samples = [&](ValueId id) { return before_.value(id).extents[Axis::N]; };
    const NodeView view{before_, node};
    if (with_rules(node.op, [&](auto rules, const auto& op) { return rules.mixes_samples(op, view); }))
      refuse_batch("mixes samples");
    for (ValueId id : node.inputs)
      if (!is_changed(id) && samples(id) > 1)
        refuse_batch(concat("reads '", before_.value(id).name, "' with a fixed batch size"));
  }

  const Network before_;
  Network after_;
  index_t n_;
};

}  // namespace

std::vector<std::vector<NodeId>> consumers_of_values(const Network& network) {
  std::vector<std::vector<NodeId>> consumers(network.values.size());
  for (NodeId id = 0; id < static_cast<NodeId>(network.nodes.size()); ++id)
    for (ValueId input : network.node(id).inputs) {
      std::vector<NodeId>& list = consumers[static_cast<std::size_t>(input)];
      if (list.empty() || list.back() != id) list.push_back(id);
    }
  return consumers;
}

std::vector<NodeId> producers_of_values(const Network& network) {
  std::vector<NodeId> producers(network.values.size(), -1);
  for (NodeId id = 0; id < static_cast<NodeId>(network.nodes.size()); ++id)
    producers[static_cast<std::size_t>(network.node(id).output)] = id;
  return producers;
}

void validate(const Network& network) { Validator(network).run(); }

Network with_batch(const Network& network, index_t n) {
  PARCONV_EXPECT(n >= 1, "samples ", n);
  return Rebatcher(network, n).run();
}

void set_leaf_rule(Network& network, LeafRule rule) {
  for (Node& node : network.nodes)
    std::visit(
        [&](auto& op) {
          if constexpr (requires { op.leaf_rule; }) op.leaf_rule = rule;
        },
        node.op);
}

}  // namespace parconv
