// SPDX-License-Identifier: Apache-2.0
#include "program/verify/step_rules.hpp"

#include <algorithm>

#include "parconv/core/overloaded.hpp"

namespace parconv::verify {
namespace {

/// `region` is `need`, extended at the high end by fewer inputs than a stride, which no output reads.
bool is_need_with_rest(const Box& region, const Box& need, const Window& window) {
  return std::all_of(all_axes.begin(), all_axes.end(), [&](Axis axis) {
    const bool is_spatial = axis == Axis::D || axis == Axis::H || axis == Axis::W;
    const index_t rest = is_spatial ? window[axis].stride - 1 : 0;
    return region[axis].lo == need[axis].lo && need[axis].hi <= region[axis].hi && region[axis].hi <= need[axis].hi + rest;
  });
}

}  // namespace

void StepRules::check(const Step& step) const {
  std::visit(Overloaded{
                 [&](const Load& load) { check_load(load); },
                 [&](const Copy& copy) { check_copy(copy); },
                 [&](const Compute& compute) { check_compute(step.node, compute); },
                 [&](const Reduce& reduce) { check_reduce(step.node, reduce); },
                 [&](const Store& store) { check_store(store); },
                 [](const Start&) {},
                 [](const Await&) {},
             },
             step.action);
}

/// The region is `box` of complete elements of `value`.
void StepRules::expect(const Region& region, ValueId value, const Box& box, const char* verb) const {
  const Buffer& there = buffer(region);
  if (holds_sums(there))
    violate(Rule::UnfinishedSum, verb, " value ", value, " in buffer ", region.buffer, ", which holds partial sums");
  if (facts_.are_same(value, box, there.value, region.box)) return;
  if (there.value == value) violate(Rule::WrongBox, verb, " ", to_string(region.box), " where ", to_string(box), " is expected");
  violate(Rule::WrongValue, verb, " ", to_string(box), " of value ", value, " in buffer ", region.buffer, " at ",
          to_string(region.box), " of value ", there.value);
}

void StepRules::check_load(const Load& load) const {
  if (!facts_.has_value(load.value) || facts_.network().value(load.value).kind != ValueKind::Input)
    violate(Rule::WrongValue, "loads value ", load.value, ", which is no input");
  const Buffer& dst = buffer(load.dst);
  if (holds_sums(dst)) violate(Rule::UnfinishedSum, "loads value ", load.value, " into a buffer of partial sums");
  if (!facts_.are_same(load.value, load.box, dst.value, load.dst.box))
    violate(load.value == dst.value ? Rule::WrongBox : Rule::WrongValue, "loads ", to_string(load.box), " of value ", load.value,
            " to ", to_string(load.dst.box), " of value ", dst.value);
  if (!facts_.whole(load.value).contains(load.box))
    violate(Rule::WrongBox, "loads ", to_string(load.box), ", which exceeds the tensor");
}

void StepRules::check_constant(const Load& constant) const {
  if (!facts_.has_value(constant.value) || facts_.network().value(constant.value).kind != ValueKind::Constant)
    violate(Rule::WrongValue, "loads value ", constant.value, " as a constant");
  expect(constant.dst, constant.value, constant.box, "loads the constant");
  if (!facts_.whole(constant.value).contains(constant.box))
    violate(Rule::WrongBox, "loads ", to_string(constant.box), ", which exceeds the constant");
}

void StepRules::check_store(const Store& store) const {
  if (!facts_.is_output(store.value)) violate(Rule::WrongValue, "stores value ", store.value, ", which is no output");
  expect(store.src, store.value, store.box, "stores");
}

void StepRules::check_copy(const Copy& copy) const {
  const Buffer &from = buffer(copy.src), &to = buffer(copy.dst);
  if (from.type != to.type) violate(Rule::WrongType, "copies ", name_of(from.type), " to ", name_of(to.type));
  if (holds_sums(from) != holds_sums(to)) violate(Rule::UnfinishedSum, "copies partial sums among complete values");
  if (!facts_.are_same(from.value, copy.src.box, to.value, copy.dst.box))
    violate(from.value == to.value ? Rule::WrongBox : Rule::WrongValue, "copies ", to_string(copy.src.box), " of value ",
            from.value, " to ", to_string(copy.dst.box), " of value ", to.value);
}

void StepRules::check_compute(NodeId id, const Compute& compute) const {
  const Node& node = facts_.network().node(id);
  if (std::holds_alternative<Concat>(node.op)) violate(Rule::WrongWork, "computes a Concat");
  const Buffer& dst = buffer(compute.dst);
  const Box& computed = compute.work.computed;
  if (holds_sums(dst) == compute.is_finished)
    violate(Rule::UnfinishedSum, "computes a ",
            compute.is_finished ? "complete value among partial sums" : "partial sum among complete values");
  if (holds_sums(dst) && dst.value != node.output)
    violate(Rule::WrongValue, "computes value ", node.output, " into a buffer of value ", dst.value);
  if (!facts_.are_same(node.output, computed, dst.value, compute.dst.box) || !facts_.whole(node.output).contains(computed))
    violate(dst.value == node.output ? Rule::WrongBox : Rule::WrongValue, "computes ", to_string(computed), " of value ",
            node.output, " into ", to_string(compute.dst.box), " of value ", dst.value);
  if (!facts_.may_contract(id, compute.work.contracted))
    violate(Rule::WrongWork, "sums over ", to_string(compute.work.contracted),
            ", which is not a division that the operator allows");
  if (compute.is_finished) {
    const Box done = facts_.contraction(id, computed, compute.work.contracted);
    const Box all = facts_.whole_contraction(id, computed);
    if (!(done == all)) violate(Rule::LostContribution, "sums over ", to_string(done), " instead of ", to_string(all));
  }
  check_operands(id, compute);
}

void StepRules::check_operands(NodeId id, const Compute& compute) const {
  const Network& network = facts_.network();
  const Node& node = network.node(id);
  const bool is_fill = needed_box(network, node, 0, compute.work).is_empty();
  std::size_t found = 0;
  for (std::size_t operand = 0; operand < node.inputs.size(); ++operand) {
    const bool is_residual = operand >= node.num_operands();
    if (is_residual ? !compute.is_finished : is_fill) continue;
    if (found < compute.srcs.size())
      expect_operand(id, operand, compute.srcs[found], needed_box(network, node, operand, compute.work));
    ++found;
  }
  if (found != compute.srcs.size()) violate(Rule::WrongWork, "has ", compute.srcs.size(), " operands instead of ", found);
}

void StepRules::expect_operand(NodeId id, std::size_t operand, const Region& region, const Box& need) const {
  const Node& node = facts_.network().node(id);
  const auto* conv = std::get_if<Conv>(&node.op);
  const bool has_rest = conv != nullptr && operand == 0 && is_need_with_rest(region.box, need, conv->window);
  expect(region, node.inputs[operand], has_rest ? region.box : need, "reads");
}

void StepRules::check_reduce(NodeId id, const Reduce& reduce) const {
  const Node& node = facts_.network().node(id);
  expect(reduce.dst, node.output, reduce.box, "adds up");
  if (!facts_.whole(node.output).contains(reduce.box)) violate(Rule::WrongBox, "adds up ", to_string(reduce.box));
  for (const Region& partial : reduce.partials) {
    if (buffer(partial).value != node.output || !holds_sums(buffer(partial)))
      violate(Rule::WrongValue, "adds buffer ", partial.buffer, ", which holds no partial sums of value ", node.output);
    if (!(partial.box == reduce.box)) violate(Rule::WrongBox, "adds ", to_string(partial.box), " to ", to_string(reduce.box));
  }
  if (!reduce.joins.empty() && reduce.joins.size() != reduce.partials.size())
    violate(Rule::SumOrder, "has joins for ", reduce.joins.size(), " of ", reduce.partials.size(), " partial sums");
  const std::size_t residuals = node.epilogue.has_residual ? 1 : 0;
  if (reduce.residual.size() != residuals)
    violate(Rule::WrongWork, "adds ", reduce.residual.size(), " residuals instead of ", residuals);
  for (const Region& residual : reduce.residual) expect(residual, node.inputs.back(), reduce.box, "adds as the residual");
}

}  // namespace parconv::verify
