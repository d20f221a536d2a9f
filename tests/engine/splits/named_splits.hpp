// SPDX-License-Identifier: Apache-2.0
// The named splits for a number of ranks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "parconv/core/error.hpp"
#include "parconv/plan/plan.hpp"
#include "parconv/program/explain.hpp"

namespace parconv::test {

/// The two factors of a split as text: `first` and `second` both use more than one rank, and their product is `ranks`.
inline void append_grids(std::vector<std::string>& splits, std::string_view first, std::string_view second, int ranks) {
  for (int k = 2; k * 2 <= ranks; ++k)
    if (ranks % k == 0) splits.push_back(concat(first, "=", k, ",", second, "=", ranks / k));
}

/// All splits by one axis, the pipeline, and grids of two axes on `ranks` ranks for data of `spatial_ndims`.
inline std::vector<std::string> named_splits(int ranks, int spatial_ndims) {
  if (ranks == 1) return {"1"};
  std::vector<std::string> splits{"n", "h", "f", "c", "stages"};
  if (spatial_ndims >= 2) splits.emplace_back("w");
  if (spatial_ndims == 3) splits.emplace_back("d");
  if (spatial_ndims >= 2) append_grids(splits, "h", "w", ranks);
  if (spatial_ndims >= 2) append_grids(splits, "f", "w", ranks);
  append_grids(splits, "c", "h", ranks);
  append_grids(splits, "n", "f", ranks);
  append_grids(splits, "stages", "h", ranks);
  append_grids(splits, "stages", "c", ranks);
  return splits;
}

/// The promise of a split about its result.
inline bool divides(const Split& split, GridAxis axis) { return split.parts[axis] > 1; }
/// The bits of one rank: no sum is cut inside a leaf.
inline bool is_exact(const Network& network, const Split& split, int ranks) {
  return off_leaves_text(network, make_plan(network, split, ranks)).empty();
}

}  // namespace parconv::test
