// SPDX-License-Identifier: Apache-2.0
// Elements that move within a tensor.
#pragma once

#include <utility>

#include "operators/operator_test.hpp"

namespace parconv::test {

inline ValueId flattened(RandomNetworkBuilder& builder, ValueId src) {
  const Extents& in = builder.extents(src);
  return builder.reshape(src, Extents{{in[Axis::N], volume(in) / in[Axis::N], 1, 1, 1}}, 2);
}

template <>
struct OperatorTest<Reshape> {
  static constexpr int weight = 1;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) { return flattened(builder, src); }

  static void append_cases(std::vector<OperatorCase>& cases) { cases.push_back({"reshape", image, 4, flattened}); }
};

template <>
struct KindTest<LocalReshape> {
  static constexpr int calls = 100;

  static TestCall draw(LocalOpGenerator& g) {
    LocalReshape reshape{.src_shape = g.extents(g.channels())};
    reshape.dst_shape = reshape.src_shape;
    for (int swaps = 0; swaps < 4; ++swaps) std::swap(reshape.dst_shape[g.any_axis()], reshape.dst_shape[g.any_axis()]);
    Extents out;
    for (Axis axis : all_axes) {
      const Interval part = g.part_of(reshape.dst_shape[axis]);
      reshape.dst_offset[axis] = part.lo;
      out[axis] = part.size();
    }
    TestCall call;
    call.srcs.push_back(g.operand(reshape.src_shape));
    call.op.kind = reshape;
    return g.finished(std::move(call), out);
  }
};

template <std::size_t count>
inline AddOperator transpose(const std::array<int, count>& perm) {
  return [perm](RandomNetworkBuilder& builder, ValueId src) { return builder.transpose(src, perm); };
}

template <>
struct OperatorTest<Rearrange> {
  static constexpr int weight = 2;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    Random& random = builder.random();
    const Samples samples = random.once_in(4) ? Samples::Mixed : Samples::Apart;
    return builder.rearrange(src, random_chain(random, builder.extents(src), samples));
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    cases.push_back({"transpose of rows and columns", image, 4, transpose(std::array{0, 1, 3, 2})});
    cases.push_back({"transpose to channels last", deep_image, 4, transpose(std::array{0, 2, 3, 1})});
    cases.push_back({"transpose in 3-D", cube, 5, transpose(std::array{0, 4, 2, 1, 3})});
    cases.push_back({"transpose of a signal", signal, 3, transpose(std::array{0, 2, 1})});
    const auto shuffle = [](RandomNetworkBuilder& builder, ValueId src) { return builder.channel_shuffle(src, 4); };
    cases.push_back({"channel shuffle", image, 4, shuffle});
    const auto pixels = [](RandomNetworkBuilder& builder, ValueId src) { return builder.pixel_shuffle(src, 2); };
    cases.push_back({"pixel shuffle", deep_image, 4, pixels});
    const auto flat = [](RandomNetworkBuilder& builder, ValueId src) {
      const Extents& in = builder.extents(src);
      return builder.rearrange(src, in_order({in[Axis::N], volume(in) / in[Axis::N]}));
    };
    cases.push_back({"flatten", image, 4, flat});
    const auto tokens = [](RandomNetworkBuilder& builder, ValueId src) {
      const Extents& in = builder.extents(src);
      return builder.rearrange(src, in_order({in[Axis::N], in[Axis::C], in[Axis::H] * in[Axis::W]}));
    };
    cases.push_back({"rows and columns as one", image, 4, tokens});
  }
};

template <>
struct KindTest<LocalRearrange> {
  static constexpr int calls = 400;

  /// Axes cut into digits, which are permuted, and a part of the result.
  static TestCall draw(LocalOpGenerator& g) {
    std::vector<IndexDigit> digits(static_cast<std::size_t>(g.random().integer(0, 6)));
    Extents src, dst;
    for (IndexDigit& digit : digits) {
      digit = {.size = g.random().integer(2, 4), .src = g.any_axis(), .src_stride = 1};
      digit.src_stride = std::exchange(src[digit.src], src[digit.src] * digit.size);
    }
    LocalRearrange local;
    while (!digits.empty()) {
      const auto taken = digits.begin() + g.random().integer(0, std::ssize(digits) - 1);
      const Axis to = g.any_axis();
      taken->dst_stride = std::exchange(dst[to], dst[to] * taken->size);
      auto& along = local.digits[static_cast<std::size_t>(to)];
      along.insert(along.begin(), *taken);
      digits.erase(taken);
    }
    Box part;
    for (Axis axis : all_axes) {
      part[axis] = g.part_of(dst[axis]);
      local.dst_offset[axis] = part[axis].lo;
    }
    const Box read = sources_of(local.digits, part);
    for (Axis axis : all_axes) local.src_offset[axis] = read[axis].lo;
    TestCall call;
    call.srcs.push_back(g.operand(read.extents()));
    call.op.kind = std::move(local);
    return g.finished(std::move(call), part.extents());
  }
};

}  // namespace parconv::test
