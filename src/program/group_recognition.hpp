// SPDX-License-Identifier: Apache-2.0
// Finds the groups of a communication from the boxes that ranks have and need. Pure.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "parconv/geometry/distribution.hpp"
#include "parconv/program/groups.hpp"

namespace parconv {

/// The groups of a move between two distributions:
/// * ranks that need the same box, of which at least one has a part: an Allgather if several have one, else a Broadcast. What
///   the members need of other ranks comes in messages of its own, such as the halo rows of an Allgather of channels;
/// * a Broadcast of a rank that needs nothing, to ranks that alone need what it has, and need nothing else;
/// * a Gather at a rank whose box comes from ranks that need nothing and send to it alone;
/// * a Scatter by a rank that alone has what ranks need, in disjoint boxes, and receives nothing.
/// In a Gather or a Scatter two members at least have a part; the root sends or receives nothing else. Ranks that move nothing
/// are no members. Distributions `have` with replicas have no groups. Costs about as much as the boxes of all ranks.
std::vector<CommGroup> groups_of_move(const Distribution& have, const Distribution& need);

/// The groups of a sum: at least two ranks that contribute to the same box, and its owners, none of which exchanges contributions
/// with other ranks. Several owners: ReduceScatter; one: Reduce. A rank with an empty box in `contracted` contributes nothing.
std::vector<CommGroup> groups_of_sum(const Distribution& computed, const Distribution& contracted, const Distribution& owned);

/// What remains of a group in one strip of the computation; nullopt if that is no group. strips[k]: the box that member k sends a
/// part of in this strip. An Allgather in which one member has a part is a Broadcast, a ReduceScatter to one owner a Reduce.
std::optional<CommGroup> restricted(const CommGroup& group, std::span<const Box> strips);

}  // namespace parconv
