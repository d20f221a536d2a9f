// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/sum_tree.hpp"

#include <bit>
#include <cstdint>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

constexpr index_t most_coarse_leaves = 8, most_fine_leaves = 64;
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

/// Counts the joins of the tree over the leaves [first, first + count).
void count_joins(std::vector<int>& joins, index_t first, index_t count) {
  if (count == 1) return;
  const index_t front = ceil_div(count, 2);
  count_joins(joins, first, front);
  count_joins(joins, first + front, count - front);
  ++joins[static_cast<std::size_t>(first + count - 1)];
}

}  // namespace

Interval SumLeaves::leaf(index_t k) const {
  PARCONV_EXPECT(0 <= k && k < count && count <= channels, "leaf ", k, " of ", count, " over ", channels, " channels");
  return {k * channels / count, (k + 1) * channels / count};
}

SumLeaves leaves_of(index_t channels, index_t taps, LeafRule rule) {
  PARCONV_EXPECT(channels >= 1 && taps >= 1, channels, " channels, ", taps, " taps");
  const index_t count = rule == LeafRule::Coarse ? coarse_count(channels, taps) : std::min(most_fine_leaves, channels);
  return {.channels = channels, .count = count};
}

std::vector<int> joins_after_leaves(index_t count) {
  PARCONV_EXPECT(count >= 1, count, " leaves");
  std::vector<int> joins(static_cast<std::size_t>(count));
  count_joins(joins, 0, count);
  return joins;
}

}  // namespace parconv
