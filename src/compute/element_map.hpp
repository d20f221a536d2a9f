// A result made element by element: each is a function of the operands at its place, finished and written. The same for CPUs and
// GPUs.
#pragma once

#include "compute/activation_formulas.hpp"
#include "device/places.hpp"

namespace parconv::element {

/// Numbers that do not change from call to call. Owned by the kernel, in the memory of whoever computes.
template <class T>
struct Table {
  const T* data = nullptr;
  index_t size = 0;

  PARCONV_HOST_DEVICE const T& operator[](index_t k) const { return data[k]; }
};

/// One function for all kinds: it is long, and inlining it into each of them would take most of the time that kernels take to
/// compile.
template <int V>
PARCONV_HOST_DEVICE PARCONV_OUT_OF_LINE Lanes<V> activated(Lanes<V> values, Activation activation) {
  with_formula(activation, [&](auto formula) {
    for (int k = 0; k < V; ++k) values.x[k] = formula(values.x[k]);
  });
  return values;
}

/// What is done to a value before it is written: bias, residual, activation.
struct Finish {
  Table<float> bias{};
  ConstElements residual{};  ///< none without data
  Activation activation{};

  template <int V>
  PARCONV_HOST_DEVICE void apply(Lanes<V>& values, const Place& at) const {
    if (bias.size > 0)
      for (int k = 0; k < V; ++k) values.x[k] += bias[at.c + k];
    if (residual.data != nullptr) {
      const Lanes<V> added = load<V>(residual, at);
      for (int k = 0; k < V; ++k) values.x[k] += added.x[k];
    }
    if (activation.kind != ActivationKind::None) values = activated(values, activation);
  }
};

/// Makes V elements: dst = finish(kind(place)). The residual is read before dst, which may lie in its place, is written.
template <int V, class Kind>
struct Map {
  Kind kind{};
  Finish finish{};
  Elements dst{};
  Places places{};

  PARCONV_HOST_DEVICE void operator()(index_t number) const {
    const Place at = places.at(number);
    Lanes<V> values = kind.template value<V>(at);
    finish.apply(values, at);
    store(dst, at, values);
  }
};

}  // namespace parconv::element
