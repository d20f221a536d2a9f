// SPDX-License-Identifier: Apache-2.0
// Sums of products in plain loops, as docs/arithmetic.md defines them: chains of fused multiply-adds, joined by a tree.
#pragma once

#include <span>
#include <vector>

#include "parconv/model/sum_tree.hpp"

namespace parconv::reference {

/// The products of all sums of one output pixel. Output o of group g adds, for the taps t of `taps` and the inputs i in
/// [0, ic), values[t * values_per_tap + g * ic + i] * weights[((g * filter_taps + taps[t]) * ic + i) * oc + o].
struct Products {
  index_t groups = 1;
  index_t ic = 1;  ///< inputs per group
  index_t oc = 1;  ///< outputs per group
  index_t filter_taps = 1;
  std::span<const index_t> taps{};  ///< those inside the tensor, ascending
  const float* values = nullptr;
  index_t values_per_tap = 0;
  const float* weights = nullptr;
};

/// Sums the channels `present` of each group, a part or all of those that `leaves` divide, for `outputs` outputs at once.
class TreeSum {
 public:
  TreeSum(const SumLeaves& leaves, Interval present, index_t outputs);

  /// Sets sums[g * oc + o] for all outputs. Precondition: products.ic is the number of present channels.
  void compute(const Products& products, std::span<float> sums);

  std::size_t resident_bytes() const { return partial_sums_.size() * sizeof(float); }

 private:
  struct Subtree {
    index_t first = 0;  ///< leaf
    index_t count = 1;  ///< leaves
    std::size_t depth = 0;
  };

  bool sum_subtree(const Products& products, const Subtree& tree, std::span<float> sums);
  bool sum_leaf(const Products& products, index_t leaf, std::span<float> sums) const;

  SumLeaves leaves_;
  Interval present_;
  std::size_t outputs_;
  std::vector<float> partial_sums_;  ///< [depth][outputs]
};

/// Checks that `present` are channels that `leaves` divide.
void check_leaves(const SumLeaves& leaves, Interval present);

}  // namespace parconv::reference
