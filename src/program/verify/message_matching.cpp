// SPDX-License-Identifier: Apache-2.0
#include "program/verify/message_matching.hpp"

#include <algorithm>
#include <tuple>

namespace parconv::verify {
namespace {

std::uint64_t key_of(const MessageLabel& message) {
  return static_cast<std::uint64_t>(message.from) << 32U | static_cast<std::uint64_t>(message.to);
}

std::string describe(const MessageLabel& message) {
  return concat("communication ", message.order, " from rank ", message.from, " to rank ", message.to);
}

Finding finding_of(const MessageLabel& message, int rank, Rule rule, const std::string& what) {
  return {.rule = rule, .rank = rank, .step = message.step, .message = concat(describe(message), ": ", what)};
}

Finding unreceived(const MessageLabel& send) {
  return finding_of(send, send.from, Rule::UnmatchedMessage,
                    concat(to_string(send.box), " of value ", send.value, " is sent, but not received"));
}

Finding unsent(const MessageLabel& receive) {
  return finding_of(receive, receive.to, Rule::UnmatchedMessage,
                    concat(to_string(receive.box), " of value ", receive.value, " is received, but not sent"));
}

}  // namespace

std::optional<Finding> MessageMatching::compare_lists(std::span<const MessageLabel> sends,
                                                      std::span<const MessageLabel> receives) {
  const std::size_t common = std::min(sends.size(), receives.size());
  for (std::size_t k = 0; k < common; ++k) {
    if (sends[k].order < receives[k].order) return unreceived(sends[k]);
    if (sends[k].order > receives[k].order) return unsent(receives[k]);
    if (auto finding = compare(sends[k], receives[k])) return finding;
  }
  if (sends.size() > common) return unreceived(sends[common]);
  if (receives.size() > common) return unsent(receives[common]);
  return std::nullopt;
}

std::optional<Finding> MessageMatching::compare(const MessageLabel& send, const MessageLabel& receive) {
  const auto violated = [&](Rule rule, const std::string& what) { return finding_of(receive, receive.to, rule, what); };
  if (send.stage != receive.stage)
    return violated(Rule::MessageStage, concat("sent in stage ", send.stage, ", received in stage ", receive.stage));
  if (send.type != receive.type)
    return violated(Rule::WrongType, concat("sent as ", name_of(send.type), ", received as ", name_of(receive.type)));
  if (!facts_.are_same(send.value, send.box, receive.value, receive.box))
    return violated(send.value == receive.value ? Rule::WrongBox : Rule::WrongValue,
                    concat(to_string(send.box), " of value ", send.value, " arrives as ", to_string(receive.box), " of value ",
                           receive.value));
  if ((send.content == complete) != (receive.content == complete))
    return violated(Rule::UnfinishedSum, send.content == complete ? "a complete value arrives as a partial sum"
                                                                  : "a partial sum arrives as a complete value");
  if (receive.content != complete) contributions_.resolve(receive.content, send.content);
  ++num_compared_;
  return std::nullopt;
}

std::optional<Finding> MessageMatching::add(int rank, std::vector<MessageLabel> messages) {
  const auto less = [](const MessageLabel& a, const MessageLabel& b) { return std::tie(a.from, a.to) < std::tie(b.from, b.to); };
  std::stable_sort(messages.begin(), messages.end(), less);
  for (auto first = messages.begin(); first != messages.end();) {
    const std::uint64_t key = key_of(*first);
    const auto last = std::find_if(first, messages.end(), [&](const MessageLabel& message) { return key_of(message) != key; });
    const std::span<const MessageLabel> own(first, last);
    if (const auto other = waiting_.find(key); other == waiting_.end()) {
      waiting_.emplace(key, compact(own));
    } else {
      const bool is_sender = first->from == rank;
      const std::vector<MessageLabel> theirs = expand(key, other->second);
      auto finding = is_sender ? compare_lists(own, theirs) : compare_lists(theirs, own);
      waiting_.erase(other);
      if (finding) return finding;
    }
    first = last;
  }
  return std::nullopt;
}

std::vector<MessageMatching::CompactLabel> MessageMatching::compact(std::span<const MessageLabel> labels) {
  std::vector<CompactLabel> result;
  result.reserve(labels.size());
  for (const MessageLabel& label : labels)
    result.push_back({label.order, label.step, label.stage, label.value, boxes_.of(label.box), label.type, label.content});
  return result;
}

std::vector<MessageLabel> MessageMatching::expand(std::uint64_t key, std::span<const CompactLabel> labels) const {
  std::vector<MessageLabel> result;
  result.reserve(labels.size());
  for (const CompactLabel& label : labels)
    result.push_back({static_cast<int>(key >> 32U), static_cast<int>(key & 0xffffffffU), label.order, label.step, label.stage,
                      label.value, boxes_[label.box], label.type, label.content});
  return result;
}

std::optional<Finding> MessageMatching::first_unmatched() const {
  std::optional<MessageLabel> first;
  for (const auto& [key, labels] : waiting_) {
    const MessageLabel label = expand(key, std::span(labels).first(1)).front();
    if (!first || std::tie(label.order, label.from, label.to) < std::tie(first->order, first->from, first->to)) first = label;
  }
  if (!first) return std::nullopt;
  return Finding{Rule::UnmatchedMessage, -1, -1,
                 concat(describe(*first), ": ", to_string(first->box), " of value ", first->value, " is unmatched")};
}

}  // namespace parconv::verify
