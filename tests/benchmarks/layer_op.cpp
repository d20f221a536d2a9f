// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/layer_op.hpp"

namespace parconv::bench {
namespace {

OperandLayout dense(const Extents& extents, DType type) { return layout_within(Box::whole(extents), Box::whole(extents), type); }

}  // namespace

Extents extents_of(const Layer& layer, index_t n, index_t channels, index_t edge) {
  return {{n, channels, layer.spatial_ndims == 3 ? edge : 1, edge, edge}};
}

Window window_of(const Layer& layer) {
  Window window;
  for (Axis axis : spatial_axes)
    if (axis != Axis::D || layer.spatial_ndims == 3)
      window[axis] = {.kernel = layer.kernel, .stride = layer.stride, .pad_lo = layer.pad, .pad_hi = layer.pad};
  return window;
}

LocalOp local_op_of(const Layer& layer, const std::vector<float>& bias, index_t n, DType type) {
  const Window window = window_of(layer);
  ChannelBlock block{.src = {0, layer.ic}, .dst = {0, layer.oc}, .filter = {.oc = {0, layer.oc}, .ic = {0, layer.ic}}};
  for (std::size_t k = 0; k < 3; ++k) block.filter.kernel[k] = {0, window.axes[k].kernel};
  const index_t taps = window.axes[0].kernel * window.axes[1].kernel * window.axes[2].kernel;
  const SumLeaves leaves = leaves_of(layer.ic, taps, LeafRule::Coarse);
  return {.kind = LocalConv{.window = window, .blocks = {block}, .leaves = leaves},
          .epilogue = {.bias = bias, .activation = {.kind = ActivationKind::Relu}},
          .srcs = {dense(extents_of(layer, n, layer.ic, layer.size), type)},
          .dst = dense(extents_of(layer, n, layer.oc, layer.out_size), type)};
}

}  // namespace parconv::bench
