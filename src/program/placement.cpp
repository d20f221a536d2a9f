// SPDX-License-Identifier: Apache-2.0
#include "parconv/program/placement.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using AxisArray = std::array<AxisPartition, num_axes>;

AxisPartition& at(AxisArray& axes, Axis axis) { return axes[static_cast<std::size_t>(axis)]; }
const AxisPartition& at(const AxisArray& axes, Axis axis) { return axes[static_cast<std::size_t>(axis)]; }

const Extents& input_extents(const Network& network, const Node& node) { return network.value(node.inputs[0]).extents; }
const Extents& output_extents(const Network& network, const Node& node) { return network.value(node.output).extents; }

/// The grid axis that divides a contracted input axis.
GridAxis divider_of(Axis axis) {
  switch (axis) {
    case Axis::C:
      return GridAxis::C;
    case Axis::D:
      return GridAxis::D;
    case Axis::H:
      return GridAxis::H;
    case Axis::W:
      return GridAxis::W;
    case Axis::N:
      break;
  }
  PARCONV_EXPECT(false, "samples are never contracted");
  return GridAxis::N;
}

AxisArray owned_axes(const Network& network, const Node& node, const NodePlan& plan) {
  AxisArray axes;
  for (Axis axis : all_axes)
    at(axes, axis) = {blocks_of(plan.cuts[static_cast<std::size_t>(axis)]), owned_by(network, node, axis)};
  return axes;
}

bool are_at_group_borders(const std::vector<Interval>& blocks, index_t group_size) {
  return std::all_of(blocks.begin(), blocks.end(), [&](Interval p) { return p.lo % group_size == 0 && p.hi % group_size == 0; });
}

/// The fixed blocks of one rank along c of `parts`, for ordered sums.
Interval blocks_of_part(const std::vector<Interval>& blocks, int parts, int part) {
  const Cuts cuts = block_cuts(static_cast<index_t>(blocks.size()), parts);
  const Interval range{cuts[static_cast<std::size_t>(part)], cuts[static_cast<std::size_t>(part) + 1]};
  if (range.is_empty()) return {0, 0};
  return {blocks[static_cast<std::size_t>(range.lo)].lo, blocks[static_cast<std::size_t>(range.hi) - 1].hi};
}

/// Constraints on dividing the sums over the input channels of a convolution.
struct ChannelSums {
  std::vector<Interval> blocks{};  ///< summed separately and added in order; empty: no fixed blocks
  bool has_whole_groups = false;   ///< one rank computes the whole sum of a group, which has no fixed blocks
};

/// Divides the channels of convolutions: by (f, c), the output channels that a rank computes and the input channels that it
/// sums over.
class ConvChannels {
 public:
  ConvChannels(const ChannelGroups& channels, const Grid& grid, std::vector<Interval> owned, const ChannelSums& sums)
      : channels_(channels),
        filter_parts_(grid.parts[GridAxis::F]),
        channel_parts_(grid.parts[GridAxis::C]),
        owned_(std::move(owned)),
        sums_(sums) {}

  void append_all(std::vector<Interval>& computed, std::vector<Interval>& contracted) const {
    for (int f = 0; f < filter_parts_; ++f)
      for (int c = 0; c < channel_parts_; ++c) {
        const Interval sums = summed_inputs(f, c);
        contracted.push_back(sums);
        computed.push_back(intersect(filter_block(f), outputs_of(sums)));
      }
  }

 private:
  index_t group_oc() const { return channels_.oc; }
  index_t group_ic() const { return channels_.ic; }

  /// All output channels owned by the ranks of filter part f.
  Interval filter_block(int f) const {
    const std::size_t per_filter = owned_.size() / static_cast<std::size_t>(filter_parts_);
    const std::size_t first = static_cast<std::size_t>(f) * per_filter;
    return {owned_[first].lo, owned_[first + per_filter - 1].hi};
  }

  Interval inputs_of(Interval outputs) const {
    if (outputs.is_empty()) return {0, 0};
    return {outputs.lo / group_oc() * group_ic(), ceil_div(outputs.hi, group_oc()) * group_ic()};
  }
  Interval outputs_of(Interval inputs) const {
    if (inputs.is_empty()) return {0, 0};
    return {inputs.lo / group_ic() * group_oc(), ceil_div(inputs.hi, group_ic()) * group_oc()};
  }

  Interval summed_inputs(int f, int c) const {
    if (!sums_.blocks.empty()) return blocks_of_part(sums_.blocks, channel_parts_, c);
    const bool is_one_block_each = owned_.size() == static_cast<std::size_t>(filter_parts_ * channel_parts_);
    // Every rank owns whole groups: it computes the owned channels only, and no sum is divided.
    if (channels_.groups > 1 && is_one_block_each && are_at_group_borders(owned_, group_oc()))
      return inputs_of(owned_[static_cast<std::size_t>(f * channel_parts_ + c)]);
    const Interval all = inputs_of(filter_block(f));
    if (all.is_empty()) return {0, 0};
    return sums_of_part(all.size(), c).shifted(all.lo);
  }

  /// Part c of `size` input channels that begin with a group's first.
  Interval sums_of_part(index_t size, int c) const {
    const auto part = static_cast<std::size_t>(c);
    const index_t num_groups = size / group_ic();
    if (sums_.has_whole_groups) {
      const Cuts cuts = block_cuts(num_groups, channel_parts_);
      return {cuts[part] * group_ic(), cuts[part + 1] * group_ic()};
    }
    const Cuts cuts = group_cuts(num_groups, group_ic(), channel_parts_, 16);
    return {cuts[part], cuts[part + 1]};
  }

  ChannelGroups channels_;
  int filter_parts_;
  int channel_parts_;
  std::vector<Interval> owned_;
  const ChannelSums& sums_;
};

struct Work {
  AxisArray computed{};
  AxisArray contracted{};
};

/// Starts from the owned intervals and replaces those of axes that the node contracts.
Work divide_work(const Network& network, const Node& node, const Grid& grid, const AxisArray& owned, const ChannelSums& sums) {
  const auto contracts = contracted_axes(network, node);
  Work work{.computed = owned};
  for (Axis axis : all_axes) at(work.contracted, axis) = {{{0, input_extents(network, node)[axis]}}, {}};
  for (Axis axis : spatial_axes) {
    if (!contracts[static_cast<std::size_t>(axis)]) continue;
    at(work.contracted, axis) = {blocks_of(block_cuts(input_extents(network, node)[axis], grid.parts[divider_of(axis)])),
                                 {divider_of(axis)}};
  }
  if (const auto channels = channel_groups(node.op)) {
    AxisPartition computed{{}, {GridAxis::F, GridAxis::C}};
    AxisPartition contracted = computed;
    ConvChannels(*channels, grid, at(owned, Axis::C).blocks, sums).append_all(computed.blocks, contracted.blocks);
    at(work.computed, Axis::C) = computed;
    at(work.contracted, Axis::C) = contracted;
    return work;
  }
  if (at(owned, Axis::C).by.size() > 2) {
    // Channels are owned in finer parts than they are computed: the ranks along the contracted space compute the same part.
    const std::vector<Interval>& fine = at(owned, Axis::C).blocks;
    AxisPartition coarse{{}, {GridAxis::F, GridAxis::C}};
    const std::size_t parts = static_cast<std::size_t>(grid.parts[GridAxis::F] * grid.parts[GridAxis::C]);
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
  for (Axis axis : spatial_axes)
    if (!at(work.contracted, axis).by.empty() && grid.parts[divider_of(axis)] > 1) return true;
  return false;
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

ChannelSums channel_sums(const Node& node, ReduceMode mode) {
  const auto channels = channel_groups(node.op);
  if (!channels || mode == ReduceMode::Fast) return {};
  if (channels->groups > 1) return {.has_whole_groups = true};
  return {.blocks = blocks_of(block_cuts(channels->ic, static_cast<int>(std::min<index_t>(max_ordered_blocks, channels->ic))))};
}

}  // namespace

WorkRegion Placement::work(int rank) const {
  WorkRegion result{.computed = computed.box(rank), .contracted = contracted.box(rank)};
  if (result.contracted.is_empty()) result.computed = {};
  return result;
}

std::vector<WorkRegion> Placement::work_regions_in_order(int rank) const {
  const WorkRegion whole = work(rank);
  if (ordered_blocks.empty()) return {whole};
  std::vector<WorkRegion> result;
  if (whole.computed.is_empty()) return result;
  for (Interval block : ordered_blocks) {
    const Interval channels = intersect(block, whole.contracted[Axis::C]);
    if (!channels.is_empty()) result.push_back({whole.computed, whole.contracted.with(Axis::C, channels)});
  }
  return result;
}

Placement place(const Network& network, const Node& node, const NodePlan& plan, ReduceMode mode) {
  const ChannelSums sums = channel_sums(node, mode);
  Placement placement{.grid = plan.grid, .stage = plan.stage, .ordered_blocks = sums.blocks};
  const AxisArray owned = owned_axes(network, node, plan);
  const Work work = divide_work(network, node, plan.grid, owned, sums);
  placement.owned = Distribution(plan.grid, owned);
  placement.computed = Distribution(plan.grid, work.computed);
  placement.contracted = Distribution(plan.grid, work.contracted);
  placement.is_summed = needs_sum(owned, work, plan.grid) || placement.ordered_blocks.size() > 1;
  for (std::size_t operand = 0; operand < node.inputs.size(); ++operand) {
    const bool is_residual = operand >= node.num_operands();
    placement.needs.push_back(is_residual ? placement.owned : needed_distribution(network, node, operand, plan.grid, work));
  }
  return placement;
}

}  // namespace parconv
