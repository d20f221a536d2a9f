// SPDX-License-Identifier: Apache-2.0
// Local response normalisation.
#pragma once

#include "compute/elements/element_call.hpp"
#include "parconv/model/formulas/power.hpp"

namespace parconv::element {

/// Sums over the neighbouring channels in order.
struct Lrn {
  Operands<1> from{};
  parconv::Lrn lrn{};
  index_t own = 0;       ///< source channel of dst channel 0
  index_t channels = 0;  ///< of the source

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    ChannelVector<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = normalised(at, own + at.c + k);
    return result;
  }

 private:
  PARCONV_HOST_DEVICE float normalised(ElementIndex at, index_t channel) const {
    const index_t lowest = channel - (lrn.size - 1) / 2, highest = channel + lrn.size / 2;
    float sum = 0;
    for (index_t c = lowest < 0 ? 0 : lowest; c < channels && c <= highest; ++c) {
      at.c = c;
      const float x = load_one(from.srcs[0], from.srcs[0].offset(at));
      sum += x * x;
    }
    at.c = channel;
    const float factor = lrn.alpha / static_cast<float>(lrn.size);
    return load_one(from.srcs[0], from.srcs[0].offset(at)) / lrn_power(lrn.bias + factor * sum, lrn.beta);
  }
};

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalLrn& lrn, const ElementCall<Executor>& call) {
  return call.map(Lrn{.from = call.source(), .lrn = lrn.lrn, .own = lrn.own, .channels = call.source_extents()[Axis::C]});
}

}  // namespace parconv::element
