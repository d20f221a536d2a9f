// SPDX-License-Identifier: Apache-2.0
// Random plans, with a separate grid for every node.
#pragma once

#include <span>

#include "parconv/plan/plan.hpp"
#include "support/random.hpp"

namespace parconv::test {

/// A valid plan with random grids, first ranks and at most `num_stages` stages. With `has_odd_cuts`, some nodes get random cuts
/// instead of equal ones. Ranks with the same seed draw the same plan.
Plan random_plan(const Network& network, Random& random, int num_ranks, int num_stages, bool has_odd_cuts);

/// The same, with each node on a subset of its own ranks, `ranks_of_nodes[node]`.
Plan random_plan(const Network& network, Random& random, int num_ranks, int num_stages, bool has_odd_cuts,
                 std::span<const Interval> ranks_of_nodes);

}  // namespace parconv::test
