// How one axis is cut into consecutive pieces.
#pragma once

#include <vector>

#include "parconv/geometry/box.hpp"

namespace parconv {

/// The borders of consecutive pieces: piece k is [cuts[k], cuts[k + 1]). Never decreasing, from 0 to the extent.
using Cuts = std::vector<index_t>;

/// Equal blocks of ceil(extent / parts), rounded up to `grain` where every part still gets at least one grain; the last blocks
/// take what is left, which may be nothing.
/// Example: 14 rows in 4 parts are 4, 4, 4, 2; 7 rows are 2, 2, 2, 1; 2 rows in 3 parts are 1, 1, 0. With grain 16, 120 channels
/// in 3 parts are 48, 48, 24; 100 are 34, 34, 32, because 48, 48, 4 would leave less than a grain.
Cuts block_cuts(index_t extent, int parts, index_t grain = 1);

/// Cuts of `groups * group_size` channels that never give a part pieces of two groups that it does not hold whole: whole groups
/// a part while there are enough groups, otherwise each group is shared by consecutive parts and cut by `grain`.
/// Example: 2 groups of 6 in 3 parts are 3, 3, 6; 6 groups of 2 in 4 parts are 4, 4, 4, 0.
Cuts group_cuts(index_t groups, index_t group_size, int parts, index_t grain = 1);

/// The pieces between the cuts.
std::vector<Interval> pieces_of(const Cuts& cuts);

/// True if `cuts` are `parts` pieces that cover [0, extent) in order.
bool are_valid_cuts(const Cuts& cuts, index_t extent, int parts);

}  // namespace parconv
