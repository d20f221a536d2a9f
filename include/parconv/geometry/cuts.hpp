// SPDX-License-Identifier: Apache-2.0
// Block partitions of one axis.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "parconv/geometry/box.hpp"

namespace parconv {

/// Boundaries of consecutive blocks: block k is [cuts[k], cuts[k + 1]). Non-decreasing, from 0 to the extent.
using Cuts = std::vector<index_t>;

/// The grain of channels: parts are multiples of it where every part gets as many.
inline constexpr index_t channel_grain = 16;

/// Blocks of ceil(extent / parts), rounded up to a multiple of `grain` if every part still gets at least one grain. The last
/// blocks take the remainder and may be empty.
/// Example: 14 rows in 4 parts are 4, 4, 4, 2; 7 rows are 2, 2, 2, 1; 2 rows in 3 parts are 1, 1, 0. With grain 16, 120
/// channels in 3 parts are 48, 48, 24; 100 are 34, 34, 32, because 48, 48, 4 would leave less than a grain.
Cuts block_cuts(index_t extent, int parts, index_t grain = 1);

/// Cuts of `groups * group_size` channels in which each part holds either whole groups or a block of one group. With at least
/// as many groups as parts, each part takes whole groups; otherwise consecutive parts share a group, cut by `grain`.
/// Example: 2 groups of 6 in 3 parts are 3, 3, 6; 6 groups of 2 in 4 parts are 4, 4, 4, 0.
Cuts group_cuts(index_t groups, index_t group_size, int parts, index_t grain = 1);

/// Cuts of `groups * group_size` channels for fewer groups than parts: consecutive parts share a group. `cuts_of_group` gives the
/// cuts of one group in a number of parts, or none; the result is none as soon as one group has none.
std::optional<Cuts> shared_group_cuts(index_t groups, index_t group_size, int parts,
                                      const std::function<std::optional<Cuts>(int)>& cuts_of_group);

/// The blocks as intervals.
std::vector<Interval> blocks_of(const Cuts& cuts);

/// True if `cuts` describes `parts` consecutive blocks that cover [0, extent).
bool are_valid_cuts(const Cuts& cuts, index_t extent, int parts);

}  // namespace parconv
