// SPDX-License-Identifier: Apache-2.0
// Row sums and reductions of groups.
#pragma once

#include <limits>

#include "compute/elements/element_call.hpp"
#include "compute/elements/extremes.hpp"

namespace parconv::element {

/// Adds up `count` pixels of w in order.
struct RowSum {
  Operands<1> from{};
  index_t count = 1;

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    ChannelVector<V> sum{};
    for (index_t w = 0; w < count; ++w) {
      const ChannelVector<V> pixel = load<V>(from.srcs[0], {.n = at.n, .c = at.c, .d = at.d, .h = at.h, .w = w});
      for (int k = 0; k < V; ++k) sum.x[k] += pixel.x[k];
    }
    return sum;
  }
};

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalRowSum&, const ElementCall<Executor>& call) {
  return call.map(RowSum{.from = call.source(), .count = call.source_extents()[Axis::W]});
}

/// Reduces the elements of a group in the order n, d, h, w, c, then divides.
struct Reduce {
  Operands<1> from{};
  ReduceKind kind = ReduceKind::Sum;
  ElementIndex extents{};  ///< of a group: 1 along the axes that stay
  float divisor = 1;

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    ChannelVector<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = beginning();
    for (index_t n = 0; n < extents.n; ++n)
      for (index_t d = 0; d < extents.d; ++d)
        for (index_t h = 0; h < extents.h; ++h)
          for (index_t w = 0; w < extents.w; ++w)
            for (index_t c = 0; c < extents.c; ++c)
              join(result, load<V>(from.srcs[0], {.n = at.n + n, .c = at.c + c, .d = at.d + d, .h = at.h + h, .w = at.w + w}));
    for (int k = 0; k < V; ++k) result.x[k] /= divisor;
    return result;
  }

 private:
  PARCONV_HOST_DEVICE float beginning() const {
    const float infinity = std::numeric_limits<float>::infinity();
    if (kind == ReduceKind::Max) return -infinity;
    if (kind == ReduceKind::Min) return infinity;
    return kind == ReduceKind::Product ? 1.0F : 0.0F;
  }

  template <int V>
  PARCONV_HOST_DEVICE void join(ChannelVector<V>& result, const ChannelVector<V>& next) const {
    for (int k = 0; k < V; ++k) result.x[k] = joined(result.x[k], next.x[k]);
  }

  PARCONV_HOST_DEVICE float joined(float a, float b) const {
    if (kind == ReduceKind::Max) return maximum(a, b);
    if (kind == ReduceKind::Min) return minimum(a, b);
    return kind == ReduceKind::Product ? a * b : a + b;
  }
};

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalReduce& reduce, const ElementCall<Executor>& call) {
  Extents group;
  for (Axis axis : all_axes)
    if (reduce.axes[static_cast<std::size_t>(axis)]) group[axis] = call.source_extents()[axis];
  return call.map(Reduce{
      .from = call.source(), .kind = reduce.kind, .extents = element_index(group), .divisor = static_cast<float>(reduce.count)});
}

}  // namespace parconv::element
