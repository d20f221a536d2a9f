// SPDX-License-Identifier: Apache-2.0
// Networks in memory for tests: literal and random ones.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parconv/model/network.hpp"
#include "parconv/model/rearrangement.hpp"
#include "support/random.hpp"

namespace parconv::test {

/// Distribution of weights.
enum class Weights {
  SmallIntegers,  ///< in [-1, 1]: sums stay exact
  Reals           ///< in [-1, 1), scaled so that activations keep their magnitude
};

struct ConvOptions {
  index_t oc = 1;
  Window window{};
  index_t groups = 1;
  bool has_bias = true;
};

/// Appends operators one by one; every method returns the value that it makes.
class RandomNetworkBuilder {
 public:
  RandomNetworkBuilder(std::uint64_t seed, Weights weights) : RandomNetworkBuilder(Random(seed), weights) {}
  RandomNetworkBuilder(Random random, Weights weights) : random_(std::move(random)), weights_(weights) {}

  ValueId input(const Extents& extents, int ndims = 4);
  ValueId constant(const Extents& extents, int ndims = 4);
  ValueId conv(ValueId src, const ConvOptions& options);
  /// pad_hi of the window may be negative, for outputs beyond the last one that an input reaches.
  ValueId conv_transpose(ValueId src, const ConvOptions& options);
  ValueId pool(ValueId src, PoolKind kind, const Window& window, bool is_padding_counted = false);
  ValueId activation(ValueId src, Activation activation);
  ValueId relu(ValueId src) { return activation(src, {.kind = ActivationKind::Relu}); }
  ValueId scale_shift(ValueId src);
  ValueId sum(std::vector<ValueId> srcs) { return add(Sum{}, std::move(srcs)); }
  ValueId concat(std::vector<ValueId> srcs, Axis axis = Axis::C) { return add(Concat{axis}, std::move(srcs)); }
  ValueId reduce(ValueId src, ReduceKind kind, std::array<bool, num_axes> axes);
  ValueId lrn(ValueId src, const Lrn& lrn) { return add(lrn, {src}); }
  ValueId matmul(ValueId left, ValueId right, const MatMul& op = {}) { return add(op, {left, right}); }
  ValueId binary(BinaryKind kind, ValueId left, ValueId right) { return add(Binary{kind}, {left, right}); }
  ValueId global_average(ValueId src);
  ValueId softmax(ValueId src, Axis axis = Axis::C);
  ValueId reshape(ValueId src, const Extents& extents, int ndims);
  /// Precondition: the extents of `src` are aligned with the chain.
  ValueId rearrange(ValueId src, const Rearrange& chain);
  ValueId transpose(ValueId src, std::span<const int> perm);
  /// Transposes channels from (groups, rest) to (rest, groups).
  ValueId channel_shuffle(ValueId src, index_t groups);
  /// Moves channels (rest, block, block) to rows and columns, as PyTorch's PixelShuffle.
  ValueId pixel_shuffle(ValueId src, index_t block);
  ValueId resample(ValueId src, const Resample& op) { return add(op, {src}); }
  /// Flatten and a fully connected layer, as a convolution over the full extent.
  ValueId fully_connected(ValueId src, index_t oc);

  /// Any operator, whose shape rule makes the output.
  ValueId add(Operator op, std::vector<ValueId> inputs, Epilogue epilogue = {});

  const Extents& extents(ValueId value) const { return network_.value(value).extents; }
  Random& random() { return random_; }

  /// The network with the given outputs.
  Network build(std::vector<ValueId> outputs);

 private:
  ValueId add_value(ValueKind kind, const Extents& extents, int ndims);
  /// A random filter for `channels` inputs, with axes oc, ic, kd, kh, kw from slowest to fastest.
  Filter draw_filter(const ConvOptions& options, index_t channels);
  std::shared_ptr<const std::vector<float>> draw(index_t count, index_t fan_in);

  Random random_;
  Weights weights_;
  Network network_;
};

/// A window with random kernel, stride, padding (asymmetric, smaller than the window) and dilation along the axes of more than
/// one index, with at least one output.
Window random_window(Random& random, const Extents& extents, bool has_dilation = true);

/// A random slice, pad or resize of an axis of `in_size` elements.
ResampledAxis random_resampled_axis(Random& random, index_t in_size);

enum class Samples { Apart, Mixed };

/// A random chain that factors the axes, permutes the factors, and merges neighbours to 2 to 5 dimensions.
Rearrange random_chain(Random& random, const Extents& extents, Samples samples);

Resample random_resample(Random& random, const Extents& extents);

/// 1-D to 3-D, 1 to 3 samples, odd channels.
Extents random_extents(Random& random);

/// With random windows, groups and channels.
ValueId random_conv(RandomNetworkBuilder& builder, ValueId src);
ValueId random_conv_transpose(RandomNetworkBuilder& builder, ValueId src);

/// A random directed acyclic graph of `num_nodes` operators or a few more, with branches, skips and joins.
Network random_network(Random random, Weights weights, int num_nodes);
inline Network random_network(std::uint64_t seed, Weights weights, int num_nodes) {
  return random_network(Random(seed), weights, num_nodes);
}

/// A network with every kind of operator: various convolutions, a residual block, a concatenated branch, global pooling, a
/// fully connected layer and a softmax.
Network small_classifier(std::uint64_t seed, Weights weights, const Extents& input);

}  // namespace parconv::test
