// SPDX-License-Identifier: Apache-2.0
#include "program/group_recognition.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "parconv/geometry/box_hash.hpp"

namespace parconv {
namespace {

/// Ranks with the same box, which is not empty.
struct Class {
  Box box{};
  std::vector<int> ranks{};
};

/// The classes of the ranks of a grid, by the first rank of each; ranks with an empty box are in none.
template <class BoxOf>
std::vector<Class> classes_of(const Grid& grid, const BoxOf& box_of) {
  std::vector<Class> classes;
  std::unordered_map<Box, std::size_t, BoxHash> places;
  for (int rank = grid.first_rank; rank < grid.first_rank + grid.size(); ++rank) {
    const Box box = box_of(rank);
    if (box.is_empty()) continue;
    const auto [place, is_new] = places.try_emplace(box, classes.size());
    if (is_new) classes.push_back({box, {}});
    classes[place->second].ranks.push_back(rank);
  }
  return classes;
}

/// Number of ranks whose boxes intersect `query`. Unlike for_each_overlap it costs the number of blocks, not of ranks.
index_t count_ranks(const Distribution& distribution, const Box& query) {
  if (query.is_empty()) return 0;
  index_t count = std::ssize(distribution.replica_offsets());
  for (Axis axis : all_axes) {
    const auto& blocks = distribution.partition(axis).blocks;
    count *= std::count_if(blocks.begin(), blocks.end(), [&](Interval b) { return !intersect(b, query[axis]).is_empty(); });
  }
  return count;
}

/// The only rank whose box intersects `query`. Precondition: count_ranks is 1.
int only_rank(const Distribution& distribution, const Box& query) {
  int result = -1;
  distribution.for_each_overlap(query, [&](int rank, const Box&) { result = rank; });
  return result;
}

index_t num_parts(const CommGroup& group) {
  return std::count_if(group.parts.begin(), group.parts.end(), [](const Box& part) { return !part.is_empty(); });
}

/// The common part of two boxes; empty ones are all the same.
Box common(const Box& a, const Box& b) {
  const Box result = intersect(a, b);
  return result.is_empty() ? Box{} : result;
}

/// The first member that has a part.
int first_with_part(const CommGroup& group) {
  const auto found = std::find_if(group.parts.begin(), group.parts.end(), [](const Box& part) { return !part.is_empty(); });
  return group.ranks[static_cast<std::size_t>(found - group.parts.begin())];
}

class MoveGroups {
 public:
  MoveGroups(const Distribution& have, const Distribution& need) : have_(have), need_(need) {}

  std::vector<CommGroup> find() {
    for (const Class& receivers : classes_of(need_.grid(), [&](int rank) { return need_.box(rank); })) {
      add_among(receivers);
      add_broadcast_to(receivers);
    }
    add_gathers();
    add_scatters();
    return std::move(groups_);
  }

 private:
  bool needs_nothing(int rank) const { return need_.box(rank).is_empty(); }
  index_t num_receivers_of(int rank) const { return count_ranks(need_, have_.box(rank)); }

  void add_among(const Class& receivers) {
    if (receivers.ranks.size() < 2) return;
    CommGroup group{.kind = CommKind::Allgather, .ranks = receivers.ranks};
    for (const int rank : receivers.ranks) group.parts.push_back(common(have_.box(rank), receivers.box));
    const index_t parts = num_parts(group);
    if (parts == 0) return;
    if (parts == 1) group.kind = CommKind::Broadcast;
    if (parts == 1) group.root = first_with_part(group);
    groups_.push_back(std::move(group));
  }

  void add_broadcast_to(const Class& receivers) {
    if (receivers.ranks.size() < 2 || count_ranks(have_, receivers.box) != 1) return;
    const int root = only_rank(have_, receivers.box);
    if (needs_nothing(root) && num_receivers_of(root) == std::ssize(receivers.ranks))
      add_with_root(CommKind::Broadcast, root, {{root, receivers.box}}, receivers.ranks);
  }

  /// Adds a group of the root, the ranks with parts, and `others`.
  void add_with_root(CommKind kind, int root, std::map<int, Box> parts, const std::vector<int>& others) {
    for (const int rank : others) parts.try_emplace(rank, Box{});
    parts.try_emplace(root, Box{});
    CommGroup group{.kind = kind, .root = root};
    for (const auto& [rank, part] : parts) {
      group.ranks.push_back(rank);
      group.parts.push_back(part);
    }
    groups_.push_back(std::move(group));
  }

  void add_gathers() {
    std::map<int, std::map<int, Box>> parts_for;  // of the ranks that send to one rank alone
    for (int rank = have_.grid().first_rank; rank < have_.grid().first_rank + have_.grid().size(); ++rank) {
      if (!needs_nothing(rank) || num_receivers_of(rank) != 1) continue;
      const int root = only_rank(need_, have_.box(rank));
      parts_for[root][rank] = common(have_.box(rank), need_.box(root));
    }
    for (auto& [root, parts] : parts_for) {
      const Box own = common(have_.box(root), need_.box(root));
      if (!own.is_empty()) parts[root] = own;
      const bool is_whole = std::ssize(parts) == count_ranks(have_, need_.box(root));
      const bool sends_nothing = num_receivers_of(root) == (own.is_empty() ? 0 : 1);
      if (is_whole && sends_nothing && parts.size() >= 2) add_with_root(CommKind::Gather, root, std::move(parts), {});
    }
  }

  void add_scatters() {
    std::map<int, std::map<int, Box>> parts_of;  // of the ranks that have the whole box of others
    for (int rank = need_.grid().first_rank; rank < need_.grid().first_rank + need_.grid().size(); ++rank) {
      const Box need = need_.box(rank);
      if (count_ranks(have_, need) != 1 || count_ranks(need_, need) != 1) continue;
      const int root = only_rank(have_, need);
      if (root == rank || num_receivers_of(rank) == 0) parts_of[root][rank] = need;
    }
    for (auto& [root, parts] : parts_of) {
      const bool is_whole = std::ssize(parts) == num_receivers_of(root);
      const bool receives_nothing = needs_nothing(root) || parts.contains(root);
      if (is_whole && receives_nothing && parts.size() >= 2) add_with_root(CommKind::Scatter, root, std::move(parts), {});
    }
  }

  const Distribution& have_;
  const Distribution& need_;
  std::vector<CommGroup> groups_{};
};

class SumGroups {
 public:
  SumGroups(std::vector<Class> classes, const Distribution& owned)
      : classes_(std::move(classes)), owned_(owned), is_alone_(classes_.size(), true) {}

  std::vector<CommGroup> find() {
    for (std::size_t k = 0; k < classes_.size(); ++k)
      for (const int rank : classes_[k].ranks) class_of_contributor_[rank] = k;
    std::vector<std::map<int, Box>> parts(classes_.size());
    for (std::size_t k = 0; k < classes_.size(); ++k)
      owned_.for_each_overlap(classes_[k].box, [&](int owner, const Box& part) {
        parts[k][owner] = part;
        mark(k, class_of_owner_.try_emplace(owner, k).first->second);
        if (const auto other = class_of_contributor_.find(owner); other != class_of_contributor_.end()) mark(k, other->second);
      });
    for (std::size_t k = 0; k < classes_.size(); ++k)
      if (is_alone_[k] && classes_[k].ranks.size() >= 2) add(classes_[k], std::move(parts[k]));
    return std::move(groups_);
  }

 private:
  void mark(std::size_t a, std::size_t b) {
    if (a != b) is_alone_[a] = is_alone_[b] = false;
  }

  void add(const Class& contributors, std::map<int, Box> parts) {
    CommGroup group{.kind = parts.size() == 1 ? CommKind::Reduce : CommKind::ReduceScatter};
    if (parts.size() == 1) group.root = parts.begin()->first;
    for (const int rank : contributors.ranks) parts.try_emplace(rank, Box{});
    for (const auto& [rank, part] : parts) {
      group.ranks.push_back(rank);
      group.parts.push_back(part);
    }
    groups_.push_back(std::move(group));
  }

  std::vector<Class> classes_;
  const Distribution& owned_;
  std::vector<bool> is_alone_;
  std::unordered_map<int, std::size_t> class_of_contributor_{};
  std::unordered_map<int, std::size_t> class_of_owner_{};
  std::vector<CommGroup> groups_{};
};

/// Leaves the members for which `is_kept` holds.
template <class IsKept>
void keep_members(CommGroup& group, const IsKept& is_kept) {
  std::size_t end = 0;
  for (std::size_t k = 0; k < group.ranks.size(); ++k) {
    if (!is_kept(k)) continue;
    group.ranks[end] = group.ranks[k];
    group.parts[end++] = group.parts[k];
  }
  group.ranks.resize(end);
  group.parts.resize(end);
}

/// The strip of which each member's part is a part.
const Box& strip_of_part(const CommGroup& group, std::span<const Box> strips, std::size_t member) {
  switch (group.kind) {
    case CommKind::Scatter:
      return strips[static_cast<std::size_t>(group.position(group.root))];
    case CommKind::ReduceScatter:
    case CommKind::Reduce: {  // that of the contributors, which is the same for all
      const auto found = std::find_if(strips.begin(), strips.end(), [](const Box& strip) { return !strip.is_empty(); });
      return found == strips.end() ? strips.front() : *found;
    }
    default:
      return strips[member];
  }
}

}  // namespace

std::vector<CommGroup> groups_of_move(const Distribution& have, const Distribution& need) {
  if (have.replica_offsets().size() > 1) return {};
  return MoveGroups(have, need).find();
}

std::vector<CommGroup> groups_of_sum(const Distribution& computed, const Distribution& contracted, const Distribution& owned) {
  if (owned.replica_offsets().size() > 1) return {};
  const auto contribution = [&](int rank) { return contracted.box(rank).is_empty() ? Box{} : computed.box(rank); };
  return SumGroups(classes_of(computed.grid(), contribution), owned).find();
}

std::optional<CommGroup> restricted(const CommGroup& group, std::span<const Box> strips) {
  CommGroup result = group;
  for (std::size_t k = 0; k < result.parts.size(); ++k) result.parts[k] = common(group.parts[k], strip_of_part(group, strips, k));
  const index_t parts = num_parts(result);
  if (parts == 0) return std::nullopt;
  const auto has_part = [&](std::size_t k) { return !result.parts[k].is_empty(); };
  switch (group.kind) {
    case CommKind::Gather:
    case CommKind::Scatter:
      keep_members(result, [&](std::size_t k) { return has_part(k) || result.ranks[k] == group.root; });
      if (parts < 2) return std::nullopt;
      break;
    case CommKind::Allgather:
      if (parts == 1) result.kind = CommKind::Broadcast;
      break;
    case CommKind::ReduceScatter:
      keep_members(result, [&](std::size_t k) { return has_part(k) || !strips[k].is_empty(); });
      if (parts == 1) result.kind = CommKind::Reduce;
      break;
    default:
      break;
  }
  if (has_root(result.kind) && result.root < 0) result.root = first_with_part(result);
  return result;
}

}  // namespace parconv
