// SPDX-License-Identifier: Apache-2.0
#include "parconv/engine/calls.hpp"

#include <utility>

#include "parconv/core/error.hpp"
#include "parconv/model/localise.hpp"

namespace parconv {
namespace {

/// How a node's partial results are combined.
LocalKind combination_of(const Node& node, const Reduce& reduce) {
  if (reduce.partials.empty()) return LocalFill{};
  if (const auto* reduction = std::get_if<Reduction>(&node.op)) return LocalReduceParts{reduction->kind, reduction->count};
  return LocalSum{.joins = reduce.joins};
}

/// The reduction of partial results as a call: combines srcs, then applies the epilogue.
LocalOp reduce_op(const Network& network, const Node& node, const Reduce& reduce) {
  LocalOp op;
  op.kind = combination_of(node, reduce);
  op.epilogue = local_epilogue(network, node, reduce.box);
  if (!reduce.residual.empty()) op.epilogue.residual = static_cast<int>(reduce.partials.size());
  return op;
}

LocalWork work_of(const Network& network, const Node& node, const Compute& compute) {
  return compute.is_finished ? localise(network, node, compute.work) : localise_partial(network, node, compute.work);
}

}  // namespace

OperandLayout layout_of(const Program& program, const Region& region) {
  const Buffer& buffer = program.buffer(region.buffer);
  PARCONV_EXPECT(buffer.box.contains(region.box), to_string(region.box), " in ", to_string(buffer.box));
  return layout_within(region.box, buffer.box, buffer.type);
}

std::optional<CallRegions> call_regions(const Step& step) {
  if (const auto* compute = std::get_if<Compute>(&step.action)) return CallRegions{compute->srcs, compute->dst};
  const auto* reduce = std::get_if<Reduce>(&step.action);
  if (reduce == nullptr) return std::nullopt;
  CallRegions regions{reduce->partials, reduce->dst};
  regions.srcs.insert(regions.srcs.end(), reduce->residual.begin(), reduce->residual.end());
  return regions;
}

LocalOp local_op_of(const Network& network, const Program& program, const Step& step) {
  const std::optional<CallRegions> regions = call_regions(step);
  PARCONV_EXPECT(regions.has_value(), name_of(step.action), " has no call");
  std::vector<OperandLayout> srcs;
  for (const Region& src : regions->srcs) srcs.push_back(layout_of(program, src));
  const OperandLayout dst = layout_of(program, regions->dst);
  const Node& node = network.node(step.node);
  if (const auto* compute = std::get_if<Compute>(&step.action))
    return work_of(network, node, *compute).placed(std::move(srcs), dst);
  LocalOp op = reduce_op(network, node, std::get<Reduce>(step.action));
  op.srcs = std::move(srcs);
  op.dst = dst;
  return op;
}

std::vector<LocalOp> local_ops_of(const Network& network, const Program& program) {
  std::vector<LocalOp> ops;
  for (const Step& step : program.steps)
    if (call_regions(step)) ops.push_back(local_op_of(network, program, step));
  return ops;
}

}  // namespace parconv
