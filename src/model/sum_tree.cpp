// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/sum_tree.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

constexpr index_t most_coarse_leaves = 8;
constexpr index_t least_channels_of_leaf = 64, least_products_of_leaf = 512;

/// min(most_coarse_leaves, channels * taps / least_products_of_leaf) without overflow: factors beyond `enough` change nothing.
index_t leaves_by_products(index_t channels, index_t taps) {
  constexpr index_t enough = most_coarse_leaves * least_products_of_leaf;
  const index_t products = std::min(channels, enough) * std::min(taps, enough);
  return std::min(most_coarse_leaves, products / least_products_of_leaf);
}

index_t coarse_count(index_t channels, index_t taps) {
  const index_t limit = std::min(channels / least_channels_of_leaf, leaves_by_products(channels, taps));
  return static_cast<index_t>(std::bit_floor(static_cast<std::uint64_t>(std::max<index_t>(limit, 1))));
}

/// The first child of a node of the tree.
Interval front_of(Interval node) { return {node.lo, node.lo + ceil_div(node.size(), 2)}; }
Interval back_of(Interval node) { return {front_of(node).hi, node.hi}; }

/// Counts the joins of the node `node`, whose parts are `parts`.
void count_joins(Interval node, std::span<const Interval> parts, std::span<int> joins) {
  if (parts.size() < 2) return;
  PARCONV_EXPECT(node.size() > 1, parts.size(), " parts of a leaf");
  const auto middle = std::find_if(parts.begin(), parts.end(), [&](Interval part) { return part.lo >= front_of(node).hi; });
  const auto in_front = static_cast<std::size_t>(middle - parts.begin());
  count_joins(front_of(node), parts.first(in_front), joins.first(in_front));
  count_joins(back_of(node), parts.subspan(in_front), joins.subspan(in_front));
  if (in_front > 0 && in_front < parts.size()) ++joins.back();
}

void add_subtrees(Interval node, Interval range, std::vector<Interval>& result) {
  if (intersect(node, range).is_empty()) return;
  if (range.contains(node)) return result.push_back(node);
  add_subtrees(front_of(node), range, result);
  add_subtrees(back_of(node), range, result);
}

void add_nodes_at_depth(Interval node, int parts, std::vector<index_t>& cuts) {
  if (parts == 1) return cuts.push_back(node.hi);
  add_nodes_at_depth(front_of(node), parts / 2, cuts);
  add_nodes_at_depth(back_of(node), parts / 2, cuts);
}

}  // namespace

Interval SumLeaves::leaf(index_t k) const {
  PARCONV_EXPECT(0 <= k && k < count && count <= channels, "leaf ", k, " of ", count, " over ", channels, " channels");
  return {border(k), border(k + 1)};
}

SumLeaves leaves_of(index_t channels, index_t taps, LeafRule rule) {
  PARCONV_EXPECT(channels >= 1 && taps >= 1, channels, " channels, ", taps, " taps");
  const index_t count = rule == LeafRule::Coarse ? coarse_count(channels, taps) : std::min(most_leaves, channels);
  return {.channels = channels, .count = count};
}

std::optional<Interval> SumLeaves::leaves_in(Interval part) const {
  const auto first_leaf_from = [&](index_t channel) { return ceil_div(channel * count, channels); };
  const Interval leaves{first_leaf_from(part.lo), first_leaf_from(part.hi)};
  if (border(leaves.lo) != part.lo || border(leaves.hi) != part.hi) return std::nullopt;
  return leaves;
}

std::vector<int> joins_after(index_t count, std::span<const Interval> parts) {
  PARCONV_EXPECT(count >= 1, count, " leaves");
  std::vector<int> joins(parts.size());
  count_joins({0, count}, parts, joins);
  return joins;
}

std::vector<int> joins_after_leaves(index_t count) {
  PARCONV_EXPECT(count >= 1, count, " leaves");
  std::vector<Interval> leaves;
  for (index_t k = 0; k < count; ++k) leaves.push_back({k, k + 1});
  return joins_after(count, leaves);
}

std::vector<Interval> subtrees_of(index_t count, Interval range) {
  PARCONV_EXPECT(0 <= range.lo && range.hi <= count, range, " of ", count, " leaves");
  std::vector<Interval> result;
  add_subtrees({0, count}, range, result);
  return result;
}

std::vector<index_t> tree_cuts(index_t count, int parts) {
  PARCONV_EXPECT(count >= 1 && parts >= 1, count, " leaves in ", parts, " parts");
  std::vector<index_t> cuts{0};
  if (std::has_single_bit(static_cast<unsigned>(parts)) && parts <= count) {
    add_nodes_at_depth({0, count}, parts, cuts);
  } else {
    for (index_t k = 1; k <= parts; ++k) cuts.push_back(ceil_div(k * count, parts));
  }
  return cuts;
}

}  // namespace parconv
