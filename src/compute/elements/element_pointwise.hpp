// SPDX-License-Identifier: Apache-2.0
// Functions of the element at the same index.
#pragma once

#include "compute/elements/element_call.hpp"

namespace parconv::element {

struct Fill {
  Operands<1> from{};  ///< not read
  float number = 0;

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex&) const {
    ChannelVector<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = number;
    return result;
  }
};

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalFill& fill, const ElementCall<Executor>& call) {
  return call.map(Fill{.number = fill.value});
}

/// The element at the same index.
struct Copy {
  Operands<1> from{};

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    return load<V>(from.srcs[0], at);
  }
};

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalCopy&, const ElementCall<Executor>& call) {
  return call.map(Copy{call.source()});
}

struct ScaleShift {
  Operands<1> from{};
  Table<float> scale{};
  Table<float> shift{};

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    ChannelVector<V> result = load<V>(from.srcs[0], at);
    for (int k = 0; k < V; ++k) result.x[k] = scale[at.c + k] * result.x[k] + shift[at.c + k];
    return result;
  }
};

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalScaleShift& kind, const ElementCall<Executor>& call) {
  const auto channels = static_cast<std::size_t>(call.op().dst.extents[Axis::C]);
  PARCONV_EXPECT(kind.scale.size() == channels && kind.shift.size() == channels, kind.scale.size(), " scales");
  Tables<Executor> tables(call.executor());
  const ScaleShift function{.from = call.source(), .scale = tables.add(kind.scale), .shift = tables.add(kind.shift)};
  return call.map(function, std::move(tables));
}

}  // namespace parconv::element
