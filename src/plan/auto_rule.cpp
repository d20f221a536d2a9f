// SPDX-License-Identifier: Apache-2.0
// The written rule: docs/auto-rule.md.
#include <algorithm>
#include <limits>
#include <optional>

#include "parconv/core/error.hpp"
#include "parconv/plan/plan.hpp"

namespace parconv {
namespace {

constexpr index_t min_pixels = 4;
constexpr index_t min_channels = 16;

GridVector only(GridAxis axis, int count) {
  GridVector parts{{1, 1, 1, 1, 1, 1}};
  parts[axis] = count;
  return parts;
}

index_t smallest_block(const Cuts& cuts) {
  index_t smallest = std::numeric_limits<index_t>::max();
  for (Interval block : blocks_of(cuts)) smallest = std::min(smallest, block.size());
  return smallest;
}

/// True if a split along one axis leaves every rank enough indices.
bool has_large_parts(const Network& network, const Node& node, const GridVector& parts, Axis axis, index_t at_least) {
  const auto cuts = default_cuts(network, node, Grid{.parts = parts});
  return smallest_block(cuts[static_cast<std::size_t>(axis)]) >= at_least;
}

/// Of the grids h x w with enough pixels a rank, the one with the shortest border (rows + columns of a rank).
std::optional<GridVector> best_grid(const Network& network, const Node& node, int num_ranks) {
  const Extents& out = network.value(node.output).extents;
  std::optional<GridVector> best;
  index_t shortest = std::numeric_limits<index_t>::max();
  for (int h = num_ranks; h >= 1; --h) {
    if (num_ranks % h != 0) continue;
    const int w = num_ranks / h;
    const index_t border = ceil_div(out[Axis::H], h) + ceil_div(out[Axis::W], w);
    const bool is_wide_enough =
        smallest_block(block_cuts(out[Axis::H], h)) >= min_pixels && smallest_block(block_cuts(out[Axis::W], w)) >= min_pixels;
    if (!is_wide_enough || border >= shortest) continue;
    shortest = border;
    best = only(GridAxis::H, h);
    (*best)[GridAxis::W] = w;
  }
  return best;
}

/// The first applicable line of the rule; the product of the parts is `num_ranks`.
GridVector parts_by_rule(const Network& network, const Node& node, int num_ranks) {
  PARCONV_EXPECT(!network.inputs.empty(), "a network without inputs");
  if (network.value(network.inputs.front()).extents[Axis::N] >= num_ranks) return only(GridAxis::N, num_ranks);
  const bool is_3d = network.value(network.inputs.front()).ndims == 5;
  const GridVector by_rows = only(is_3d ? GridAxis::D : GridAxis::H, num_ranks);
  if (has_large_parts(network, node, by_rows, is_3d ? Axis::D : Axis::H, min_pixels)) return by_rows;
  const GridVector by_filters = only(GridAxis::F, num_ranks);
  if (has_large_parts(network, node, by_filters, Axis::C, min_channels)) return by_filters;
  return best_grid(network, node, num_ranks).value_or(by_rows);
}

}  // namespace

Partitioner rule_partitioner() {
  return [](const Network& network, int num_ranks) {
    Partition partition;
    for (const Node& node : network.nodes)
      partition.nodes.push_back({.grid = {.parts = parts_for_node(network, node, parts_by_rule(network, node, num_ranks))}});
    return partition;
  };
}

}  // namespace parconv
