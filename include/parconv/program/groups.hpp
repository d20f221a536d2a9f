// SPDX-License-Identifier: Apache-2.0
// Groups of ranks that exchange parts of one tensor as a collective operation does.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "parconv/geometry/box.hpp"

namespace parconv {

/// The pattern in which ranks exchange the parts of a tensor, in the words of MPI. It describes messages and does not change
/// them: every kind can be carried out as the messages of the programs.
enum class CommKind {
  PointToPoint,   ///< no group: halos, pipelines, changes of split
  Allgather,      ///< each member sends its part to all others
  Gather,         ///< each member sends its part to the root
  Broadcast,      ///< the root sends its part to all others
  Scatter,        ///< the root sends each member the part that this one needs
  ReduceScatter,  ///< each member adds up the contributions of the group to its part
  Reduce          ///< the root adds up the contributions of the group
};

inline constexpr int num_comm_kinds = 7;

std::string_view name_of(CommKind kind);
/// True for the kinds that name a root.
bool has_root(CommKind kind);

/// The members of a collective operation, with the part of each as a box in the value's indices: the part that the member has
/// before an Allgather, Gather or Broadcast, and the part that it has after a Scatter, ReduceScatter or Reduce. Parts are
/// disjoint, of any sizes, and may be empty; in a Broadcast and in a Reduce only that of the root is not.
///
/// Example: 10 channels of 3 ranks that all need them are an Allgather of ranks {0, 1, 2} with parts c[0,4), c[4,7), c[7,10).
struct CommGroup {
  CommKind kind = CommKind::Allgather;
  int root = -1;  ///< a rank; -1 for kinds without one
  std::vector<int> ranks{};
  std::vector<Box> parts{};  ///< of each of `ranks`

  /// Position of a rank among the members; -1 for other ranks.
  int position(int rank) const;
  friend bool operator==(const CommGroup&, const CommGroup&) = default;
};

/// The groups of one communication. A rank is a member of at most one.
class Groups {
 public:
  Groups() = default;
  /// Precondition: no rank is in two groups.
  explicit Groups(std::vector<CommGroup> groups);

  /// The group of `rank`; null if it has none.
  std::shared_ptr<const CommGroup> of(int rank) const;

 private:
  std::vector<std::shared_ptr<const CommGroup>> groups_{};
  std::vector<int> group_of_rank_{};  // -1: none; shorter than the number of ranks if the last ones have none
};

}  // namespace parconv
