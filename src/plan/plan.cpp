#include "parconv/plan/plan.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"
#include "parconv/model/localise.hpp"
#include "plan/auto_rule.hpp"

namespace parconv {
namespace {

constexpr index_t channel_grain = 16;

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

/// A row sum adds up its columns wherever they are; every other operator needs extent to be divided.
bool can_divide(const Network& network, const Node& node, Axis axis) {
  if (output_extents(network, node)[axis] > 1) return true;
  return std::holds_alternative<RowSum>(node.op) && axis == Axis::W && network.value(node.inputs.front()).extents[axis] > 1;
}

void check_split(const Network& network, const Split& split, int num_ranks) {
  if (split.num_ranks() != num_ranks)
    throw Error(ExitCode::Usage,
                concat("split ", to_string(split), " needs ", split.num_ranks(), " ranks, but the job has ", num_ranks),
                concat("start ", split.num_ranks(), " ranks with mpirun -np ", split.num_ranks(), ", or change the split"));
  if (static_cast<std::size_t>(split.stages) > network.nodes.size())
    throw Error(ExitCode::Usage,
                concat("split ", to_string(split), " asks for ", split.stages, " pipeline stages, but the network has ",
                       network.nodes.size(), " operators after fusion"),
                concat("ask for at most ", network.nodes.size(), " stages and divide the rest along another axis"));
}

/// Refuses a plan of a file or of a caller that does not fit the network.
class PlanValidator {
 public:
  PlanValidator(const Plan& plan, const Network& network)
      : plan_(plan), network_(network), producers_(producers_of_values(network)) {}

  void run() const {
    if (plan_.num_ranks < 1 || plan_.num_stages < 1)
      throw Error(ExitCode::BadData,
                  concat("a plan for ", plan_.num_ranks, " ranks and ", plan_.num_stages, " stages; both must be at least 1"));
    if (plan_.nodes.size() != network_.nodes.size())
      throw Error(ExitCode::BadData,
                  concat("a plan for ", plan_.nodes.size(), " operators, but the network has ", network_.nodes.size()),
                  "write a plan for this network with --dry-run");
    for (NodeId id = 0; id < static_cast<NodeId>(plan_.nodes.size()); ++id) {
      check_grid(id);
      check_stage(id);
      for (Axis axis : all_axes) check_cuts(id, axis);
    }
  }

 private:
  const NodePlan& node_plan(NodeId id) const { return plan_.nodes[static_cast<std::size_t>(id)]; }

  [[noreturn]] void refuse(NodeId id, const std::string& why, const std::string& hint) const {
    const Node& node = network_.node(id);
    throw Error(ExitCode::BadData, concat("plan of '", network_.value(node.output).name, "' (", name_of(node.op), "): ", why),
                hint);
  }

  void check_grid(NodeId id) const {
    const Grid& grid = node_plan(id).grid;
    index_t ranks = 1;
    for (GridAxis axis : all_grid_axes) {
      if (grid.parts[axis] < 1) refuse(id, concat(name_of(axis), "=", grid.parts[axis]), "a count must be at least 1");
      ranks = std::min(ranks * grid.parts[axis], index_t{plan_.num_ranks} + 1);
    }
    if (grid.first_rank < 0 || grid.first_rank + ranks > plan_.num_ranks)
      refuse(id, concat("split ", grid, " from rank ", grid.first_rank, " does not fit the ranks 0 to ", plan_.num_ranks - 1),
             "lower its counts or its first_rank, or plan for more ranks");
  }

  void check_stage(NodeId id) const {
    const int stage = node_plan(id).stage;
    if (stage < 0 || stage >= plan_.num_stages)
      refuse(id, concat("stage ", stage, " is not one of 0 to ", plan_.num_stages - 1), "raise the number of stages of the plan");
    for (ValueId input : network_.node(id).inputs) {
      const NodeId producer = producers_[static_cast<std::size_t>(input)];
      if (producer >= 0 && node_plan(producer).stage > stage)
        refuse(id,
               concat("stage ", stage, " comes before stage ", node_plan(producer).stage, ", which makes its input '",
                      network_.value(input).name, "'"),
               concat("give it stage ", node_plan(producer).stage, " or a later one"));
    }
  }

  void check_cuts(NodeId id, Axis axis) const {
    const Node& node = network_.node(id);
    const index_t extent = output_extents(network_, node)[axis];
    const int parts = num_owned_parts(network_, node, node_plan(id).grid, axis);
    const Cuts& cuts = node_plan(id).cuts[index(axis)];
    if (are_valid_cuts(cuts, extent, parts)) return;
    refuse(id, concat("the cuts along ", name_of(axis), " (", written(cuts), ") are not ", parts, " pieces of 0 to ", extent),
           concat("for example ", written(default_cuts(network_, node, node_plan(id).grid)[index(axis)])));
  }

  static std::string written(const Cuts& cuts) {
    std::string text;
    for (index_t cut : cuts) text += concat(text.empty() ? "" : " ", cut);
    return text;
  }

  const Plan& plan_;
  const Network& network_;
  std::vector<NodeId> producers_;
};

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

Plan make_plan(const Network& network, const Split& split, int num_ranks) {
  PARCONV_EXPECT(num_ranks >= 1, "ranks ", num_ranks);
  if (!split.is_auto) check_split(network, split, num_ranks);
  const std::vector<int> stages = balanced_stages(network, split.stages);
  const int ranks_per_stage = num_ranks / split.stages;
  Plan plan{.num_ranks = num_ranks, .num_stages = split.stages};
  for (NodeId id = 0; id < static_cast<NodeId>(network.nodes.size()); ++id) {
    const Node& node = network.node(id);
    const int stage = stages[static_cast<std::size_t>(id)];
    const GridVector asked = split.is_auto ? auto_parts(network, node, num_ranks) : split.parts;
    const Grid grid{.first_rank = stage * ranks_per_stage, .parts = parts_for_node(network, node, asked)};
    plan.nodes.push_back({.grid = grid, .stage = stage, .cuts = default_cuts(network, node, grid)});
  }
  return plan;
}

void validate(const Plan& plan, const Network& network) { PlanValidator(plan, network).run(); }

}  // namespace parconv
