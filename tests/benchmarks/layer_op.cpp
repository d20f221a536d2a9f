// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/layer_op.hpp"

namespace parconv::bench {
namespace {

OperandLayout dense(const Extents& extents, DType type) { return layout_within(Box::whole(extents), Box::whole(extents), type); }

}  // namespace

Extents extents_of(const Layer& layer, index_t n, index_t channels, index_t edge) {
  return {{n, channels, layer.spatial_ndims == 3 ? edge : 1, edge, layer.spatial_ndims == 1 ? 1 : edge}};
}

Window window_of(const Layer& layer) {
  Window window;
  for (Axis axis : spatial_axes)
    if ((axis != Axis::D || layer.spatial_ndims == 3) && (axis != Axis::W || layer.spatial_ndims > 1))
      window[axis] = {
          .kernel = layer.kernel, .stride = layer.stride, .pad_lo = layer.pad, .pad_hi = layer.pad, .dilation = layer.dilation};
  return window;
}

LocalOp local_op_of(const Layer& layer, const std::vector<float>& bias, index_t n, DType type) {
  const Window window = window_of(layer);
  const index_t ic_per_group = layer.ic / layer.groups;
  ChannelBlock block{.groups = layer.groups,
                     .src = {0, layer.ic},
                     .dst = {0, layer.oc},
                     .filter = {.oc = {0, layer.oc}, .ic = {0, ic_per_group}}};
  for (std::size_t k = 0; k < 3; ++k) block.filter.kernel[k] = {0, window.axes[k].kernel};
  const index_t taps = window.axes[0].kernel * window.axes[1].kernel * window.axes[2].kernel;
  const SumLeaves leaves = leaves_of(ic_per_group, taps, LeafRule::Coarse);
  return {.kind = LocalConv{.window = window, .blocks = {block}, .leaves = leaves},
          .epilogue = {.bias = bias, .activation = {.kind = ActivationKind::Relu}},
          .srcs = {dense(extents_of(layer, n, layer.ic, layer.size), type)},
          .dst = dense(extents_of(layer, n, layer.oc, layer.out_size), type)};
}

}  // namespace parconv::bench
