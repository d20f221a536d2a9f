// SPDX-License-Identifier: Apache-2.0
// Pooling: a function of the taps that lie in the source.
#pragma once

#include <limits>
#include <vector>

#include "compute/elements/axis_taps.hpp"
#include "compute/elements/element_call.hpp"
#include "compute/elements/extremes.hpp"

namespace parconv::element {

/// The taps of one output along one axis that lie in the source.
struct PoolTaps {
  index_t first = 0;  ///< index of the source, of the first tap
  index_t count = 0;
  index_t divisor = 1;
};

/// Taps are visited in the order d, h, w.
struct Pool {
  Operands<1> from{};
  bool is_max = true;
  Table<PoolTaps> d{};
  Table<PoolTaps> h{};
  Table<PoolTaps> w{};
  ElementIndex step{};  ///< between taps, in elements

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    const PoolTaps& along_d = d[at.d];
    const PoolTaps& along_h = h[at.h];
    const PoolTaps& along_w = w[at.w];
    const ConstElements& src = from.srcs[0];
    const index_t first = src.offset({.n = at.n, .c = at.c, .d = along_d.first, .h = along_h.first, .w = along_w.first});
    ChannelVector<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = is_max ? -std::numeric_limits<float>::infinity() : 0;
    for (index_t i = 0; i < along_d.count; ++i)
      for (index_t j = 0; j < along_h.count; ++j)
        for (index_t l = 0; l < along_w.count; ++l) take(result, first + i * step.d + j * step.h + l * step.w);
    if (is_max) return result;
    const float divisor = static_cast<float>(along_d.divisor * along_h.divisor * along_w.divisor);
    for (int k = 0; k < V; ++k) result.x[k] /= divisor;
    return result;
  }

 private:
  template <int V>
  PARCONV_HOST_DEVICE void take(ChannelVector<V>& result, index_t offset) const {
    const ChannelVector<V> tap = load_dense<V>(from.srcs[0], offset);
    for (int k = 0; k < V; ++k) result.x[k] = is_max ? maximum(result.x[k], tap.x[k]) : result.x[k] + tap.x[k];
  }
};

/// The taps of every output along one axis. Precondition: an average has a divisor for each.
inline std::vector<PoolTaps> pool_taps(const LocalPool& pool, const LocalOp& op, Axis axis) {
  const WindowAxis& window = pool.window[axis];
  const auto& divisors = pool.divisors[static_cast<std::size_t>(axis) - 2];
  const bool has_divisors = pool.kind == PoolKind::Average;
  PARCONV_EXPECT(!has_divisors || std::ssize(divisors) == op.dst.extents[axis], divisors.size(), " divisors along ",
                 name_of(axis));
  std::vector<PoolTaps> taps;
  for (index_t out = 0; out < op.dst.extents[axis]; ++out) {
    const Interval inside = taps_inside(window, out, main_source(op).extents[axis]);
    taps.push_back({.first = out * window.stride - window.pad_lo + inside.lo * window.dilation,
                    .count = inside.size(),
                    .divisor = has_divisors ? divisors[static_cast<std::size_t>(out)] : 1});
  }
  return taps;
}

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalPool& pool, const ElementCall<Executor>& call) {
  Tables<Executor> tables(call.executor());
  const Extents& strides = main_source(call.op()).strides;
  const auto step = [&](Axis axis) { return pool.window[axis].dilation * strides[axis]; };
  const Pool function{.from = call.source(),
                      .is_max = pool.kind == PoolKind::Max,
                      .d = tables.add(pool_taps(pool, call.op(), Axis::D)),
                      .h = tables.add(pool_taps(pool, call.op(), Axis::H)),
                      .w = tables.add(pool_taps(pool, call.op(), Axis::W)),
                      .step = {.d = step(Axis::D), .h = step(Axis::H), .w = step(Axis::W)}};
  return call.map(function, std::move(tables));
}

}  // namespace parconv::element
