// SPDX-License-Identifier: Apache-2.0
#include "plan/validate.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Validates a plan from a file or a caller against the network.
class PlanValidator {
 public:
  PlanValidator(const Plan& plan, const Network& network)
      : plan_(plan), network_(network), producers_(producers_of_values(network)) {}

  /// Checks everything but the cuts, whose number follows from the grids.
  void check_grids() const {
    if (plan_.num_ranks < 1 || plan_.num_stages < 1)
      throw Error(ExitCode::BadData,
                  concat("the plan has ", plan_.num_ranks, " ranks and ", plan_.num_stages, " stages; both must be at least 1"));
    if (plan_.nodes.size() != network_.nodes.size())
      throw Error(ExitCode::BadData,
                  concat("the plan is for ", plan_.nodes.size(), " operators, but the network has ", network_.nodes.size()),
                  "write a plan for this network with --dry-run");
    for (NodeId id = 0; id < static_cast<NodeId>(plan_.nodes.size()); ++id) {
      check_grid(id);
      check_stage(id);
    }
  }

  /// Precondition: check_grids passed.
  void check_cuts() const {
    for (NodeId id = 0; id < static_cast<NodeId>(plan_.nodes.size()); ++id) {
      for (Axis axis : all_axes) check_cuts(id, axis);
      if (!node_plan(id).ic_cuts.empty()) check_ic_cuts(id);
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
               concat("stage ", stage, " comes before stage ", node_plan(producer).stage, ", which produces its input '",
                      network_.value(input).name, "'"),
               concat("assign it to stage ", node_plan(producer).stage, " or later"));
    }
  }

  void check_cuts(NodeId id, Axis axis) const {
    const Node& node = network_.node(id);
    const index_t extent = network_.value(node.output).extents[axis];
    const int parts = num_owned_parts(network_, node, node_plan(id).grid, axis);
    const Cuts& cuts = node_plan(id).cuts[static_cast<std::size_t>(axis)];
    if (are_valid_cuts(cuts, extent, parts)) return;
    refuse(id,
           concat("the cuts along ", name_of(axis), " (", written(cuts), ") do not divide 0 to ", extent, " into ", parts,
                  " blocks"),
           concat("for example ", written(default_cuts(network_, node, node_plan(id).grid)[static_cast<std::size_t>(axis)])));
  }

  void check_ic_cuts(NodeId id) const {
    const auto channels = channel_groups(network_.node(id).op);
    if (!channels) refuse(id, "it has cuts along ic, but no sums over input channels", "leave them out");
    const Grid& grid = node_plan(id).grid;
    if (channels->groups > 1 && grid.parts[GridAxis::F] > 1)
      refuse(id, concat("it has cuts along ic, ", channels->groups, " groups and f=", grid.parts[GridAxis::F]),
             "with cuts along ic, divide a grouped operator by c only");
    const index_t extent = channels->groups * channels->ic;
    const int parts = grid.parts[GridAxis::C];
    if (are_valid_cuts(node_plan(id).ic_cuts, extent, parts)) return;
    refuse(id,
           concat("the cuts along ic (", written(node_plan(id).ic_cuts), ") do not divide 0 to ", extent, " into ", parts,
                  " blocks, the parts of c"),
           concat("for example ", written(block_cuts(extent, parts))));
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

void validate_grids(const Plan& plan, const Network& network) { PlanValidator(plan, network).check_grids(); }

void validate(const Plan& plan, const Network& network) {
  const PlanValidator validator(plan, network);
  validator.check_grids();
  validator.check_cuts();
}

}  // namespace parconv
