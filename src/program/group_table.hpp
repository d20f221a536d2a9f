// SPDX-License-Identifier: Apache-2.0
// The groups of all communications of a layout; those of equal distributions are found once.
#pragma once

#include <vector>

#include "parconv/program/layout.hpp"

namespace parconv {

class GroupTable {
 public:
  /// A communication that is cut into strips of `computed`, boxes of a tensor of `extents`.
  struct Strips {
    const NodeSchedule& schedule;
    const Distribution& computed;
    const Extents& extents;
  };

  /// The index in `take` of the groups of a move, or of a sum, for each strip; -1 if there are none. All arguments have to
  /// outlive the table.
  int of_move(const Distribution& have, const Distribution& need, const Strips& strips);
  int of_sum(const Placement& placement, const Strips& strips);

  std::vector<std::vector<Groups>> take() { return std::move(groups_); }

 private:
  /// What groups are found from. `contracted` is null for a move.
  struct Question {
    const Distribution* have = nullptr;
    const Distribution* contracted = nullptr;
    const Distribution* need = nullptr;
    int num_strips = 1;
    index_t border = 0;
    Extents extents{};

    bool operator==(const Question& other) const;
  };
  struct Answer {
    Question question{};
    int index = -1;
  };

  int answer(const Question& question, const Strips& strips);
  int find(const Question& question, const Strips& strips);

  std::vector<Answer> answers_{};  // the last ones, as a ring
  std::size_t next_ = 0;
  std::vector<std::vector<Groups>> groups_{};
};

}  // namespace parconv
