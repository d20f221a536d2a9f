// SPDX-License-Identifier: Apache-2.0
// Contracted boxes of partial sums, known at once or when their message is compared.
#pragma once

#include <span>
#include <vector>

#include "program/verify/box_table.hpp"
#include "program/verify/label_memory.hpp"
#include "program/verify/network_facts.hpp"

namespace parconv::verify {

/// Contracted boxes by number, shared by all ranks.
class Contributions {
 public:
  ContentId of(const Box& contracted);
  /// The content of a message to be received.
  ContentId make_unknown();
  void resolve(ContentId unknown, ContentId known);
  /// Precondition: known.
  const Box& contracted(ContentId content) const { return boxes_[box_of_[static_cast<std::size_t>(content)]]; }

 private:
  BoxTable boxes_{};
  std::vector<int> box_of_{};       // of each content; -1: unknown
  std::vector<ContentId> known_{};  // of each box
};

/// The contributions of a Reduce in order, each part as (its position, content), split as messages cut it.
struct PendingSum {
  int rank = -1;
  int step = -1;
  NodeId node = -1;
  Box box{};
  struct Part {
    int place = 0;
    ContentId content = complete;
    friend bool operator==(const Part&, const Part&) = default;
  };
  std::vector<Part> parts{};
  std::vector<int> joins{};  ///< of Reduce
};

/// Every part of the contracted axes is added once, in index order and, if the parts are leaves, by their tree. Throws Violation.
/// Precondition: all parts are known.
void check_sum(const NetworkFacts& facts, const Contributions& contributions, const PendingSum& sum);

}  // namespace parconv::verify
