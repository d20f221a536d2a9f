// SPDX-License-Identifier: Apache-2.0
// Elements that move within a tensor, in plain loops.
#pragma once

#include "compute/reference/reference_call.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/rearrangement.hpp"

namespace parconv::reference {

/// The index whose row-major (ONNX) position in `shape` is `position`.
inline Index index_in(const Extents& shape, index_t position) {
  Index at;
  for (auto axis = all_axes.rbegin(); axis != all_axes.rend(); ++axis) {
    at[*axis] = position % shape[*axis];
    position /= shape[*axis];
  }
  return at;
}

inline index_t position_in(const Extents& shape, const Index& at) {
  index_t position = 0;
  for (Axis axis : all_axes) position = position * shape[axis] + at[axis];
  return position;
}

inline void check_digits(const std::vector<IndexDigit>& digits, index_t offset) {
  PARCONV_EXPECT(offset >= 0, "index ", offset);
  index_t stride = 1;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    PARCONV_EXPECT(digit->size >= 1 && digit->dst_stride == stride, "a digit of ", digit->size, " counts ", digit->dst_stride);
    stride *= digit->size;
  }
}

inline void check(const LocalRearrange& rearrange, const CallExtents& call) {
  Box out, in;
  for (Axis axis : all_axes) {
    const index_t first = rearrange.dst_offset[axis], origin = rearrange.src_offset[axis];
    check_digits(rearrange.digits[static_cast<std::size_t>(axis)], first);
    out[axis] = {first, first + call.dst[axis]};
    in[axis] = {origin, origin + call.srcs.front()[axis]};
  }
  const Box read = sources_of(rearrange.digits, out);
  PARCONV_EXPECT(in.contains(read), "reads ", read, " of ", in);
}

inline void compute(const LocalRearrange& rearrange, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each([&](const Index& at) {
    Index from;
    for (Axis axis : all_axes) from[axis] = -rearrange.src_offset[axis];
    for (Axis axis : all_axes)
      for (const IndexDigit& digit : rearrange.digits[static_cast<std::size_t>(axis)]) {
        const index_t index = at[axis] + rearrange.dst_offset[axis];
        from[digit.src] += index / digit.dst_stride % digit.size * digit.src_stride;
      }
    return src.at(from);
  });
}

inline void check(const LocalReshape& reshape, const CallExtents& call) {
  const Extents &src = call.srcs.front(), &dst = call.dst;
  PARCONV_EXPECT(reshape.src_shape == src, "src ", src, ", shape ", reshape.src_shape);
  PARCONV_EXPECT(volume(reshape.dst_shape) <= volume(src), "src ", src, ", dst shape ", reshape.dst_shape);
  for (Axis axis : all_axes) {
    const index_t offset = reshape.dst_offset[axis];
    PARCONV_EXPECT(offset >= 0 && offset + dst[axis] <= reshape.dst_shape[axis], "dst ", dst, " in ", reshape.dst_shape);
  }
}

inline void compute(const LocalReshape& reshape, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each([&](const Index& at) {
    const index_t position = position_in(reshape.dst_shape, sum_of(at, reshape.dst_offset));
    return src.at(index_in(reshape.src_shape, position));
  });
}

}  // namespace parconv::reference
