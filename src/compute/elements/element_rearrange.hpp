// SPDX-License-Identifier: Apache-2.0
// Elements that move within a tensor.
#pragma once

#include <vector>

#include "compute/elements/element_call.hpp"

namespace parconv::element {

/// The element with the same ONNX index in another shape.
struct Reshape {
  static constexpr bool is_single = true;
  Operands<1> from{};
  ElementIndex dst_offset{};
  ElementIndex dst_shape{};
  Divisor src_c{};
  Divisor src_d{};
  Divisor src_h{};
  Divisor src_w{};

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<1> value(const ElementIndex& at) const {
    return load<1>(from.srcs[0], in_source(at));
  }

 private:
  PARCONV_HOST_DEVICE ElementIndex in_source(const ElementIndex& at) const {
    index_t index = dst_offset.n + at.n;
    index = index * dst_shape.c + dst_offset.c + at.c;
    index = index * dst_shape.d + dst_offset.d + at.d;
    index = index * dst_shape.h + dst_offset.h + at.h;
    index = index * dst_shape.w + dst_offset.w + at.w;
    ElementIndex place;
    place.w = src_w.take_remainder(index);
    place.h = src_h.take_remainder(index);
    place.d = src_d.take_remainder(index);
    place.c = src_c.take_remainder(index);
    place.n = index;
    return place;
  }
};

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalReshape& reshape, const ElementCall<Executor>& call) {
  const Extents& shape = reshape.src_shape;
  return call.map(Reshape{.from = call.source(),
                          .dst_offset = element_index(reshape.dst_offset),
                          .dst_shape = element_index(reshape.dst_shape),
                          .src_c = Divisor(shape[Axis::C]),
                          .src_d = Divisor(shape[Axis::D]),
                          .src_h = Divisor(shape[Axis::H]),
                          .src_w = Divisor(shape[Axis::W])});
}

/// A digit of an index of dst and its stride in the source.
struct StepDigit {
  Divisor dst_stride{};
  Divisor size{};
  index_t step = 0;
};

/// The source element addressed by the digits of the indices.
struct Rearrange {
  Operands<1> from{};
  Table<StepDigit> n{};
  Table<StepDigit> c{};
  Table<StepDigit> d{};
  Table<StepDigit> h{};
  Table<StepDigit> w{};
  ElementIndex dst_offset{};
  index_t origin = 0;  ///< source offset of index 0

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    const index_t first = origin + along(n, dst_offset.n + at.n) + along(d, dst_offset.d + at.d) + along(h, dst_offset.h + at.h) +
                          along(w, dst_offset.w + at.w);
    ChannelVector<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = load_one(from.srcs[0], first + along(c, dst_offset.c + at.c + k));
    return result;
  }

 private:
  static PARCONV_HOST_DEVICE index_t along(const Table<StepDigit>& digits, index_t index) {
    index_t offset = 0;
    for (index_t k = 0; k < digits.size; ++k) {
      index_t rest = digits[k].dst_stride.quotient(index);
      offset += digits[k].size.take_remainder(rest) * digits[k].step;
    }
    return offset;
  }
};

/// The digits of the output's indices along one axis, with strides in source elements.
inline std::vector<StepDigit> step_digits(const LocalOp& op, Axis axis) {
  std::vector<StepDigit> steps;
  for (const IndexDigit& digit : std::get<LocalRearrange>(op.kind).digits[static_cast<std::size_t>(axis)])
    steps.push_back({.dst_stride = Divisor(digit.dst_stride),
                     .size = Divisor(digit.size),
                     .step = digit.src_stride * main_source(op).strides[digit.src]});
  return steps;
}

/// The offset of index 0 of the whole source from the operand's first element, in elements.
inline index_t rearranged_origin(const LocalOp& op) {
  index_t origin = 0;
  for (Axis axis : all_axes) origin -= std::get<LocalRearrange>(op.kind).src_offset[axis] * main_source(op).strides[axis];
  return origin;
}

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalRearrange& rearrange, const ElementCall<Executor>& call) {
  Tables<Executor> tables(call.executor());
  const auto digits = [&](Axis axis) { return tables.add(step_digits(call.op(), axis)); };
  const Rearrange function{.from = call.source(),
                           .n = digits(Axis::N),
                           .c = digits(Axis::C),
                           .d = digits(Axis::D),
                           .h = digits(Axis::H),
                           .w = digits(Axis::W),
                           .dst_offset = element_index(rearrange.dst_offset),
                           .origin = rearranged_origin(call.op())};
  return call.map(function, std::move(tables));
}

}  // namespace parconv::element
