// SPDX-License-Identifier: Apache-2.0
// Networks with independent branches, and the assignment of ranks to branches.
#pragma once

#include <vector>

#include "support/network_builder.hpp"

namespace parconv::test {

/// A network of blocks: branches between a value of the trunk and a concatenation.
struct BranchedNetwork {
  static constexpr int trunk = -1;

  Network network{};
  std::vector<int> branch_of_node{};  ///< per node: index within its block, or `trunk`
  int num_branches = 0;               ///< of the widest block

  int branch_of(NodeId node) const { return branch_of_node[static_cast<std::size_t>(node)]; }
};

/// Two Inception blocks with convolutions before, between and after (Szegedy et al., "Going Deeper with Convolutions", 2015):
/// 1x1; 1x1 then 3x3; 1x1 then 5x5; pooling then 1x1. Sums of small integers stay exact.
BranchedNetwork inception_network(std::uint64_t seed, Weights weights, const Extents& input);

/// One to three blocks of two to six branches of one to three operators.
BranchedNetwork random_branched_network(Random random, Weights weights);
inline BranchedNetwork random_branched_network(std::uint64_t seed, Weights weights) {
  return random_branched_network(Random(seed), weights);
}

/// Consecutive ranks per branch: equal counts, or one rank for several branches if there are fewer ranks.
std::vector<Interval> ranks_of_branches(int num_branches, int num_ranks);

/// Per node the ranks of its branch; all ranks for the trunk.
std::vector<Interval> ranks_of_nodes(const BranchedNetwork& branched, int num_ranks);

}  // namespace parconv::test
