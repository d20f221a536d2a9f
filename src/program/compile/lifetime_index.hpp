// SPDX-License-Identifier: Apache-2.0
// Finds intervals of time that overlap a given one, without a linear search.
#pragma once

#include <cstddef>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv {

/// Numbered intervals of positions, both ends included, in a binary tree over positions. An interval is stored at the fewest
/// nodes that cover it, so intervals that overlap a query are at the nodes above and below those that cover the query.
class LifetimeIndex {
 public:
  /// For positions from 0 to `positions` - 1.
  explicit LifetimeIndex(int positions) {
    while (num_leaves_ < positions) num_leaves_ *= 2;
    nodes_.resize(static_cast<std::size_t>(2 * num_leaves_));
  }

  void add(int first, int last, std::size_t item) { add(root, 0, num_leaves_, Query{first, last}, item); }

  /// Calls visit(item) for all items that overlap [first, last], some more than once, until it returns false. Returns true if
  /// it never did.
  template <class Visit>
  bool visit(int first, int last, Visit&& visit) const {
    return visit_node(root, 0, num_leaves_, Query{first, last}, visit);
  }

 private:
  static constexpr int root = 1;

  struct Query {
    int first = 0;
    int last = 0;
    bool misses(int begin, int end) const { return last < begin || end <= first; }
    bool covers(int begin, int end) const { return first <= begin && end - 1 <= last; }
  };
  struct Node {
    std::vector<std::size_t> items{};
    bool has_any = false;  ///< here or below
  };

  void add(int node, int begin, int end, Query query, std::size_t item) {
    if (query.misses(begin, end)) return;
    Node& here = nodes_[static_cast<std::size_t>(node)];
    here.has_any = true;
    if (query.covers(begin, end)) {
      here.items.push_back(item);
      return;
    }
    const int middle = begin + (end - begin) / 2;
    add(2 * node, begin, middle, query, item);
    add(2 * node + 1, middle, end, query, item);
  }

  template <class Visit>
  bool visit_node(int node, int begin, int end, Query query, Visit& visit) const {
    const Node& here = nodes_[static_cast<std::size_t>(node)];
    if (!here.has_any || query.misses(begin, end)) return true;
    for (const std::size_t item : here.items)
      if (!visit(item)) return false;
    if (end - begin == 1) return true;
    const int middle = begin + (end - begin) / 2;
    return visit_node(2 * node, begin, middle, query, visit) && visit_node(2 * node + 1, middle, end, query, visit);
  }

  int num_leaves_ = 1;
  std::vector<Node> nodes_{};
};

}  // namespace parconv
