// SPDX-License-Identifier: Apache-2.0
// Activations, and factors and terms per channel.
#pragma once

#include <algorithm>
#include <array>

#include "operators/operator_test.hpp"

namespace parconv::test {

inline AddOperator activation(const Activation& activation) {
  return [activation](RandomNetworkBuilder& builder, ValueId src) { return builder.activation(src, activation); };
}

/// True if results are rounded even for small integers.
inline bool is_rounded(const Activation& activation) {
  constexpr std::array exact{
      ActivationKind::HardSigmoid, ActivationKind::Abs,   ActivationKind::Neg,  ActivationKind::Floor,
      ActivationKind::Ceil,        ActivationKind::Round, ActivationKind::Sign, ActivationKind::ThresholdedRelu,
      ActivationKind::Shrink};
  if (activation.kind == ActivationKind::Power) return activation.alpha != 2;
  return activation.kind >= ActivationKind::Sigmoid && std::find(exact.begin(), exact.end(), activation.kind) == exact.end();
}

/// A random activation that is not a comparison.
inline Activation random_activation(Random& random) {
  constexpr std::array kinds{ActivationKind::Sigmoid,   ActivationKind::Tanh, ActivationKind::Elu,  ActivationKind::HardSigmoid,
                             ActivationKind::HardSwish, ActivationKind::Silu, ActivationKind::Gelu, ActivationKind::GeluTanh};
  return {.kind = kinds[static_cast<std::size_t>(random.integer(0, std::ssize(kinds) - 1))], .alpha = 0.5F, .beta = 0.25F};
}

template <>
struct OperatorTest<Elementwise> {
  static constexpr int weight = 1;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    return builder.activation(random_conv(builder, src), random_activation(builder.random()));
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    cases.push_back({"relu", image, 4, activation({.kind = ActivationKind::Relu})});
    cases.push_back({"leaky relu", image, 4, activation({.kind = ActivationKind::LeakyRelu, .alpha = 0.25F})});
    cases.push_back({"clip", cube, 5, activation({.kind = ActivationKind::Clip, .alpha = -1, .beta = 1})});
    cases.push_back({"sigmoid", image, 4, activation({.kind = ActivationKind::Sigmoid})});
    cases.push_back({"tanh of full vectors", deep_image, 4, activation({.kind = ActivationKind::Tanh})});
    cases.push_back({"elu", cube, 5, activation({.kind = ActivationKind::Elu, .alpha = 1.5F})});
    cases.push_back({"hard sigmoid", image, 4, activation({.kind = ActivationKind::HardSigmoid, .alpha = 0.25F, .beta = 0.5F})});
    cases.push_back({"softplus", image, 4, activation({.kind = ActivationKind::Softplus})});
    cases.push_back({"shrink", image, 4, activation({.kind = ActivationKind::Shrink, .alpha = 1, .beta = 0.5F})});
    cases.push_back({"mish", image, 4, activation({.kind = ActivationKind::Mish})});
    cases.push_back({"sign", image, 4, activation({.kind = ActivationKind::Sign})});
    cases.push_back({"power", image, 4, activation({.kind = ActivationKind::Power, .alpha = 2})});
    const auto conv_gelu = [](RandomNetworkBuilder& builder, ValueId src) {
      const ValueId product = builder.conv(src, {.oc = 33, .window = flat(same3, half3)});
      return builder.activation(product, {.kind = ActivationKind::Gelu});
    };
    cases.push_back({"conv 3x3 and gelu", image, 4, conv_gelu});
  }
};

template <>
struct KindTest<LocalCopy> {
  static constexpr int calls = 100;

  static TestCall draw(LocalOpGenerator& g) { return g.copy(); }
};

template <>
struct OperatorTest<ScaleShift> {
  static constexpr int weight = 1;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) { return builder.scale_shift(src); }

  static void append_cases(std::vector<OperatorCase>& cases) {
    const auto scale_shift = [](RandomNetworkBuilder& builder, ValueId src) { return builder.scale_shift(src); };
    cases.push_back({"scale and shift", image, 4, scale_shift});
    cases.push_back({"scale and shift of full vectors", Extents{{2, 96, 1, 5, 5}}, 4, scale_shift});
  }
};

template <>
struct KindTest<LocalScaleShift> {
  static constexpr int calls = 100;

  static TestCall draw(LocalOpGenerator& g) {
    TestCall call = g.copy();
    const index_t c = call.dst.layout.extents[Axis::C];
    call.op.kind = LocalScaleShift{.scale = g.numbers(c), .shift = g.numbers(c)};
    return call;
  }
};

}  // namespace parconv::test
