// What a user asks for: "h=2,w=2", "stages=2,h=2", "f", "auto".
#pragma once

#include <string>
#include <string_view>

#include "parconv/geometry/grid.hpp"

namespace parconv {

/// A product of counts; stages * the product of parts = the number of ranks. `is_auto` leaves the choice to the rule.
struct Split {
  bool is_auto = false;
  int stages = 1;
  GridVector parts{{1, 1, 1, 1, 1, 1}};

  int num_ranks() const;
  friend bool operator==(const Split&, const Split&) = default;
};

/// Reads a comma-separated product. Axes: n f c d h w stages; names: batch = n, spatial = d for 3-D data (`spatial_ndims` 3)
/// or else h, filter = f, channel = c, pipeline = stages. One axis without a count takes all ranks that are left. "auto" is the
/// rule. Throws Error(Usage) that names the factor, the number of ranks and what would fit.
Split parse_split(std::string_view spec, int num_ranks, int spatial_ndims);

/// "stages=2,h=2"; "auto"; "1" for one rank.
std::string to_string(const Split& split);

}  // namespace parconv
