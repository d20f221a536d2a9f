// SPDX-License-Identifier: Apache-2.0
#include "parconv/plan/plan.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"
#include "parconv/model/localise.hpp"
#include "plan/validate.hpp"

namespace parconv {
namespace {

std::size_t index(Axis axis) { return static_cast<std::size_t>(axis); }

const Extents& output_extents(const Network& network, const Node& node) { return network.value(node.output).extents; }

GridAxis grid_axis(Axis axis) {
  static constexpr std::array<GridAxis, num_axes> same{GridAxis::N, GridAxis::F, GridAxis::D, GridAxis::H, GridAxis::W};
  return same[index(axis)];
}

std::vector<GridAxis> channels_owned_by(const std::array<bool, num_axes>& contracted) {
  std::vector<GridAxis> axes{GridAxis::F, GridAxis::C};
  for (Axis axis : spatial_axes)
    if (contracted[index(axis)]) axes.push_back(grid_axis(axis));
  return axes;
}

Cuts channel_cuts(const Network& network, const Node& node, int parts) {
  if (const auto channels = channel_groups(node.op)) return group_cuts(channels->groups, channels->oc, parts, channel_grain);
  return block_cuts(output_extents(network, node)[Axis::C], parts, channel_grain);
}

/// A Reduction can be divided along an axis that it reduces to extent 1; every other operator needs extent.
bool can_divide(const Network& network, const Node& node, Axis axis) {
  if (output_extents(network, node)[axis] > 1) return true;
  return contracted_axes(network, node)[index(axis)] && network.value(node.inputs.front()).extents[axis] > 1;
}

void add_missing_cuts(const Network& network, const Node& node, NodePlan& plan) {
  const std::array<Cuts, num_axes> defaults = default_cuts(network, node, plan.grid);
  for (Axis axis : all_axes)
    if (plan.cuts[index(axis)].empty()) plan.cuts[index(axis)] = defaults[index(axis)];
}

}  // namespace

std::vector<GridAxis> owned_by(const Network& network, const Node& node, Axis axis) {
  const std::array<bool, num_axes> contracted = contracted_axes(network, node);
  if (axis == Axis::C) return channels_owned_by(contracted);
  if (axis != Axis::N && contracted[index(axis)]) return {};
  return {grid_axis(axis)};
}

int num_owned_parts(const Network& network, const Node& node, const Grid& grid, Axis axis) {
  int parts = 1;
  for (GridAxis by : owned_by(network, node, axis)) parts *= grid.parts[by];
  return parts;
}

std::array<Cuts, num_axes> default_cuts(const Network& network, const Node& node, const Grid& grid) {
  std::array<Cuts, num_axes> cuts;
  for (Axis axis : all_axes) {
    const int parts = num_owned_parts(network, node, grid, axis);
    cuts[index(axis)] =
        axis == Axis::C ? channel_cuts(network, node, parts) : block_cuts(output_extents(network, node)[axis], parts);
  }
  return cuts;
}

GridVector parts_for_node(const Network& network, const Node& node, const GridVector& parts) {
  GridVector result = parts;
  for (Axis axis : spatial_axes) {
    if (can_divide(network, node, axis)) continue;
    result[GridAxis::F] *= parts[grid_axis(axis)];
    result[grid_axis(axis)] = 1;
  }
  return result;
}

Plan make_plan(const Network& network, const Partitioner& partitioner, int num_ranks) {
  PARCONV_EXPECT(num_ranks >= 1, "ranks ", num_ranks);
  PARCONV_EXPECT(partitioner != nullptr, "no partitioner");
  Partition partition = partitioner(network, num_ranks);
  Plan plan{.num_ranks = num_ranks, .num_stages = partition.num_stages, .nodes = std::move(partition.nodes)};
  validate_grids(plan, network);
  for (std::size_t id = 0; id < plan.nodes.size(); ++id) add_missing_cuts(network, network.nodes[id], plan.nodes[id]);
  validate(plan, network);
  return plan;
}

Plan make_plan(const Network& network, const SplitRequest& request, int num_ranks) {
  return make_plan(network, partitioner_of(request), num_ranks);
}

}  // namespace parconv
