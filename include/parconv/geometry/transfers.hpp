// SPDX-License-Identifier: Apache-2.0
// Redistribution: the messages between a distribution that ranks have and one that they need.
#pragma once

#include <vector>

#include "parconv/geometry/distribution.hpp"

namespace parconv {

/// Message of `box` of one tensor from one rank to another.
struct Transfer {
  int from = 0;
  int to = 0;
  Box box{};

  friend bool operator==(const Transfer&, const Transfer&) = default;
};

/// Messages that `rank` receives to hold need.box(rank): each element that it lacks comes from exactly one rank. Among
/// replicas, the one with index receiver modulo replica count sends. Precondition: boxes of `have` are disjoint up to replicas.
std::vector<Transfer> receives(const Distribution& have, const Distribution& need, int rank);

/// Messages that `rank` sends so that every other rank holds its needs: the mirror image of `receives`.
std::vector<Transfer> sends(const Distribution& have, const Distribution& need, int rank);

/// All messages, ordered by receiver.
std::vector<Transfer> transfers(const Distribution& have, const Distribution& need);

/// Partial sums (over a rank's block of the contracted axes) that the owners add up, as messages to `owner`. A rank's
/// contributions to itself are included; for one owner the order is the order of summation.
std::vector<Transfer> contributions_to(const Distribution& computed, const Distribution& owned, int owner);
std::vector<Transfer> contributions_from(const Distribution& computed, const Distribution& owned, int rank);

}  // namespace parconv
