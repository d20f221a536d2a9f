// What has to move between ranks that have boxes and ranks that need boxes.
#pragma once

#include <vector>

#include "parconv/geometry/distribution.hpp"

namespace parconv {

/// `box` of one tensor goes from one rank to another.
struct Transfer {
  int from = 0;
  int to = 0;
  Box box{};

  friend bool operator==(const Transfer&, const Transfer&) = default;
};

/// What `rank` must receive so that it holds need.box(rank): every element that it does not have itself comes from exactly
/// one rank. Of several owners the one at (receiver modulo owners) sends. Precondition: boxes of `have` are disjoint up to
/// replicas.
std::vector<Transfer> receives(const Distribution& have, const Distribution& need, int rank);

/// What `rank` must send so that all others hold what they need: the mirror image of `receives`.
std::vector<Transfer> sends(const Distribution& have, const Distribution& need, int rank);

/// All transfers, in order of the receivers.
std::vector<Transfer> transfers(const Distribution& have, const Distribution& need);

/// The parts of what ranks computed (sums over their share of the contracted axes) that have to be added up by the owners.
/// Contributions of a rank to itself are included; for one owner they come in the order in which they are to be summed.
std::vector<Transfer> contributions_to(const Distribution& computed, const Distribution& owned, int owner);
std::vector<Transfer> contributions_from(const Distribution& computed, const Distribution& owned, int rank);

}  // namespace parconv
