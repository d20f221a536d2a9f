// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/conv_shape.hpp"

#include "compute/direct/tile.hpp"

namespace parconv::direct {

/// tile.hpp includes no header of another module: it is compiled for each instruction set.
static_assert(most_open_sums == parconv::most_open_sums);

std::vector<PresentLeaf> present_leaves(const ConvShape& shape) {
  std::vector<PresentLeaf> leaves;
  std::vector<Interval> numbers;
  for (index_t k = 0; k < shape.leaves.count; ++k) {
    const Interval all = shape.leaves.count == 1 ? shape.channels : shape.leaves.leaf(k);
    const Interval present = intersect(all, shape.channels);
    if (present.is_empty()) continue;
    leaves.push_back({.channels = present.shifted(-shape.channels.lo)});
    numbers.push_back({k, k + 1});
  }
  const std::vector<int> joins = joins_after(shape.leaves.count, numbers);
  for (std::size_t k = 0; k < leaves.size(); ++k) leaves[k].num_joins = joins[k];
  return leaves;
}

}  // namespace parconv::direct
