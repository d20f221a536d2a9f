// SPDX-License-Identifier: Apache-2.0
// A result computed element by element: a function of the operands, then the epilogue. The same code for CPUs and GPUs.
#pragma once

#include "parconv/model/formulas.hpp"
#include "parconv/tensor/index_map.hpp"

namespace parconv::element {

/// Constants of a kernel, in the memory of the executing device. Owned by the kernel.
template <class T>
struct Table {
  const T* data = nullptr;
  index_t size = 0;

  PARCONV_HOST_DEVICE const T& operator[](index_t k) const { return data[k]; }
};

/// Out of line and shared by all kinds: inlining it would dominate the compile time of kernels.
template <int V>
PARCONV_HOST_DEVICE PARCONV_OUT_OF_LINE ChannelVector<V> activated(ChannelVector<V> values, Activation activation) {
  with_formula(activation, [&](auto formula) {
    for (int k = 0; k < V; ++k) values.x[k] = formula(values.x[k]);
  });
  return values;
}

/// The epilogue of a value: bias, residual, activation.
struct Epilogue {
  Table<float> bias{};
  ConstElements residual{};  ///< none without data
  Activation activation{};

  template <int V>
  PARCONV_HOST_DEVICE void apply(ChannelVector<V>& values, const ElementIndex& at) const {
    if (bias.size > 0)
      for (int k = 0; k < V; ++k) values.x[k] += bias[at.c + k];
    if (residual.data != nullptr) {
      const ChannelVector<V> added = load<V>(residual, at);
      for (int k = 0; k < V; ++k) values.x[k] += added.x[k];
    }
    if (activation.kind != ActivationKind::None) values = activated(values, activation);
  }
};

/// Computes V elements: dst = epilogue(kind(index)). The residual is read before dst is written, so they may alias.
template <int V, class Kind>
struct Map {
  Kind kind{};
  Epilogue epilogue{};
  Elements dst{};
  IndexMap indices{};

  PARCONV_HOST_DEVICE void operator()(index_t number) const {
    const ElementIndex at = indices.at(number);
    ChannelVector<V> values = kind.template value<V>(at);
    epilogue.apply(values, at);
    store(dst, at, values);
  }
};

}  // namespace parconv::element
