// SPDX-License-Identifier: Apache-2.0
#include "parconv/geometry/transfers.hpp"

#include <algorithm>

namespace parconv {
namespace {

/// The member of a replica group that sends to `receiver`; `receiver` itself if it is a member.
int chosen_sender(const Distribution& have, int group, int receiver) {
  const std::vector<int>& offsets = have.replica_offsets();
  if (std::binary_search(offsets.begin(), offsets.end(), receiver - group)) return receiver;
  return group + offsets[static_cast<std::size_t>(receiver) % offsets.size()];
}

}  // namespace

std::vector<Transfer> receives(const Distribution& have, const Distribution& need, int rank) {
  std::vector<Transfer> result;
  have.for_each_overlap(need.box(rank), [&](int group, const Box& box) {
    const int from = chosen_sender(have, group, rank);
    if (from != rank) result.push_back({from, rank, box});
  });
  return result;
}

std::vector<Transfer> sends(const Distribution& have, const Distribution& need, int rank) {
  std::vector<Transfer> result;
  const Box own = have.box(rank);
  if (own.is_empty()) return result;
  const int own_group = have.first_replica(rank);
  need.for_each_overlap(own, [&](int first_receiver, const Box& box) {
    for (int offset : need.replica_offsets()) {
      const int to = first_receiver + offset;
      if (to != rank && chosen_sender(have, own_group, to) == rank) result.push_back({rank, to, box});
    }
  });
  return result;
}

std::vector<Transfer> transfers(const Distribution& have, const Distribution& need) {
  std::vector<Transfer> result;
  const Grid& receivers = need.grid();
  for (int rank = receivers.first_rank; rank < receivers.first_rank + receivers.size(); ++rank)
    for (const Transfer& transfer : receives(have, need, rank)) result.push_back(transfer);
  return result;
}

std::vector<Transfer> contributions_to(const Distribution& computed, const Distribution& owned, int owner) {
  std::vector<Transfer> result;
  computed.for_each_overlap(owned.box(owner), [&](int first_rank, const Box& box) {
    for (int offset : computed.replica_offsets()) result.push_back({first_rank + offset, owner, box});
  });
  std::stable_sort(result.begin(), result.end(), [](const Transfer& a, const Transfer& b) { return a.from < b.from; });
  return result;
}

std::vector<Transfer> contributions_from(const Distribution& computed, const Distribution& owned, int rank) {
  std::vector<Transfer> result;
  owned.for_each_overlap(computed.box(rank), [&](int first_owner, const Box& box) {
    for (int offset : owned.replica_offsets()) result.push_back({rank, first_owner + offset, box});
  });
  return result;
}

}  // namespace parconv
