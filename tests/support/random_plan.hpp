// Random plans: every node gets a grid of its own.
#pragma once

#include <span>

#include "parconv/plan/plan.hpp"
#include "support/random.hpp"

namespace parconv::test {

/// A valid plan with random grids, first ranks and stages; `num_stages` stages at most. With `has_odd_cuts`, some nodes get
/// random cuts instead of equal ones. The same on every rank that draws from the same seed.
Plan random_plan(const Network& network, Random& random, int num_ranks, int num_stages, bool has_odd_cuts);

/// The same with every node on some of the ranks that are its own, `ranks_of_nodes[node]`.
Plan random_plan(const Network& network, Random& random, int num_ranks, int num_stages, bool has_odd_cuts,
                 std::span<const Interval> ranks_of_nodes);

}  // namespace parconv::test
