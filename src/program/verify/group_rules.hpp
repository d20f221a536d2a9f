// SPDX-License-Identifier: Apache-2.0
// Checks that the recorded groups of communications state what their messages do, and that all members record the same.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "program/verify/network_facts.hpp"

namespace parconv::verify {

/// The groups that ranks record, by content.
class GroupRules {
 public:
  GroupRules(const NetworkFacts& facts, int num_ranks) : facts_(facts), num_ranks_(num_ranks) {}

  /// Checks the groups of one rank against its messages. Throws Violation. Precondition: the messages are well-formed.
  void add(const Program& program);
  /// After all ranks: a group that some member does not record.
  std::optional<Finding> first_differing() const;

 private:
  struct Known {
    std::shared_ptr<const CommGroup> group{};  // kept, so that its address stays its own
    int number = -1;
  };
  /// A group in one communication.
  struct Use {
    int order = 0;
    int group = -1;
    ValueId value = -1;
    friend auto operator<=>(const Use&, const Use&) = default;
  };

  int number_of(const std::shared_ptr<const CommGroup>& group, const Communication& communication);
  void check_group(const CommGroup& group, const Communication& communication) const;
  void check_messages(const Program& program, const Communication& communication) const;
  void expect_part(const Program& program, const Communication& communication, const Message& message, const Box& part) const;

  const NetworkFacts& facts_;
  int num_ranks_;
  std::unordered_map<const CommGroup*, Known> known_{};
  std::unordered_multimap<std::size_t, int> by_hash_{};
  std::vector<const CommGroup*> groups_{};  // by number
  std::map<Use, int> num_records_{};        // ranks that record a use
};

}  // namespace parconv::verify
