#include "compute/reference_kinds.hpp"

namespace parconv {
namespace {

/// The element of `src` that takes part in result `at`: index 0 along axes of extent 1.
float broadcast_at(const Source& src, Index at) {
  for (Axis axis : all_axes) {
    if (src.extents()[axis] == 1) at[axis] = 0;
  }
  return src.at(at);
}

/// The index whose row-major (ONNX) position in `shape` is `position`.
Index index_in(const Extents& shape, index_t position) {
  Index at;
  for (auto axis = all_axes.rbegin(); axis != all_axes.rend(); ++axis) {
    at[*axis] = position % shape[*axis];
    position /= shape[*axis];
  }
  return at;
}

index_t position_in(const Extents& shape, const Index& at) {
  index_t position = 0;
  for (Axis axis : all_axes) position = position * shape[axis] + at[axis];
  return position;
}

}  // namespace

void compute(const LocalFill& fill, const ReferenceCall& call) {
  call.store_each([&](const Index&) { return fill.value; });
}

void compute(const LocalCopy&, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each([&](const Index& at) { return src.at(at); });
}

void compute(const LocalScaleShift& op, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each([&](const Index& at) {
    const auto channel = static_cast<std::size_t>(at[Axis::C]);
    return op.scale[channel] * src.at(at) + op.shift[channel];
  });
}

void compute(const LocalSum&, const ReferenceCall& call) {
  call.store_each([&](const Index& at) {
    float sum = broadcast_at(call.operand(0), at);
    for (std::size_t k = 1; k < call.num_operands(); ++k) sum += broadcast_at(call.operand(k), at);
    return sum;
  });
}

void compute(const LocalBinary& binary, const ReferenceCall& call) {
  call.store_each([&](const Index& at) {
    return combined(binary.kind, broadcast_at(call.operand(0), at), broadcast_at(call.operand(1), at));
  });
}

void compute(const LocalRearrange& rearrange, const ReferenceCall& call) {
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

void compute(const LocalReshape& reshape, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each([&](const Index& at) {
    const index_t position = position_in(reshape.dst_shape, sum_of(at, reshape.dst_offset));
    return src.at(index_in(reshape.src_shape, position));
  });
}

}  // namespace parconv
