// One convolution of dense operands by oneDNN.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "compute/conv_geometry.hpp"
#include "compute/onednn_weights.hpp"
#include "parconv/geometry/window.hpp"

namespace parconv::onednn {

/// Dense channels-last operands and what is done with them. `in` and `out` are d, h, w. Products are added up, and results
/// finished, in f32.
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
  /// src holds zeros around it that were padding.
  bool is_src_padded = false;
  bool has_bias = false;
  /// What dst holds before the call is added, before the activation.
  bool adds_to_dst = false;
  Activation activation{};

  friend bool operator==(const DenseConv&, const DenseConv&) = default;
};

/// "bf16 1x64x56x56 -> f32 1x128x28x28, window ...", for messages.
std::string to_string(const DenseConv& conv);

/// The same memory seen so that oneDNN is fast on it: a window over the full extent becomes 1x1 over (d, h, w, c) as channels;
/// samples without extent become pixels of one row; an axis without extent is moved to the front, so that vectors lie along w.
/// Example: 64 samples of 7x7x512 under a 7x7 window become one row of 64 pixels of 25088 channels.
DenseConv folded(const DenseConv& conv);

/// True if the window covers the whole input, whatever the groups: one output pixel a sample.
bool has_full_window(const DenseConv& conv);
/// True if `folded` makes channels of the window's taps. The only output row that a rank has of a larger result may look like
/// that too, if the window is as wide as the tensor: then its bits may differ from the whole's.
bool is_full_extent(const DenseConv& conv);

/// Gives weights in the order and type `packed`; `dense` describes them in oc, ic, kd, kh, kw order.
using WeightsProvider = std::function<SharedWeights(const dnnl::memory::desc& dense, const dnnl::memory::desc& packed)>;

/// A prepared convolution. Owns its bias and holds its packed weights. Not for concurrent use.
class DenseConvCall {
 public:
  /// Throws Error(Unavailable) if oneDNN only has its reference implementation (hundreds of times slower than its others), or
  /// none; and what `weights` throws.
  DenseConvCall(const DenseConv& conv, const WeightsProvider& weights, std::span<const float> bias);

  /// Computes with operands and a scratchpad of scratchpad_bytes() at these places.
  void execute(const std::byte* src, std::byte* dst, std::byte* scratchpad);

  std::size_t scratchpad_bytes() const { return scratchpad_bytes_; }
  /// Weights that another call was the first to hold are not counted.
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

/// What oneDNN would compute it with.
enum class Quality {
  None,     ///< its reference only, or nothing
  Lowered,  ///< a matrix product over gathered windows: slower, other bits than its direct kernels
  Direct
};
Quality quality_of(const DenseConv& conv);

}  // namespace parconv::onednn
