// SPDX-License-Identifier: Apache-2.0
// One convolution of dense operands by oneDNN.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "compute/conv/conv_geometry.hpp"
#include "compute/onednn/onednn_weights.hpp"
#include "parconv/geometry/window.hpp"

namespace parconv::onednn {

/// A convolution of dense channels-last operands. `in` and `out` are d, h, w. Products are accumulated and the epilogue is
/// applied in f32.
struct DenseConv {
  DType type = DType::F32;  ///< of src and weights
  DType dst_type = DType::F32;
  index_t n = 1;
  index_t groups = 1;
  index_t ic = 0;
  index_t oc = 0;
  std::array<index_t, 3> in{1, 1, 1};
  std::array<index_t, 3> out{1, 1, 1};
  Window window{};
  /// src contains its padding as explicit zeros.
  bool is_src_padded = false;
  bool has_bias = false;
  /// The previous contents of dst are added before the activation.
  bool adds_to_dst = false;
  Activation activation{};

  friend bool operator==(const DenseConv&, const DenseConv&) = default;
};

/// For messages: "bf16 1x64x56x56 -> f32 1x128x28x28, window ...".
std::string to_string(const DenseConv& conv);

/// Reinterprets the memory for a faster oneDNN call: a window over the full extent becomes 1x1 over (d, h, w, c) as channels;
/// samples without spatial extent become pixels of one row; axes without extent move to the front, so that vectors lie along w.
/// Example: 64 samples of 7x7x512 with a 7x7 window become one row of 64 pixels with 25088 channels.
DenseConv folded(const DenseConv& conv);

/// True if the window covers the whole input, and `folded` turns its taps into channels: one output pixel per sample.
bool is_full_extent(const DenseConv& conv);

/// Returns weights in the layout and type `packed`; `dense` describes them in oc, ic, kd, kh, kw order.
using WeightsProvider = std::function<SharedWeights(const dnnl::memory::desc& dense, const dnnl::memory::desc& packed)>;

/// A prepared convolution. Owns its bias and shares its packed weights. Not thread-safe.
class DenseConvCall {
 public:
  /// Throws Error(Unavailable) if oneDNN has only its reference implementation (hundreds of times slower than others) or none;
  /// rethrows exceptions of `weights`.
  DenseConvCall(const DenseConv& conv, const WeightsProvider& weights, std::span<const float> bias);

  /// Computes once; the scratchpad has scratchpad_bytes() bytes. Blocks.
  void execute(const std::byte* src, std::byte* dst, std::byte* scratchpad);

  std::size_t scratchpad_bytes() const { return scratchpad_bytes_; }
  /// Weights shared with an earlier call are not counted.
  std::size_t resident_bytes() const { return weights_.counted_bytes + bias_bytes_; }
  const std::string& implementation() const { return implementation_; }

 private:
  void pack_bias(std::span<const float> bias);

  dnnl::convolution_forward primitive_{};
  dnnl::memory src_{};
  SharedWeights weights_{};
  dnnl::memory bias_{};
  dnnl::memory dst_{};
  dnnl::memory scratchpad_{};
  std::vector<dnnl_exec_arg_t> arguments_{};
  std::size_t scratchpad_bytes_ = 0;
  std::size_t bias_bytes_ = 0;
  std::string implementation_{};
};

/// The implementation that oneDNN would choose.
enum class Quality {
  None,     ///< its reference only, or none
  Lowered,  ///< im2col and GEMM: slower, other bits than its direct kernels
  Direct
};
Quality quality_of(const DenseConv& conv);

}  // namespace parconv::onednn
