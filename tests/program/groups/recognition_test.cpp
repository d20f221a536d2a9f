// SPDX-License-Identifier: Apache-2.0
// Groups of random distributions, compared with the definitions applied to all pairs of ranks.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "geometry/random_distribution.hpp"
#include "program/group_recognition.hpp"

namespace parconv::test {
namespace {

bool is_within(const Box& inner, const Box& outer) { return outer.contains(inner); }

/// A message for each pair of ranks of which one has what the other needs.
class AllPairs {
 public:
  AllPairs(std::vector<Box> have, std::vector<Box> need) : have_(std::move(have)), need_(std::move(need)) {}

  int size() const { return static_cast<int>(have_.size()); }
  const Box& have(int rank) const { return have_[static_cast<std::size_t>(rank)]; }
  const Box& need(int rank) const { return need_[static_cast<std::size_t>(rank)]; }
  bool sends(int from, int to) const { return from != to && !intersect(have(from), need(to)).is_empty(); }

  template <class Is>
  std::vector<int> ranks_with(const Is& is) const {
    std::vector<int> ranks;
    for (int rank = 0; rank < size(); ++rank)
      if (is(rank)) ranks.push_back(rank);
    return ranks;
  }
  std::vector<int> receivers_of(int from) const {
    return ranks_with([&](int to) { return sends(from, to); });
  }
  bool is_sender(int rank) const { return !receivers_of(rank).empty(); }
  bool is_receiver(int rank) const {
    return !ranks_with([&](int from) { return sends(from, rank); }).empty();
  }

  /// All ranks with which `rank` exchanges, also by way of others.
  std::vector<int> component(int rank) const {
    std::set<int> reached{rank};
    for (std::size_t before = 0; before != reached.size();) {
      before = reached.size();
      for (const int other : ranks_with([](int) { return true; }))
        for (const int known : std::set<int>(reached))
          if (sends(known, other) || sends(other, known)) reached.insert(other);
    }
    return {reached.begin(), reached.end()};
  }

 private:
  std::vector<Box> have_;
  std::vector<Box> need_;
};

Box part_of(const Box& a, const Box& b) { return intersect(a, b).is_empty() ? Box{} : intersect(a, b); }

template <class PartOf>
CommGroup make_group(CommKind kind, int root, std::vector<int> ranks, const PartOf& part) {
  CommGroup group{.kind = kind, .root = root, .ranks = std::move(ranks)};
  for (const int rank : group.ranks) group.parts.push_back(part(rank));
  return group;
}

std::vector<int> with_parts(const CommGroup& group) {
  std::vector<int> ranks;
  for (std::size_t k = 0; k < group.ranks.size(); ++k)
    if (!group.parts[k].is_empty()) ranks.push_back(group.ranks[k]);
  return ranks;
}

/// Ranks that need the box of `rank`, if one of them has a part of it.
std::optional<CommGroup> among(const AllPairs& pairs, int rank) {
  const Box& need = pairs.need(rank);
  const auto ranks = pairs.ranks_with([&](int other) { return pairs.need(other) == need; });
  CommGroup group = make_group(CommKind::Allgather, -1, ranks, [&](int other) { return part_of(pairs.have(other), need); });
  const std::vector<int> owners = with_parts(group);
  if (need.is_empty() || ranks.size() < 2 || owners.empty()) return std::nullopt;
  if (owners.size() == 1) {
    group.kind = CommKind::Broadcast;
    group.root = owners.front();
  }
  return group;
}

std::optional<CommGroup> broadcast_by(const AllPairs& pairs, int root) {
  const std::vector<int> receivers = pairs.receivers_of(root);
  if (!pairs.need(root).is_empty() || receivers.size() < 2) return std::nullopt;
  const Box& need = pairs.need(receivers.front());
  for (const int rank : receivers)
    if (pairs.need(rank) != need || !is_within(need, pairs.have(root))) return std::nullopt;
  std::vector<int> ranks = receivers;
  ranks.push_back(root);
  std::sort(ranks.begin(), ranks.end());
  return make_group(CommKind::Broadcast, root, ranks, [&](int rank) { return rank == root ? need : Box{}; });
}

std::optional<CommGroup> gather_at(const AllPairs& pairs, int root) {
  if (!pairs.is_receiver(root) || pairs.is_sender(root)) return std::nullopt;
  const std::vector<int> ranks = pairs.component(root);
  for (const int rank : ranks)
    if (rank != root && !pairs.need(rank).is_empty()) return std::nullopt;
  CommGroup group =
      make_group(CommKind::Gather, root, ranks, [&](int rank) { return part_of(pairs.have(rank), pairs.need(root)); });
  return with_parts(group).size() < 2 ? std::nullopt : std::optional(group);
}

std::optional<CommGroup> scatter_by(const AllPairs& pairs, int root) {
  if (!pairs.is_sender(root) || pairs.is_receiver(root)) return std::nullopt;
  const std::vector<int> ranks = pairs.component(root);
  for (const int a : ranks) {
    if (a != root && (pairs.is_sender(a) || !is_within(pairs.need(a), pairs.have(root)))) return std::nullopt;
    for (const int b : ranks)
      if (a != b && !intersect(pairs.need(a), pairs.need(b)).is_empty()) return std::nullopt;
  }
  CommGroup group = make_group(CommKind::Scatter, root, ranks, [&](int rank) { return pairs.need(rank); });
  return with_parts(group).size() < 2 ? std::nullopt : std::optional(group);
}

/// The group of a contributor, whose box `pairs` has as the one that it has, and owned boxes as those that ranks need.
std::optional<CommGroup> sum_of(const AllPairs& pairs, int rank) {
  const Box& sum = pairs.have(rank);
  const std::vector<int> ranks = pairs.component(rank);
  std::size_t contributors = 0;
  for (const int other : ranks) {
    if (!pairs.have(other).is_empty() && pairs.have(other) != sum) return std::nullopt;
    contributors += pairs.have(other).is_empty() ? 0U : 1U;
  }
  if (sum.is_empty() || contributors < 2) return std::nullopt;
  CommGroup group = make_group(CommKind::ReduceScatter, -1, ranks, [&](int other) { return part_of(pairs.need(other), sum); });
  const std::vector<int> owners = with_parts(group);
  if (owners.size() == 1) {
    group.kind = CommKind::Reduce;
    group.root = owners.front();
  }
  return group;
}

using Tally = std::array<int, num_comm_kinds>;

/// Demands the same groups, whatever their order.
void expect_groups(std::vector<CommGroup> found, const std::vector<std::optional<CommGroup>>& expected, Tally& tally) {
  std::vector<CommGroup> rest;
  for (const std::optional<CommGroup>& group : expected)
    if (group && std::find(rest.begin(), rest.end(), *group) == rest.end()) rest.push_back(*group);
  for (const CommGroup& group : found) {
    const auto same = std::find(rest.begin(), rest.end(), group);
    ASSERT_NE(same, rest.end()) << name_of(group.kind) << " of " << group.ranks.size() << " ranks is none";
    rest.erase(same);
    ++tally[static_cast<std::size_t>(group.kind)];
  }
  ASSERT_TRUE(rest.empty()) << "not found: " << name_of(rest.front().kind) << " of " << rest.front().ranks.size() << " ranks";
  const Groups groups(found);  // no rank is in two
  for (const CommGroup& group : found)
    for (const int rank : group.ranks) ASSERT_EQ(*groups.of(rank), group);
  ASSERT_EQ(groups.of(1000), nullptr);
}

constexpr int most_ranks = 9;
constexpr Extents small{{2, 4, 1, 5, 3}};

std::vector<Box> boxes_of(const Distribution& distribution) {
  std::vector<Box> boxes;
  for (int rank = 0; rank < most_ranks; ++rank) boxes.push_back(distribution.box(rank));
  return boxes;
}

/// Needs without much overlap: each rank its own part of another division, or one that all have.
Distribution needs_of(Random& random) {
  return random.once_in(2) ? random_owners(random, small, most_ranks, random.once_in(2))
                           : random_needs(random, small, most_ranks);
}

/// Each kind has to occur, and so have moves without groups.
TEST(Groups, OfRandomMovesFollowTheDefinitions) {
  Tally tally{};
  int without = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Distribution have = random_owners(random, small, most_ranks, false), need = needs_of(random);
    const AllPairs pairs(boxes_of(have), boxes_of(need));
    std::vector<std::optional<CommGroup>> expected;
    for (int rank = 0; rank < most_ranks; ++rank)
      for (const auto find : {among, broadcast_by, gather_at, scatter_by}) expected.push_back(find(pairs, rank));
    const std::vector<CommGroup> found = groups_of_move(have, need);
    without += found.empty() ? 1 : 0;
    expect_groups(found, expected, tally);
    if (HasFatalFailure()) return;
  }
  for (const CommKind kind : {CommKind::Allgather, CommKind::Broadcast, CommKind::Gather, CommKind::Scatter})
    EXPECT_GE(tally[static_cast<std::size_t>(kind)], 200) << name_of(kind);
  EXPECT_GE(without, 200);
}

TEST(Groups, OfRandomSumsFollowTheDefinitions) {
  Tally tally{};
  int without = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Distribution owned = random_owners(random, small, most_ranks, false), computed = needs_of(random);
    std::array<AxisPartition, num_axes> axes = random_axes(random, true);
    for (AxisPartition& axis : axes) {
      axis.blocks.assign(positions(computed.grid(), axis.by), {0, 1});
      if (random.once_in(4)) axis.blocks.back() = {};
    }
    const Distribution contracted(computed.grid(), std::move(axes));
    std::vector<Box> contributions = boxes_of(computed);
    for (int rank = 0; rank < most_ranks; ++rank)
      if (contracted.box(rank).is_empty()) contributions[static_cast<std::size_t>(rank)] = {};
    const AllPairs pairs(contributions, boxes_of(owned));
    std::vector<std::optional<CommGroup>> expected;
    for (int rank = 0; rank < most_ranks; ++rank) expected.push_back(sum_of(pairs, rank));
    const std::vector<CommGroup> found = groups_of_sum(computed, contracted, owned);
    without += found.empty() ? 1 : 0;
    expect_groups(found, expected, tally);
    if (HasFatalFailure()) return;
  }
  for (const CommKind kind : {CommKind::ReduceScatter, CommKind::Reduce})
    EXPECT_GE(tally[static_cast<std::size_t>(kind)], 200) << name_of(kind);
  EXPECT_GE(without, 200);
}

TEST(Groups, OfOwnersWithReplicasAreLeftToMessages) {
  Grid grid{.parts = {{2, 2, 1, 1, 1, 1}}};
  std::array<AxisPartition, num_axes> axes;
  for (Axis axis : all_axes) axes[static_cast<std::size_t>(axis)] = {{{0, 4}}, {}};
  const Distribution everywhere(grid, axes);
  axes[static_cast<std::size_t>(Axis::C)] = {{{0, 2}, {2, 4}}, {GridAxis::F}};
  EXPECT_TRUE(groups_of_move(Distribution(grid, axes), everywhere).empty());
  EXPECT_TRUE(groups_of_sum(everywhere, everywhere, Distribution(grid, axes)).empty());
}

}  // namespace
}  // namespace parconv::test
