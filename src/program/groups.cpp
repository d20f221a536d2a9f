// SPDX-License-Identifier: Apache-2.0
#include "parconv/program/groups.hpp"

#include <algorithm>
#include <array>

#include "parconv/core/error.hpp"

namespace parconv {

std::string_view name_of(CommKind kind) {
  static constexpr std::array<std::string_view, num_comm_kinds> names{"point to point", "allgather",      "gather", "broadcast",
                                                                      "scatter",        "reduce-scatter", "reduce"};
  return names[static_cast<std::size_t>(kind)];
}

bool has_root(CommKind kind) {
  return kind == CommKind::Gather || kind == CommKind::Broadcast || kind == CommKind::Scatter || kind == CommKind::Reduce;
}

int CommGroup::position(int rank) const {
  const auto found = std::lower_bound(ranks.begin(), ranks.end(), rank);
  return found == ranks.end() || *found != rank ? -1 : static_cast<int>(found - ranks.begin());
}

Groups::Groups(std::vector<CommGroup> groups) {
  for (CommGroup& group : groups) {
    const auto size = static_cast<std::size_t>(group.ranks.back()) + 1;
    if (group_of_rank_.size() < size) group_of_rank_.resize(size, -1);
    for (const int rank : group.ranks) {
      int& place = group_of_rank_[static_cast<std::size_t>(rank)];
      PARCONV_EXPECT(place < 0, "rank ", rank, " is in two groups");
      place = static_cast<int>(groups_.size());
    }
    groups_.push_back(std::make_shared<const CommGroup>(std::move(group)));
  }
}

std::shared_ptr<const CommGroup> Groups::of(int rank) const {
  const auto place = static_cast<std::size_t>(rank);
  if (place >= group_of_rank_.size() || group_of_rank_[place] < 0) return nullptr;
  return groups_[static_cast<std::size_t>(group_of_rank_[place])];
}

}  // namespace parconv
