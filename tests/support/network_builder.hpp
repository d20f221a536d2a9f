// Builds networks in memory: literal ones for tests, and random ones.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parconv/model/network.hpp"
#include "parconv/model/rearrangement.hpp"
#include "support/random.hpp"

namespace parconv::test {

/// What weights are made of.
enum class Weights {
  SmallIntegers,  ///< of [-1, 1]: sums stay exact
  Reals           ///< of [-1, 1), scaled so that activations keep their size
};

struct ConvOptions {
  index_t oc = 1;
  Window window{};
  index_t groups = 1;
  bool has_bias = true;
};

/// Appends operators one by one; every method returns the value that it makes.
class NetworkBuilder {
 public:
  NetworkBuilder(std::uint64_t seed, Weights weights) : random_(seed), weights_(weights) {}

  ValueId input(const Extents& extents, int ndims = 4);
  ValueId constant(const Extents& extents, int ndims = 4);
  ValueId conv(ValueId src, const ConvOptions& options);
  /// pad_hi of the window may be negative: outputs beyond the last one that an input reaches.
  ValueId conv_transpose(ValueId src, const ConvOptions& options);
  ValueId pool(ValueId src, PoolKind kind, const Window& window, bool is_padding_counted = false);
  ValueId activation(ValueId src, Activation activation);
  ValueId relu(ValueId src) { return activation(src, {.kind = ActivationKind::Relu}); }
  ValueId scale_shift(ValueId src);
  ValueId sum(std::vector<ValueId> srcs) { return add(Sum{}, std::move(srcs)); }
  ValueId concat(std::vector<ValueId> srcs, Axis axis = Axis::C) { return add(Concat{axis}, std::move(srcs)); }
  ValueId reduce(ValueId src, ReduceKind kind, std::array<bool, num_axes> axes);
  ValueId row_sum(ValueId src) { return add(RowSum{}, {src}); }
  ValueId lrn(ValueId src, const Lrn& lrn) { return add(lrn, {src}); }
  ValueId matmul(ValueId left, ValueId right, const MatMul& op = {}) { return add(op, {left, right}); }
  ValueId binary(BinaryKind kind, ValueId left, ValueId right) { return add(Binary{kind}, {left, right}); }
  ValueId global_average(ValueId src);
  ValueId softmax(ValueId src, Axis axis = Axis::C);
  ValueId reshape(ValueId src, const Extents& extents, int ndims);
  /// `src` must have extents that line up with the chain.
  ValueId rearrange(ValueId src, const Rearrange& chain);
  ValueId transpose(ValueId src, std::span<const int> perm);
  /// Channels (groups, rest) become (rest, groups).
  ValueId channel_shuffle(ValueId src, index_t groups);
  /// Channels (rest, block, block) become rows and columns, as PixelShuffle does it.
  ValueId pixel_shuffle(ValueId src, index_t block);
  ValueId resample(ValueId src, const Resample& op) { return add(op, {src}); }
  /// Flatten, then a fully connected layer, as a convolution over the full extent.
  ValueId fully_connected(ValueId src, index_t oc);

  const Extents& extents(ValueId value) const { return network_.value(value).extents; }
  Random& random() { return random_; }

  /// The network with these outputs.
  Network build(std::vector<ValueId> outputs);

 private:
  ValueId add(Operator op, std::vector<ValueId> inputs, Finish finish = {});
  ValueId add_value(ValueKind kind, const Extents& extents, int ndims);
  /// A random filter for `channels` inputs, oc, ic, kd, kh, kw from slowest to fastest.
  Filter draw_filter(const ConvOptions& options, index_t channels);
  std::shared_ptr<const std::vector<float>> draw(index_t count, index_t fan_in);

  Random random_;
  Weights weights_;
  Network network_;
};

/// A window with random kernel, stride, padding (asymmetric, smaller than the window) and dilation along the axes where `extents`
/// has more than one index, such that at least one output exists.
Window random_window(Random& random, const Extents& extents, bool has_dilation = true);

/// Slices, pads and resizes in all ways that fit an axis of `in_size` elements.
ResampledAxis random_resampled_axis(Random& random, index_t in_size);

enum class Samples { Apart, Mixed };

/// A chain that cuts the axes into parts, exchanges these, and joins neighbours to 2 to 5 dimensions.
Rearrange random_chain(Random& random, const Extents& extents, Samples samples);

/// One operator of a random kind and random shape: 1-D to 3-D, 1 to 3 samples, odd channels, groups.
Network random_operator(std::uint64_t seed, Weights weights);

/// A random directed acyclic graph of `num_nodes` operators or a few more, with branches, skips and joins.
Network random_network(std::uint64_t seed, Weights weights, int num_nodes);

/// The networks of the tests that touch every operator: convolutions of all sorts, a residual block, a branch with a
/// concatenation, global pooling, a fully connected layer, a softmax.
Network small_classifier(std::uint64_t seed, Weights weights, const Extents& input);

}  // namespace parconv::test
