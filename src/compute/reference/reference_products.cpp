// SPDX-License-Identifier: Apache-2.0
#include "compute/reference/reference_products.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "parconv/core/error.hpp"
#include "parconv/tensor/cpu_dispatch.hpp"

namespace parconv::reference {
namespace {

// Both functions add the products of the inputs [inputs.lo, inputs.hi) of every group to `sums`, in one chain per output. The
// fastest loop runs over outputs, whose chains are independent.

PARCONV_FOR_EVERY_FMA void add_products(const Products& p, Interval inputs, float* sums) {
  for (std::size_t t = 0; t < p.taps.size(); ++t)
    for (index_t g = 0; g < p.groups; ++g) {
      const float* const values = p.values + static_cast<index_t>(t) * p.values_per_tap + g * p.ic;
      const float* const weights = p.weights + (g * p.filter_taps + p.taps[t]) * p.ic * p.oc;
      float* const group_sums = sums + g * p.oc;
      for (index_t i = inputs.lo; i < inputs.hi; ++i) {
        PARCONV_INDEPENDENT
        for (index_t o = 0; o < p.oc; ++o) group_sums[o] = std::fma(values[i], weights[i * p.oc + o], group_sums[o]);
      }
    }
}

/// For groups of one output, as in a depthwise convolution.
PARCONV_FOR_EVERY_FMA void add_products_of_single_outputs(const Products& p, Interval inputs, float* sums) {
  const index_t group_weights = p.filter_taps * p.ic;
  for (std::size_t t = 0; t < p.taps.size(); ++t)
    for (index_t i = inputs.lo; i < inputs.hi; ++i) {
      const float* const values = p.values + static_cast<index_t>(t) * p.values_per_tap + i;
      const float* const weights = p.weights + p.taps[t] * p.ic + i;
      PARCONV_INDEPENDENT
      for (index_t g = 0; g < p.groups; ++g) sums[g] = std::fma(values[g * p.ic], weights[g * group_weights], sums[g]);
    }
}

}  // namespace

TreeSum::TreeSum(const SumLeaves& leaves, Interval present, index_t outputs)
    : leaves_(leaves), present_(present), outputs_(static_cast<std::size_t>(outputs)) {
  const std::size_t depth = std::bit_width(static_cast<std::size_t>(leaves.count - 1));
  partial_sums_.resize(depth * outputs_);
}

void TreeSum::compute(const Products& products, std::span<float> sums) {
  if (!sum_subtree(products, {.count = leaves_.count}, sums)) std::ranges::fill(sums, 0.0F);
}

/// tree(n) = tree(ceil(n / 2)) + tree(floor(n / 2)). False if no leaf is present.
bool TreeSum::sum_subtree(const Products& products, const Subtree& tree, std::span<float> sums) {
  if (tree.count == 1) return sum_leaf(products, tree.first, sums);
  const index_t front = ceil_div(tree.count, 2);
  const Subtree a{tree.first, front, tree.depth + 1}, b{tree.first + front, tree.count - front, tree.depth + 1};
  if (!sum_subtree(products, a, sums)) return sum_subtree(products, b, sums);
  const std::span<float> others = std::span(partial_sums_).subspan(tree.depth * outputs_, outputs_);
  if (sum_subtree(products, b, others))
    for (std::size_t o = 0; o < outputs_; ++o) sums[o] += others[o];
  return true;
}

bool TreeSum::sum_leaf(const Products& products, index_t leaf, std::span<float> sums) const {
  const Interval channels = leaves_.count == 1 ? present_ : intersect(leaves_.leaf(leaf), present_);
  if (channels.is_empty()) return false;
  std::ranges::fill(sums, 0.0F);
  const auto add = products.oc == 1 ? add_products_of_single_outputs : add_products;
  add(products, channels.shifted(-present_.lo), sums.data());
  return true;
}

void check_leaves(const SumLeaves& leaves, Interval present) {
  const bool is_whole = leaves.count == 1;
  PARCONV_EXPECT(is_whole || (1 <= leaves.count && leaves.count <= leaves.channels), leaves.count, " leaves");
  const Interval all{0, leaves.channels};
  PARCONV_EXPECT(is_whole || all.contains(present), present, " of ", leaves.channels, " channels");
}

}  // namespace parconv::reference
