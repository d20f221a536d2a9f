// The written rule for `auto`: which parts an operator gets on a number of ranks.
#pragma once

#include "parconv/geometry/grid.hpp"
#include "parconv/model/network.hpp"

namespace parconv {

/// Parts whose product is `num_ranks`; see make_plan for the rule.
GridVector auto_parts(const Network& network, const Node& node, int num_ranks);

}  // namespace parconv
