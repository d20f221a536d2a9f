// SPDX-License-Identifier: Apache-2.0
// Compares both sides of every message, as soon as both are known.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "program/verify/contributions.hpp"
#include "program/verify/network_facts.hpp"

namespace parconv::verify {

/// One side of a message.
struct MessageLabel {
  int from = 0;
  int to = 0;
  int order = 0;
  int step = -1;  ///< that starts it
  int stage = 0;  ///< of that step
  ValueId value = -1;
  Box box{};
  DType type = DType::F32;
  /// Sender: the content sent. Receiver: `complete` or an unknown contribution.
  ContentId content = complete;
};

class MessageMatching {
 public:
  MessageMatching(const NetworkFacts& facts, Contributions& contributions) : facts_(facts), contributions_(contributions) {}

  /// Adds all messages of `rank`, in the order in which they start. Messages between two ranks match in this order.
  std::optional<Finding> add(int rank, std::vector<MessageLabel> messages);
  /// Messages whose other side is missing after all ranks were added.
  std::optional<Finding> first_unmatched() const;

  index_t num_compared() const { return num_compared_; }

 private:
  std::optional<Finding> compare(const MessageLabel& send, const MessageLabel& receive);
  std::optional<Finding> compare_lists(std::span<const MessageLabel> sends, std::span<const MessageLabel> receives);

  /// A label without what its list knows, with the number of its box: there may be millions.
  struct CompactLabel {
    int order = 0;
    int step = -1;
    int stage = 0;
    ValueId value = -1;
    int box = -1;
    DType type = DType::F32;
    ContentId content = complete;
  };
  std::vector<CompactLabel> compact(std::span<const MessageLabel> labels);
  std::vector<MessageLabel> expand(std::uint64_t key, std::span<const CompactLabel> labels) const;

  const NetworkFacts& facts_;
  Contributions& contributions_;
  /// Of ranks whose peer is not known yet, by (from, to).
  std::unordered_map<std::uint64_t, std::vector<CompactLabel>> waiting_{};
  BoxTable boxes_{};
  index_t num_compared_ = 0;
};

}  // namespace parconv::verify
