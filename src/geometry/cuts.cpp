// SPDX-License-Identifier: Apache-2.0
#include "parconv/geometry/cuts.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"

namespace parconv {

Cuts block_cuts(index_t extent, int parts, index_t grain) {
  PARCONV_EXPECT(extent >= 0 && parts >= 1 && grain >= 1, "extent ", extent, ", parts ", parts, ", grain ", grain);
  index_t block = ceil_div(extent, parts);
  const index_t rounded = ceil_div(block, grain) * grain;
  if (extent - (parts - 1) * rounded >= grain) block = rounded;
  Cuts cuts(static_cast<std::size_t>(parts) + 1);
  for (int k = 0; k <= parts; ++k) cuts[static_cast<std::size_t>(k)] = std::min(extent, k * block);
  cuts.back() = extent;
  return cuts;
}

std::optional<Cuts> shared_group_cuts(index_t groups, index_t group_size, int parts,
                                      const std::function<std::optional<Cuts>(int)>& cuts_of_group) {
  Cuts cuts{0};
  int parts_left = parts;
  for (index_t group = 0; group < groups; ++group) {
    const int parts_here = static_cast<int>(ceil_div(parts_left, groups - group));
    const std::optional<Cuts> inner = cuts_of_group(parts_here);
    if (!inner) return std::nullopt;
    for (std::size_t k = 1; k < inner->size(); ++k) cuts.push_back(group * group_size + (*inner)[k]);
    parts_left -= parts_here;
  }
  return cuts;
}

Cuts group_cuts(index_t groups, index_t group_size, int parts, index_t grain) {
  if (groups == 1) return block_cuts(group_size, parts, grain);
  if (groups < parts)
    return *shared_group_cuts(groups, group_size, parts, [&](int inner) { return block_cuts(group_size, inner, grain); });
  // Whole groups: the grain in groups is the smallest that fills `grain` channels.
  Cuts cuts = block_cuts(groups, parts, ceil_div(grain, group_size));
  for (index_t& cut : cuts) cut *= group_size;
  return cuts;
}

std::vector<Interval> blocks_of(const Cuts& cuts) {
  std::vector<Interval> blocks;
  for (std::size_t k = 0; k + 1 < cuts.size(); ++k) blocks.push_back({cuts[k], cuts[k + 1]});
  return blocks;
}

bool are_valid_cuts(const Cuts& cuts, index_t extent, int parts) {
  return parts >= 1 && cuts.size() == static_cast<std::size_t>(parts) + 1 && cuts.front() == 0 && cuts.back() == extent &&
         std::is_sorted(cuts.begin(), cuts.end());
}

}  // namespace parconv
