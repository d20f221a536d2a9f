// SPDX-License-Identifier: Apache-2.0
#include "parconv/program/placement.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"
#include "program/channel_cuts.hpp"

namespace parconv {
namespace {

using AxisArray = std::array<AxisPartition, num_axes>;

AxisPartition& at(AxisArray& axes, Axis axis) { return axes[static_cast<std::size_t>(axis)]; }
const AxisPartition& at(const AxisArray& axes, Axis axis) { return axes[static_cast<std::size_t>(axis)]; }

const Extents& input_extents(const Network& network, const Node& node) { return network.value(node.inputs[0]).extents; }
const Extents& output_extents(const Network& network, const Node& node) { return network.value(node.output).extents; }

/// The grid axis that divides a contracted axis of space.
GridAxis divider_of(Axis axis) { return axis == Axis::D ? GridAxis::D : axis == Axis::H ? GridAxis::H : GridAxis::W; }

AxisArray owned_axes(const Network& network, const Node& node, const NodePlan& plan) {
  AxisArray axes;
  for (Axis axis : all_axes)
    at(axes, axis) = {blocks_of(plan.cuts[static_cast<std::size_t>(axis)]), owned_by(network, node, axis)};
  return axes;
}

struct Work {
  AxisArray computed{};
  AxisArray contracted{};
  bool is_cut_off_leaves = false;
};

/// The parts of contracted channels that have no groups: those of the ranks along f and c, which compute the same outputs.
void divide_channels_evenly(const Network& network, const Node& node, const Grid& grid, Work& work) {
  const int parts = grid.parts[GridAxis::F] * grid.parts[GridAxis::C];
  at(work.contracted, Axis::C) = {blocks_of(block_cuts(input_extents(network, node)[Axis::C], parts, channel_grain)),
                                  {GridAxis::F, GridAxis::C}};
  at(work.computed, Axis::C) = {{{0, output_extents(network, node)[Axis::C]}}, {}};
}

/// Starts from the owned intervals and replaces those of axes that the node contracts.
Work divide_work(const Network& network, const Node& node, const NodePlan& plan, const AxisArray& owned) {
  const Grid& grid = plan.grid;
  const auto contracts = contracted_axes(network, node);
  Work work{.computed = owned};
  for (Axis axis : all_axes) at(work.contracted, axis) = {{{0, input_extents(network, node)[axis]}}, {}};
  for (Axis axis : spatial_axes) {
    if (!contracts[static_cast<std::size_t>(axis)]) continue;
    at(work.contracted, axis) = {blocks_of(block_cuts(input_extents(network, node)[axis], grid.parts[divider_of(axis)])),
                                 {divider_of(axis)}};
  }
  if (const auto channels = channel_groups(node.op)) {
    ChannelCuts cuts = cut_channels(*channels, grid, at(owned, Axis::C).blocks, plan.ic_cuts);
    at(work.computed, Axis::C) = {std::move(cuts.computed), {GridAxis::F, GridAxis::C}};
    at(work.contracted, Axis::C) = {std::move(cuts.contracted), {GridAxis::F, GridAxis::C}};
    work.is_cut_off_leaves = cuts.is_off_leaves;
    return work;
  }
  if (contracts[static_cast<std::size_t>(Axis::C)]) {
    divide_channels_evenly(network, node, grid, work);
    return work;
  }
  if (at(owned, Axis::C).by.size() > 2) {
    // Channels are owned in finer parts than they are computed: the ranks along the contracted space compute the same part.
    const std::vector<Interval>& fine = at(owned, Axis::C).blocks;
    AxisPartition coarse{{}, {GridAxis::F, GridAxis::C}};
    const std::size_t parts =
        static_cast<std::size_t>(grid.parts[GridAxis::F]) * static_cast<std::size_t>(grid.parts[GridAxis::C]);
    const std::size_t ratio = fine.size() / parts;
    for (std::size_t k = 0; k < parts; ++k) coarse.blocks.push_back({fine[k * ratio].lo, fine[(k + 1) * ratio - 1].hi});
    at(work.computed, Axis::C) = coarse;
  }
  return work;
}

/// True for equal intervals; all empty ones are equal.
bool are_equal(const std::vector<Interval>& a, const std::vector<Interval>& b) {
  const auto same = [](Interval x, Interval y) { return x == y || (x.is_empty() && y.is_empty()); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

/// True if contributions have to be added up: some rank computes another box than it owns, or contracted space is divided.
bool needs_sum(const AxisArray& owned, const Work& work, const Grid& grid) {
  if (!are_equal(at(owned, Axis::C).blocks, at(work.computed, Axis::C).blocks)) return true;
  return std::any_of(spatial_axes.begin(), spatial_axes.end(),
                     [&](Axis axis) { return !at(work.contracted, axis).by.empty() && grid.parts[divider_of(axis)] > 1; });
}

/// The distribution of an input's needed boxes, axis by axis: needed_box is separable, so each axis is evaluated with whole boxes
/// along the others. Grid axes that cut an axis of the work region cut the input axis that depends on it.
Distribution needed_distribution(const Network& network, const Node& node, std::size_t operand, const Grid& grid,
                                 const Work& work) {
  AxisArray axes;
  const std::array<Axis, num_axes> from = work_axes(network, node, operand);
  for (Axis axis : all_axes) {
    const Axis work_axis = from[static_cast<std::size_t>(axis)];
    const AxisPartition& computed = at(work.computed, work_axis);
    const AxisPartition& contracted = at(work.contracted, axis);
    AxisPartition& need = at(axes, axis);
    need.by = computed.by.empty() ? contracted.by : computed.by;
    const std::size_t count = std::max(computed.blocks.size(), contracted.blocks.size());
    for (std::size_t k = 0; k < count; ++k) {
      const Interval out = computed.blocks[computed.blocks.size() == 1 ? 0 : k];
      const Interval sum = contracted.blocks[contracted.blocks.size() == 1 ? 0 : k];
      const WorkRegion region{.computed = Box::whole(output_extents(network, node)).with(work_axis, out),
                              .contracted = whole_contracted(network, node).with(axis, sum)};
      need.blocks.push_back(out.is_empty() || sum.is_empty() ? Interval{0, 0} : needed_box(network, node, operand, region)[axis]);
    }
  }
  return Distribution(grid, std::move(axes));
}

}  // namespace

WorkRegion Placement::work(int rank) const {
  WorkRegion result{.computed = computed.box(rank), .contracted = contracted.box(rank)};
  if (result.contracted.is_empty()) result.computed = {};
  return result;
}

std::vector<WorkRegion> Placement::partial_sums(int rank) const {
  const WorkRegion whole = work(rank);
  if (whole.computed.is_empty()) return {};
  if (!channels || is_cut_off_leaves) return {whole};
  std::vector<WorkRegion> result;
  for (const Interval inputs : subtrees_of(*channels, whole.contracted[Axis::C])) {
    const Interval outputs = intersect(whole.computed[Axis::C], outputs_of(*channels, inputs));
    if (!outputs.is_empty()) result.push_back({whole.computed.with(Axis::C, outputs), whole.contracted.with(Axis::C, inputs)});
  }
  return result;
}

std::vector<int> Placement::joins(std::span<const Interval> contracted_channels) const {
  if (!channels || is_cut_off_leaves || contracted_channels.size() < 3) return {};
  const index_t first = contracted_channels.front().lo / channels->ic * channels->ic;
  std::vector<Interval> parts;
  for (const Interval part : contracted_channels) {
    const auto leaves = channels->leaves.leaves_in(part.shifted(-first));
    PARCONV_EXPECT(leaves, part, " of ", channels->ic, " input channels cuts a leaf");
    parts.push_back(*leaves);
  }
  return joins_after(channels->leaves.count, parts);
}

Placement place(const Network& network, const Node& node, const NodePlan& plan) {
  Placement placement{.grid = plan.grid, .stage = plan.stage, .channels = channel_groups(node.op)};
  const AxisArray owned = owned_axes(network, node, plan);
  const Work work = divide_work(network, node, plan, owned);
  placement.owned = Distribution(plan.grid, owned);
  placement.computed = Distribution(plan.grid, work.computed);
  placement.contracted = Distribution(plan.grid, work.contracted);
  placement.is_summed = needs_sum(owned, work, plan.grid);
  placement.is_cut_off_leaves = work.is_cut_off_leaves;
  for (std::size_t operand = 0; operand < node.inputs.size(); ++operand) {
    const bool is_residual = operand >= node.num_operands();
    placement.needs.push_back(is_residual ? placement.owned : needed_distribution(network, node, operand, plan.grid, work));
  }
  return placement;
}

}  // namespace parconv
