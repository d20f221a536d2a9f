// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/conv_shape.hpp"

#include <utility>

#include "parconv/core/error.hpp"

namespace parconv::direct {

/// tile.hpp includes no header of another module: it is compiled for each instruction set.
static_assert(most_open_sums == parconv::most_open_sums);

ConvShape with_long_rows(ConvShape shape) {
  if (shape.in[Axis::W] != 1 || shape.out[Axis::W] != 1 || shape.window[Axis::W] != WindowAxis{}) return shape;
  for (Extents* extents : {&shape.in, &shape.out, &shape.src_strides, &shape.dst_strides, &shape.residual_strides})
    std::swap((*extents)[Axis::H], (*extents)[Axis::W]);
  std::swap(shape.window[Axis::H], shape.window[Axis::W]);
  return shape;
}

ElementType element_type(DType type) {
  if (type == DType::F32) return ElementType::F32;
  if (type == DType::BF16) return ElementType::BF16;
  PARCONV_EXPECT(type == DType::F16, name_of(type));
  return ElementType::F16;
}

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
