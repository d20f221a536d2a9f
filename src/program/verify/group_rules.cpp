// SPDX-License-Identifier: Apache-2.0
#include "program/verify/group_rules.hpp"

#include <algorithm>

#include "program/verify/partition.hpp"
#include "program/verify/step_rules.hpp"
#include "program/verify/violation.hpp"

namespace parconv::verify {
namespace {

std::size_t hash_of(const CommGroup& group) {
  std::uint64_t hash = static_cast<std::uint64_t>(group.kind) + 31U * static_cast<std::uint64_t>(group.root + 1);
  const auto add = [&](std::uint64_t value) { hash = (hash ^ value) * 0x9e3779b97f4a7c15U + (hash >> 29U); };
  for (const int rank : group.ranks) add(static_cast<std::uint64_t>(rank));
  for (const Box& part : group.parts)
    for (const Interval interval : part.intervals) add(static_cast<std::uint64_t>(interval.lo * 65'599 + interval.hi));
  return static_cast<std::size_t>(hash);
}

bool adds_up(CommKind kind) { return kind == CommKind::ReduceScatter || kind == CommKind::Reduce; }
/// Kinds whose parts lie with their receivers.
bool is_part_of_receiver(CommKind kind) { return kind == CommKind::Scatter || adds_up(kind); }
bool is_from_root(CommKind kind) { return kind == CommKind::Broadcast || kind == CommKind::Scatter; }

std::string describe(const Communication& communication) {
  return concat("communication ", communication.order, ", ", name_of(communication.kind()), " of ",
                communication.group->ranks.size(), " ranks: ");
}

/// One rank's view of its group.
class View {
 public:
  View(const Communication& communication, int rank)
      : communication_(communication), own_(static_cast<std::size_t>(communication.group->position(rank))) {}

  const CommGroup& group() const { return *communication_.group; }
  bool may_have_others() const { return kind() == CommKind::Allgather || kind() == CommKind::Broadcast; }
  const Box& part_of_message(const Message& message, bool is_sent) const {
    const auto peer = static_cast<std::size_t>(group().position(message.peer));
    return group().parts[is_sent == is_part_of_receiver(kind()) ? peer : own_];
  }

  /// The members with which `messages` are, ascending; other ranks are left out if the kind permits them.
  std::vector<std::size_t> members_of(const std::vector<Message>& messages) const {
    std::vector<std::size_t> members;
    for (const Message& message : messages) {
      const int member = group().position(message.peer);
      if (member < 0 && !may_have_others())
        violate(Rule::WrongGroup, describe(communication_), "a message with rank ", message.peer, ", which is no member");
      if (member >= 0) members.push_back(static_cast<std::size_t>(member));
    }
    std::sort(members.begin(), members.end());
    return members;
  }

  /// Each implied message is there, `times` times, and no other one.
  void expect_implied(const std::vector<std::size_t>& members, bool is_sent, std::size_t times) const {
    for (std::size_t k = 0; k < members.size(); ++k)
      if (!is_implied(members[k], is_sent) || members[k] != members[k / times * times] ||
          (k >= times && members[k] == members[k - times]))
        violate(Rule::WrongGroup, describe(communication_), is_sent ? "sends to" : "receives from", " rank ",
                group().ranks[members[k]], " what the kind does not imply");
    if (members.size() != num_implied(is_sent) * times)
      violate(Rule::WrongGroup, describe(communication_), members.size(), is_sent ? " messages sent" : " messages received",
              " instead of ", num_implied(is_sent) * times);
  }

 private:
  CommKind kind() const { return group().kind; }
  bool is_root(std::size_t member) const { return group().ranks[member] == group().root; }

  /// True if the kind implies a message between this rank and another member.
  bool is_implied(std::size_t other, bool is_sent) const {
    const std::size_t from = is_sent ? own_ : other, to = is_sent ? other : own_;
    if (from == to || group().parts[is_part_of_receiver(kind()) ? to : from].is_empty()) return false;
    if (is_from_root(kind())) return is_root(from);
    return kind() != CommKind::Gather || is_root(to);
  }

  /// Costs as much as there are messages.
  std::size_t num_implied(bool is_sent) const {
    if (has_root(kind()) && !is_root(own_)) {
      const auto root = static_cast<std::size_t>(group().position(group().root));
      return is_implied(root, is_sent) ? 1 : 0;
    }
    std::size_t count = 0;
    for (std::size_t k = 0; k < group().ranks.size(); ++k) count += is_implied(k, is_sent) ? 1U : 0U;
    return count;
  }

  const Communication& communication_;
  std::size_t own_;
};

}  // namespace

void GroupRules::check_group(const CommGroup& group, const Communication& communication) const {
  const auto expect = [&](bool is_right, const auto&... what) {
    if (!is_right) violate(Rule::WrongGroup, describe(communication), what...);
  };
  const bool is_ascending =
      std::adjacent_find(group.ranks.begin(), group.ranks.end(), std::greater_equal<>{}) == group.ranks.end();
  expect(group.kind != CommKind::PointToPoint, "a group without a collective operation");
  expect(group.ranks.size() >= 2 && is_ascending && group.ranks.front() >= 0 && group.ranks.back() < num_ranks_,
         "its ranks are not a set of several");
  expect(group.parts.size() == group.ranks.size(), group.parts.size(), " parts");
  expect(!find_overlap(group.parts), "parts overlap");
  expect(has_root(group.kind) ? group.position(group.root) >= 0 : group.root == -1, "its root is ", group.root);
  std::size_t num_parts = 0;
  for (std::size_t k = 0; k < group.parts.size(); ++k) {
    const bool has_part = !group.parts[k].is_empty();
    const bool is_root = group.ranks[k] == group.root;
    num_parts += has_part ? 1U : 0U;
    expect(facts_.whole(communication.value).contains(group.parts[k]), "part ", k, " is outside the value");
    if (group.kind == CommKind::Broadcast || group.kind == CommKind::Reduce)
      expect(has_part == is_root, "the part of rank ", group.ranks[k]);
    if (group.kind == CommKind::Gather || group.kind == CommKind::Scatter)
      expect(has_part || is_root, "rank ", group.ranks[k], " has no part");
  }
  const bool has_one = group.kind == CommKind::Broadcast || group.kind == CommKind::Reduce;
  expect(has_one || num_parts >= 2, num_parts, " parts");
}

int GroupRules::number_of(const std::shared_ptr<const CommGroup>& group, const Communication& communication) {
  const auto [entry, is_new] = known_.try_emplace(group.get(), Known{group, -1});
  if (!is_new) return entry->second.number;
  const std::size_t hash = hash_of(*group);
  const auto [first, last] = by_hash_.equal_range(hash);
  const auto same =
      std::find_if(first, last, [&](const auto& other) { return *groups_[static_cast<std::size_t>(other.second)] == *group; });
  if (same != last) return entry->second.number = same->second;
  check_group(*group, communication);
  entry->second.number = static_cast<int>(groups_.size());
  groups_.push_back(group.get());
  by_hash_.emplace(hash, entry->second.number);
  return entry->second.number;
}

void GroupRules::add(const Program& program) {
  for (const Communication& communication : program.communications) {
    if (communication.group == nullptr) continue;
    if (!facts_.has_value(communication.value))
      violate(Rule::Malformed, "communication ", communication.order, " is of value ", communication.value);
    const int number = number_of(communication.group, communication);
    if (communication.group->position(program.rank) < 0)
      violate(Rule::WrongGroup, describe(communication), "rank ", program.rank, " is no member");
    check_messages(program, communication);
    ++num_records_[{communication.order, number, communication.value}];
  }
}

void GroupRules::expect_part(const Program& program, const Communication& communication, const Message& message,
                             const Box& part) const {
  const Buffer& buffer = program.buffer(message.region.buffer);
  const bool is_same = buffer.value == communication.value
                           ? message.region.box == part
                           : facts_.are_same(communication.value, part, buffer.value, message.region.box);
  if (!is_same)
    violate(Rule::WrongGroup, describe(communication), to_string(message.region.box), " of value ", buffer.value, " with rank ",
            message.peer, " instead of the part ", to_string(part), " of value ", communication.value);
  if (holds_sums(buffer) != adds_up(communication.kind()))
    violate(Rule::WrongGroup, describe(communication), holds_sums(buffer) ? "moves partial sums" : "moves complete values");
}

void GroupRules::check_messages(const Program& program, const Communication& communication) const {
  const View view(communication, program.rank);
  const std::vector<std::size_t> sent = view.members_of(communication.sends);
  const std::vector<std::size_t> received = view.members_of(communication.receives);
  if (!adds_up(communication.kind())) {
    view.expect_implied(sent, true, 1);
    view.expect_implied(received, false, 1);
  } else if (!sent.empty()) {
    // A contributor sends each owner the same number of partial sums. That they are complete is checked with the sums.
    view.expect_implied(sent, true, static_cast<std::size_t>(std::count(sent.begin(), sent.end(), sent.front())));
  }
  const auto expect_parts = [&](const std::vector<Message>& messages, bool is_sent) {
    for (const Message& message : messages)
      if (view.group().position(message.peer) >= 0)
        expect_part(program, communication, message, view.part_of_message(message, is_sent));
  };
  expect_parts(communication.sends, true);
  expect_parts(communication.receives, false);
}

std::optional<Finding> GroupRules::first_differing() const {
  for (const auto& [use, count] : num_records_) {
    const CommGroup& group = *groups_[static_cast<std::size_t>(use.group)];
    if (count == std::ssize(group.ranks)) continue;
    return Finding{Rule::GroupsDiffer, -1, -1,
                   concat("communication ", use.order, " of value ", use.value, ": ", count, " of ", group.ranks.size(),
                          " members record this ", name_of(group.kind))};
  }
  return std::nullopt;
}

}  // namespace parconv::verify
