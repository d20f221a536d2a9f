// SPDX-License-Identifier: Apache-2.0
#include "program/group_table.hpp"

#include <algorithm>

#include "program/group_recognition.hpp"

namespace parconv {
namespace {

/// Limit of comparisons for one communication; what was found longer ago is found again.
constexpr std::size_t num_kept = 64;

bool is_same(const Distribution& a, const Distribution& b) {
  return a.grid() == b.grid() && std::all_of(all_axes.begin(), all_axes.end(), [&](Axis axis) {
           const AxisPartition &left = a.partition(axis), &right = b.partition(axis);
           return left.by == right.by && left.blocks == right.blocks;
         });
}

bool is_same(const Distribution* a, const Distribution* b) { return a == b || (a != nullptr && b != nullptr && is_same(*a, *b)); }

/// What remains of the groups in each strip.
std::vector<Groups> cut(const std::vector<CommGroup>& groups, const GroupTable::Strips& strips) {
  std::vector<std::vector<CommGroup>> parts(static_cast<std::size_t>(strips.schedule.num_strips));
  for (const CommGroup& group : groups) {
    std::vector<std::vector<Box>> boxes(parts.size());  // of each strip and member
    for (const int rank : group.ranks) {
      const std::vector<Box> own = strips_of(strips.schedule, strips.computed.box(rank), strips.extents);
      for (std::size_t strip = 0; strip < parts.size(); ++strip) boxes[strip].push_back(own[strip]);
    }
    for (std::size_t strip = 0; strip < parts.size(); ++strip)
      if (auto part = restricted(group, boxes[strip])) parts[strip].push_back(*std::move(part));
  }
  std::vector<Groups> result;
  for (std::vector<CommGroup>& part : parts) result.emplace_back(std::move(part));
  return result;
}

}  // namespace

bool GroupTable::Question::operator==(const Question& other) const {
  return num_strips == other.num_strips && border == other.border && extents == other.extents && is_same(have, other.have) &&
         is_same(contracted, other.contracted) && is_same(need, other.need);
}

int GroupTable::of_move(const Distribution& have, const Distribution& need, const Strips& strips) {
  return answer({.have = &have,
                 .need = &need,
                 .num_strips = strips.schedule.num_strips,
                 .border = strips.schedule.border,
                 .extents = strips.extents},
                strips);
}

int GroupTable::of_sum(const Placement& placement, const Strips& strips) {
  return answer({.have = &placement.computed,
                 .contracted = &placement.contracted,
                 .need = &placement.owned,
                 .num_strips = strips.schedule.num_strips,
                 .border = strips.schedule.border,
                 .extents = strips.extents},
                strips);
}

int GroupTable::answer(const Question& question, const Strips& strips) {
  for (const Answer& known : answers_)
    if (known.question == question) return known.index;
  const Answer found{question, find(question, strips)};
  if (answers_.size() < num_kept)
    answers_.push_back(found);
  else
    answers_[next_++ % num_kept] = found;
  return found.index;
}

int GroupTable::find(const Question& question, const Strips& strips) {
  const bool is_on_one_rank = question.have->grid().size() == 1 && question.have->grid() == question.need->grid();
  if (is_on_one_rank) return -1;
  std::vector<CommGroup> groups = question.contracted == nullptr
                                      ? groups_of_move(*question.have, *question.need)
                                      : groups_of_sum(*question.have, *question.contracted, *question.need);
  if (groups.empty()) return -1;
  if (strips.schedule.num_strips == 1)
    groups_.push_back({Groups(std::move(groups))});
  else
    groups_.push_back(cut(groups, strips));
  return static_cast<int>(groups_.size()) - 1;
}

}  // namespace parconv
