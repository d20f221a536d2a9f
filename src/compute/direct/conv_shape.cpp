// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/conv_shape.hpp"

namespace parconv::direct {
namespace {

/// Appends the present leaves among [first, last) with the joins of their subtree. Returns whether there is one.
bool add_leaves(const ConvShape& shape, Interval numbers, std::vector<PresentLeaf>& leaves) {
  if (numbers.size() == 1) {
    const Interval all = shape.leaves.count == 1 ? shape.channels : shape.leaves.leaf(numbers.lo);
    const Interval present = intersect(all, shape.channels);
    if (present.is_empty()) return false;
    leaves.push_back({.channels = {present.lo - shape.channels.lo, present.hi - shape.channels.lo}});
    return true;
  }
  const index_t middle = numbers.lo + (numbers.size() + 1) / 2;
  const bool has_left = add_leaves(shape, {numbers.lo, middle}, leaves);
  const bool has_right = add_leaves(shape, {middle, numbers.hi}, leaves);
  if (has_left && has_right) ++leaves.back().num_joins;
  return has_left || has_right;
}

}  // namespace

std::vector<PresentLeaf> present_leaves(const ConvShape& shape) {
  std::vector<PresentLeaf> leaves;
  add_leaves(shape, {0, shape.leaves.count}, leaves);
  return leaves;
}

}  // namespace parconv::direct
