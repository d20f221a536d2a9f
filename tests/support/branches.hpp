// Networks with independent branches, and the ranks that each of them gets.
#pragma once

#include <vector>

#include "support/network_builder.hpp"

namespace parconv::test {

/// A network whose nodes are a trunk and branches between a value of the trunk and a concatenation.
struct BranchedNetwork {
  static constexpr int trunk = -1;

  Network network{};
  std::vector<int> branch_of_node{};  ///< of every node, counted from 0 within its block; or trunk
  int num_branches = 0;               ///< of the block that has most

  int branch_of(NodeId node) const { return branch_of_node[static_cast<std::size_t>(node)]; }
};

/// Two Inception blocks with a convolution before, between and after (Szegedy et al., "Going Deeper with Convolutions", 2015): a
/// 1x1 filter; 3x3 and 5x5 filters behind 1x1 ones; pooling before a 1x1 filter. The sums of small integers stay exact.
BranchedNetwork inception_network(std::uint64_t seed, Weights weights, const Extents& input);

/// One to three blocks of two to six branches of one to three operators.
BranchedNetwork random_branched_network(std::uint64_t seed, Weights weights);

/// Consecutive ranks for every branch: equal numbers of them, or one rank for several branches if there are fewer ranks.
std::vector<Interval> ranks_of_branches(int num_branches, int num_ranks);

/// For every node the ranks of its branch; all of them for the trunk.
std::vector<Interval> ranks_of_nodes(const BranchedNetwork& branched, int num_ranks);

}  // namespace parconv::test
