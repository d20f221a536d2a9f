// SPDX-License-Identifier: Apache-2.0
// Splits as users write them: "h=2,w=2", "stages=2,h=2", "f", "rule", "auto".
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "parconv/geometry/grid.hpp"

namespace parconv {

/// A product of counts; stages * the product of parts = the number of ranks.
struct Split {
  int stages = 1;
  GridVector parts{{1, 1, 1, 1, 1, 1}};

  int num_ranks() const;
  friend bool operator==(const Split&, const Split&) = default;
};

/// Policies by which parconv chooses the split.
enum class SplitPolicy {
  Auto,  ///< the best available policy: the rule, until a planner exists
  Rule   ///< the written rule of rule_partitioner
};

/// One split for all operators, or a policy that chooses one for each.
using SplitRequest = std::variant<Split, SplitPolicy>;

/// Reads "auto", "rule" or a comma-separated product. Axes: n f c d h w stages; names: batch = n, spatial = d for 3-D data
/// (`spatial_ndims` 3) or else h, filter = f, channel = c, pipeline = stages. One axis without a count takes the remaining
/// ranks. Local. Throws Error(Usage) naming the factor, the number of ranks and splits that fit. Example: "h=2,f" on 8 ranks is
/// h=2, f=4.
SplitRequest parse_split(std::string_view spec, int num_ranks, int spatial_ndims);

/// "stages=2,h=2"; "1" for one rank.
std::string to_string(const Split& split);

/// "auto", "rule", or the split.
std::string to_string(const SplitRequest& request);

}  // namespace parconv
