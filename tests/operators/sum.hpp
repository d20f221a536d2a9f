// SPDX-License-Identifier: Apache-2.0
// Functions of several inputs.
#pragma once

#include "operators/operator_test.hpp"

namespace parconv::test {

inline ValueId residual_block(RandomNetworkBuilder& builder, ValueId src) {
  const index_t channels = builder.extents(src)[Axis::C];
  const ValueId body = builder.relu(builder.conv(src, {.oc = 20, .window = flat(same3, same3)}));
  return builder.relu(builder.sum({builder.conv(body, {.oc = channels, .window = flat(same3, same3)}), src}));
}

inline ValueId sum_with_constant(RandomNetworkBuilder& builder, ValueId src) {
  return builder.sum({src, builder.constant(Extents{{1, builder.extents(src)[Axis::C], 1, 1, 1}})});
}

template <>
struct OperatorTest<Sum> {
  static constexpr int weight = 1;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    return builder.sum({src, builder.constant(Extents{{1, builder.extents(src)[Axis::C], 1, 1, 1}})});
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    cases.push_back({"sum with a constant", image, 4, sum_with_constant});
    cases.push_back({"residual block", image, 4, residual_block});
  }
};

template <>
struct KindTest<LocalSum> {
  static constexpr int calls = 200;

  static TestCall draw(LocalOpGenerator& g) {
    const Extents out = g.extents(g.channels());
    TestCall call;
    for (index_t k = g.random().integer(1, 4); k > 0; --k) {
      Extents src = out;
      for (Axis axis : all_axes)
        if (g.random().once_in(4)) src[axis] = 1;
      call.srcs.push_back(g.operand(src));
    }
    call.op.kind = LocalSum{};
    return g.finished(std::move(call), out);
  }
};

/// As created by the ONNX reader.
inline ValueId instance_normalization(RandomNetworkBuilder& builder, ValueId src) {
  const ValueId difference = builder.binary(BinaryKind::Sub, src, builder.global_average(src));
  const ValueId variance = builder.global_average(builder.binary(BinaryKind::Mul, difference, difference));
  const ValueId factor = builder.activation(variance, {.kind = ActivationKind::InverseRoot, .alpha = 1e-5F});
  return builder.binary(BinaryKind::Mul, difference, factor);
}

/// Kinds that map integers to integers.
inline constexpr std::array exact_kinds{BinaryKind::Mul,     BinaryKind::Sub,   BinaryKind::Max,     BinaryKind::Min,
                                        BinaryKind::PRelu,   BinaryKind::Equal, BinaryKind::Greater, BinaryKind::GreaterOrEqual,
                                        BinaryKind::Reaches, BinaryKind::Keep,  BinaryKind::Drop};

/// The larger of two, as the ONNX reader makes Greater and Where.
inline ValueId selection(RandomNetworkBuilder& builder, ValueId src) {
  const ValueId other = builder.conv(src, {.oc = builder.extents(src)[Axis::C]});
  const ValueId above = builder.binary(BinaryKind::Greater, src, other);
  return builder.sum({builder.binary(BinaryKind::Keep, above, src), builder.binary(BinaryKind::Drop, above, other)});
}

/// As the ONNX reader makes ArgMax over channels; the places are random numbers.
inline ValueId largest_channel(RandomNetworkBuilder& builder, ValueId src) {
  const std::array<bool, num_axes> channels{false, true};
  const ValueId hits = builder.binary(BinaryKind::Reaches, src, builder.add(Reduction{ReduceKind::Max, channels}, {src}));
  const ValueId numbers = builder.constant(Extents{{1, builder.extents(src)[Axis::C], 1, 1, 1}});
  return builder.add(Reduction{ReduceKind::Min, channels}, {builder.binary(BinaryKind::Mul, hits, numbers)});
}

/// With an operand of the same extents, or one that is broadcast along some axes.
template <>
struct OperatorTest<Binary> {
  static constexpr int weight = 1;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    Random& random = builder.random();
    const BinaryKind kind = exact_kinds[static_cast<std::size_t>(random.integer(0, std::ssize(exact_kinds) - 1))];
    if (random.once_in(3)) return builder.binary(kind, src, builder.relu(src));
    if (random.once_in(3)) return builder.binary(kind, src, builder.global_average(src));
    Extents extents = builder.extents(src);
    for (Axis axis : all_axes)
      if (axis == Axis::N || random.once_in(2)) extents[axis] = 1;
    const ValueId constant = builder.constant(extents, extents[Axis::D] > 1 ? 5 : 4);
    return random.once_in(2) ? builder.binary(kind, constant, src) : builder.binary(kind, src, constant);
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    const auto with_channels = [](BinaryKind kind) {
      return [kind](RandomNetworkBuilder& builder, ValueId src) {
        return builder.binary(kind, src, builder.constant(Extents{{1, builder.extents(src)[Axis::C], 1, 1, 1}}));
      };
    };
    cases.push_back({"product with channels", image, 4, with_channels(BinaryKind::Mul)});
    cases.push_back({"prelu", deep_image, 4, with_channels(BinaryKind::PRelu)});
    const auto excitation = [](RandomNetworkBuilder& builder, ValueId src) {
      const ValueId means = builder.conv(builder.global_average(src), {.oc = builder.extents(src)[Axis::C]});
      return builder.binary(BinaryKind::Mul, src, builder.activation(means, {.kind = ActivationKind::Sigmoid}));
    };
    cases.push_back({"squeeze and excitation", image, 4, excitation});
    const auto difference = [](RandomNetworkBuilder& builder, ValueId src) {
      return builder.binary(BinaryKind::Sub, src, builder.conv(src, {.oc = builder.extents(src)[Axis::C]}));
    };
    cases.push_back({"difference in 3-D", cube, 5, difference});
    cases.push_back({"selection", image, 4, selection});
    cases.push_back({"selection in 3-D", cube, 5, selection});
    cases.push_back({"largest channel", image, 4, largest_channel});
    cases.push_back({"instance normalization", image, 4, instance_normalization});
    cases.push_back({"instance normalization in 3-D", cube, 5, instance_normalization});
  }
};

template <>
struct KindTest<LocalBinary> {
  static constexpr int calls = 300;

  static TestCall draw(LocalOpGenerator& g) {
    const Extents out = g.extents(g.channels());
    TestCall call;
    for (int k = 0; k < 2; ++k) {
      Extents src = out;
      for (Axis axis : all_axes)
        if (g.random().once_in(4)) src[axis] = 1;
      call.srcs.push_back(g.operand(src));
    }
    call.op.kind = LocalBinary{g.any_of(exact_kinds)};
    return g.finished(std::move(call), out);
  }
};

}  // namespace parconv::test
