// SPDX-License-Identifier: Apache-2.0
// Functions of several elements at the same index.
#pragma once

#include "compute/elements/element_call.hpp"
#include "compute/elements/extremes.hpp"
#include "compute/elements/sum_chain.hpp"
#include "compute/elements/tree_joins.hpp"
#include "parconv/model/formulas/power.hpp"

namespace parconv::element {

template <int V>
PARCONV_HOST_DEVICE void add(ChannelVector<V>& sum, const ChannelVector<V>& term) {
  for (int k = 0; k < V; ++k) sum.x[k] += term.x[k];
}

/// Operands with fewer elements than the result have strides of 0.
struct Sum {
  static constexpr int most_operands = 32;
  Operands<most_operands> from{};
  int count = 1;

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    ChannelVector<V> sum = load<V>(from.srcs[0], at);
    for (int i = 1; i < count; ++i) add(sum, load<V>(from.srcs[i], at));
    return sum;
  }
};

/// The sum by a tree: see joins_after.
struct TreeSum {
  Operands<most_leaves> from{};
  int count = 1;
  TreeJoins joins{};

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    ChannelVector<V> open[most_open_sums];
    int num_open = 0;
    for (int i = 0; i < count; ++i) {
      open[num_open++] = load<V>(from.srcs[i], at);
      for (int join = 0; join < joins.after(i); ++join) {
        --num_open;
        add(open[num_open - 1], open[num_open]);
      }
    }
    return open[0];
  }
};

template <class Executor>
std::unique_ptr<Kernel> make_tree_kernel(const LocalSum& sum, const ElementCall<Executor>& call) {
  const std::size_t count = operand_indices(call.op()).size();
  PARCONV_EXPECT(sum.joins.size() == count, count, " operands, ", sum.joins.size(), " numbers of joins");
  TreeSum function{.count = static_cast<int>(count), .joins = tree_joins(sum.joins)};
  call.repeat_operands(function.from);
  return call.map(function);
}

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalSum& sum, const ElementCall<Executor>& call) {
  if (!sum.joins.empty()) return make_tree_kernel(sum, call);
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
      return maximum(a, b);
    case BinaryKind::Min:
      return minimum(a, b);
    case BinaryKind::PRelu:
      return a < 0 ? a * b : a;
    case BinaryKind::Pow:
      return power(a, b);
    case BinaryKind::Equal:
      return a == b ? 1.0F : 0.0F;
    case BinaryKind::Greater:
      return a > b ? 1.0F : 0.0F;
    case BinaryKind::GreaterOrEqual:
      return a >= b ? 1.0F : 0.0F;
    case BinaryKind::Reaches:
      return a >= b || a != a ? 1.0F : 0.0F;
    case BinaryKind::Keep:
      return a != 0 ? b : -0.0F;
    case BinaryKind::Drop:
      return a != 0 ? -0.0F : b;
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
