// SPDX-License-Identifier: Apache-2.0
// Writes networks layer by layer, with random or small-integer weights.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/random.hpp"
#include "tools/onnx_writer.hpp"

namespace parconv::test {

/// Options common to the networks of parconv_make_models.
struct NetworkOptions {
  /// Scale of the channel counts inside the network; 1 is the published width.
  double channels_scale = 0.25;
  /// Height and width, preceded by depth in 3-D (by default equal to the height). Empty: the network's default. {0}: symbolic.
  std::vector<index_t> size{};
  /// 0: symbolic.
  index_t batch = 0;
  std::uint64_t seed = 1;
  /// Sparse weights in {-1, 0, 1} and normalisations that preserve integers: for small-integer inputs all activations are
  /// integers below 2^24, so results are bitwise equal in any order of summation.
  bool is_integer = false;
};

/// A tensor between two layers.
struct Feature {
  std::string name{};
  index_t channels = 0;
};

struct ConvOptions {
  index_t channels = 0;
  std::vector<index_t> kernel{3, 3};
  index_t stride = 1;
  index_t dilation = 1;
  index_t groups = 1;
  bool has_bias = false;
};

/// Appends layers to a model. Convolutions are padded so that stride 1 preserves the size; for even kernels the extra element
/// is at the end.
class LayerWriter {
 public:
  explicit LayerWriter(const NetworkOptions& options) : options_(options), random_(options.seed) {}

  OnnxWriter& model() { return model_; }
  const NetworkOptions& options() const { return options_; }

  /// `channels` scaled, at least 1.
  index_t scaled(index_t channels) const;
  /// The input "input" with the batch and size of the options; `default_size` {0, 0} is symbolic.
  Feature input(index_t channels, const std::vector<index_t>& default_size);
  /// The size of the input.
  const std::vector<index_t>& size() const { return size_; }

  Feature conv(const Feature& in, const ConvOptions& options);
  Feature batch_norm(const Feature& in);
  Feature relu(const Feature& in) { return unary("Relu", in); }
  Feature conv_bn_relu(const Feature& in, const ConvOptions& options) { return relu(batch_norm(conv(in, options))); }
  Feature conv_relu(const Feature& in, ConvOptions options);
  Feature max_pool(const Feature& in, const std::vector<index_t>& kernel, index_t stride, index_t pad);
  /// Nearest-neighbour upsampling by 2.
  Feature enlarge(const Feature& in);
  Feature add(const Feature& a, const Feature& b);
  Feature concat_channels(const Feature& a, const Feature& b);
  Feature unary(const std::string& op_type, const Feature& in, const std::vector<OnnxAttribute>& attributes = {});
  /// Flatten to (n, elements of a sample).
  Feature flatten(const Feature& in, index_t elems);
  Feature gemm(const Feature& in, index_t channels);

  void output(const Feature& in) { model_.add_output(in.name); }

 private:
  std::string weights(std::vector<index_t> dims, index_t fan_in);
  std::string vector(index_t count, float lo, float hi);
  std::string next_name(const std::string& base);

  NetworkOptions options_;
  Random random_;
  OnnxWriter model_{};
  std::vector<index_t> size_{};
  int num_tensors_ = 0;
};

}  // namespace parconv::test
