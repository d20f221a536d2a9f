// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "parconv/core/error.hpp"
#include "program/verify/mutation_sites.hpp"

namespace parconv::test {
namespace {

/// Adds a site that changes one rank's record of a group; the other members keep theirs.
template <class Change>
void add_change(Sites& sites, Communication& communication, Change change, std::string text) {
  sites.push_back([&communication, change, text = std::move(text)] {
    CommGroup group = *communication.group;
    change(group);
    communication.group = std::make_shared<const CommGroup>(std::move(group));
    return concat("communication ", communication.order, ": ", text);
  });
}

void for_each_group(Program& program, const std::function<void(Communication&)>& visit) {
  for (Communication& communication : program.communications)
    if (communication.group != nullptr) visit(communication);
}

/// A group of a rank and its peers, with what it sends as its part.
CommGroup invented_group(const Program& program, const Communication& communication) {
  std::set<int> ranks{program.rank};
  for (const Message& send : communication.sends) ranks.insert(send.peer);
  for (const Message& receive : communication.receives) ranks.insert(receive.peer);
  CommGroup group{.ranks = {ranks.begin(), ranks.end()}};
  group.parts.resize(group.ranks.size());
  for (const Message& receive : communication.receives)
    group.parts[static_cast<std::size_t>(group.position(receive.peer))] = receive.region.box;
  if (!communication.sends.empty())
    group.parts[static_cast<std::size_t>(group.position(program.rank))] = communication.sends.front().region.box;
  return group;
}

}  // namespace

void kind_changed(Program& program, Sites& sites) {
  for (Communication& communication : program.communications) {
    if (communication.group == nullptr) {
      sites.push_back([&] {
        communication.group = std::make_shared<const CommGroup>(invented_group(program, communication));
        return concat("communication ", communication.order, " as an allgather");
      });
      continue;
    }
    sites.push_back([&] {
      communication.group = nullptr;
      return concat("communication ", communication.order, " as point to point");
    });
    for (int k = 1; k < num_comm_kinds; ++k)
      if (const auto kind = static_cast<CommKind>(k); kind != communication.kind())
        add_change(
            sites, communication,
            [kind](CommGroup& group) {
              group.kind = kind;
              group.root = has_root(kind) ? std::max(group.root, group.ranks.front()) : -1;
            },
            concat(name_of(communication.kind()), " as ", name_of(kind)));
  }
}

void member_lost(Program& program, Sites& sites) {
  for_each_group(program, [&](Communication& communication) {
    for (std::size_t k = 0; k < communication.group->ranks.size(); ++k)
      add_change(
          sites, communication,
          [k](CommGroup& group) {
            group.ranks.erase(group.ranks.begin() + static_cast<std::ptrdiff_t>(k));
            group.parts.erase(group.parts.begin() + static_cast<std::ptrdiff_t>(k));
          },
          concat("member ", k, " lost"));
  });
}

void member_added(Program& program, Sites& sites) {
  for_each_group(program, [&](Communication& communication) {
    for (int rank = 0; rank < program.num_ranks; ++rank) {
      if (communication.group->position(rank) >= 0) continue;
      add_change(
          sites, communication,
          [rank](CommGroup& group) {
            const auto place = std::lower_bound(group.ranks.begin(), group.ranks.end(), rank);
            group.parts.insert(group.parts.begin() + (place - group.ranks.begin()), Box{});
            group.ranks.insert(place, rank);
          },
          concat("rank ", rank, " added"));
    }
  });
}

void root_changed(Program& program, Sites& sites) {
  for_each_group(program, [&](Communication& communication) {
    for (const int rank : communication.group->ranks)
      if (has_root(communication.kind()) && rank != communication.group->root)
        add_change(sites, communication, [rank](CommGroup& group) { group.root = rank; }, concat("rank ", rank, " as its root"));
  });
}

void places_swapped(Program& program, Sites& sites) {
  for_each_group(program, [&](Communication& communication) {
    for (std::size_t k = 0; k + 1 < communication.group->parts.size(); ++k)
      if (communication.group->parts[k] != communication.group->parts[k + 1])
        add_change(
            sites, communication, [k](CommGroup& group) { std::swap(group.parts[k], group.parts[k + 1]); },
            concat("parts ", k, " and ", k + 1, " swapped"));
  });
}

void part_changed(Program& program, Sites& sites) {
  for_each_group(program, [&](Communication& communication) {
    for (std::size_t k = 0; k < communication.group->parts.size(); ++k)
      for (Axis axis : all_axes) {
        const Interval range = communication.group->parts[k][axis];
        if (range.is_empty()) continue;
        for (const Interval other : {Interval{range.lo, range.hi - 1}, range.shifted(1)})
          add_change(
              sites, communication, [k, axis, other](CommGroup& group) { group.parts[k][axis] = other; },
              concat("part ", k, " along ", name_of(axis)));
      }
  });
}

}  // namespace parconv::test
