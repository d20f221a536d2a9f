// The written rule for `auto`: which parts an operator gets on a number of ranks.
#pragma once

#include "parconv/model/network.hpp"
#include "parconv/geometry/grid.hpp"

namespace parconv {

/// Parts whose product is `num_ranks`; see make_plan for the rule.
GridVector auto_parts(const Network& network, const Node& node, int num_ranks);

}  // namespace parconv
