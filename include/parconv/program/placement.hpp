// From a node's plan to boxes: what each rank owns, computes, sums over and needs.
#pragma once

#include <vector>

#include "parconv/geometry/distribution.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/plan/plan.hpp"

namespace parconv {

enum class ReduceMode {
  Fast,    ///< every rank sums its share of the contracted axes in one go
  Ordered  ///< fixed blocks of input channels, added in index order: the same bits for every number of ranks
};

/// All boxes of one node, for all ranks at once.
struct Placement {
  Grid grid{};
  int stage = 0;
  Distribution owned{};               ///< of the output; disjoint
  Distribution computed{};            ///< of the output; equals `owned` unless `is_summed`
  Distribution contracted{};          ///< of the contracted index space (the first input's)
  std::vector<Distribution> needs{};  ///< of each input of the node, the residual included
  /// Contributions of several shares have to be added up by the owner.
  bool is_summed = false;
  /// Cuts of all input channels into blocks that are summed apart and added in order; empty unless ReduceMode::Ordered applies.
  std::vector<Interval> ordered_blocks{};

  /// What `rank` computes; computed is empty if it sums over nothing.
  Share share(int rank) const;
  /// The same for each block that is summed apart; one entry, the whole share, where nothing is ordered.
  std::vector<Share> shares_in_order(int rank) const;
};

/// Number of blocks of input channels in ReduceMode::Ordered, at most: more ranks along c than this have nothing to do.
inline constexpr int max_ordered_blocks = 8;

Placement place(const Network& network, const Node& node, const NodePlan& plan, ReduceMode mode);

}  // namespace parconv
