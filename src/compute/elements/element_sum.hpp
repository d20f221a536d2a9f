// SPDX-License-Identifier: Apache-2.0
// Functions of several elements at the same index.
#pragma once

#include "compute/elements/element_call.hpp"
#include "compute/elements/sum_chain.hpp"

namespace parconv::element {

/// Operands with fewer elements than the result have strides of 0.
struct Sum {
  static constexpr int most_operands = 32;
  Operands<most_operands> from{};
  int count = 1;

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    ChannelVector<V> sum = load<V>(from.srcs[0], at);
    for (int i = 1; i < count; ++i) {
      const ChannelVector<V> term = load<V>(from.srcs[i], at);
      for (int k = 0; k < V; ++k) sum.x[k] += term.x[k];
    }
    return sum;
  }
};

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalSum& sum, const ElementCall<Executor>& call) {
  Sum function{.count = static_cast<int>(operand_indices(call.op()).size())};
  if (function.count > Sum::most_operands)
    return std::make_unique<SumChain>(call.op(), Sum::most_operands, [&](const LocalOp& link) {
      return make_kernel(sum, ElementCall<Executor>(link, call.executor()));
    });
  call.repeat_operands(function.from);
  return call.map(function);
}

PARCONV_HOST_DEVICE inline float combined(BinaryKind kind, float a, float b) {
  switch (kind) {
    case BinaryKind::Mul:
      return a * b;
    case BinaryKind::Sub:
      return a - b;
    case BinaryKind::Div:
      return a / b;
    case BinaryKind::Max:
      return a < b ? b : a;
    case BinaryKind::Min:
      return b < a ? b : a;
    case BinaryKind::PRelu:
      return a < 0 ? a * b : a;
    case BinaryKind::Pow:
      return std::pow(a, b);
  }
  return a;
}

/// Operands with fewer elements than the result have strides of 0.
struct Binary {
  Operands<2> from{};
  BinaryKind kind = BinaryKind::Mul;

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    ChannelVector<V> a = load<V>(from.srcs[0], at);
    const ChannelVector<V> b = load<V>(from.srcs[1], at);
    for (int k = 0; k < V; ++k) a.x[k] = element::combined(kind, a.x[k], b.x[k]);
    return a;
  }
};

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalBinary& binary, const ElementCall<Executor>& call) {
  PARCONV_EXPECT(operand_indices(call.op()).size() == 2, call.op().srcs.size(), " sources of a binary function");
  Binary function{.kind = binary.kind};
  call.repeat_operands(function.from);
  return call.map(function);
}

}  // namespace parconv::element
