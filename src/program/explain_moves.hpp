// SPDX-License-Identifier: Apache-2.0
// Texts on the kinds and groups of communications.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parconv/program/program.hpp"

namespace parconv {

/// "7" or "4-8".
std::string range_text(index_t least, index_t most);

class MovesText {
 public:
  /// `layout` and `programs` have to outlive the texts.
  MovesText(const Layout& layout, std::span<const Program> programs);

  /// How partial sums and results of a layer move, for a column: "sum(4)+allgather(4)", "gather(8)->0"; "-" if nothing moves.
  std::string of_layer(std::size_t node) const;
  /// One line for each group of a layer: "    allgather of ranks 0-3".
  std::string groups_of_layer(std::size_t node) const;
  /// One line for each kind, with the number of groups over all communications: "    6 allgathers of 4 ranks".
  std::string totals() const;

 private:
  /// All that starts at one position of the global order.
  struct Move {
    std::vector<const CommGroup*> groups{};
    bool has_others = false;  ///< messages outside groups
  };

  void add(const Communication& communication, int rank);
  std::vector<Move> moves_at(int first_order, int step, int count) const;
  std::vector<Move> sums_of(std::size_t node) const;
  std::vector<Move> moves_of(std::size_t node, const Delivery& delivery) const;

  const Layout& layout_;
  std::map<int, Move> moves_{};  // by position
};

}  // namespace parconv
