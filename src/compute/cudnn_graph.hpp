// A convolution with its finish as a graph of cuDNN operations. Needs no GPU.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "compute/conv_library.hpp"
#include "compute/cudnn_api.hpp"

namespace parconv::cudnn {

/// What the tensors of a graph are called in a variant pack.
enum class Uid : std::int64_t { Src = 1, Filter, Bias, Residual, Dst, FirstVirtual = 100 };

/// The operations conv -> + bias -> + residual -> activation, in f32 between each other. src, residual and dst have the types and
/// strides of `conv`; the filter has src's type and lies dense as oc, kd, kh, kw, ic; the bias is f32.
class ConvGraph {
 public:
  /// `handle` may be null where nothing is to run. Throws Error(Unavailable) with cuDNN's message if the shapes do not fit each
  /// other.
  explicit ConvGraph(const StridedConv& conv, cudnnHandle_t handle = nullptr);

  const Descriptor& graph() const { return graph_; }
  /// The tensors that need an address.
  const std::vector<Uid>& uids() const { return uids_; }

 private:
  std::deque<Descriptor> parts_{};  // each names others by address
  std::vector<Uid> uids_{};
  Descriptor graph_{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR};
};

/// Nothing if cuDNN refuses the shapes.
std::optional<ConvGraph> try_graph(const StridedConv& conv, cudnnHandle_t handle = nullptr);

/// True for the activations that a graph may contain; `smooth` ones too, which have cuDNN's own bits.
bool has_activation(ActivationKind kind);
/// True for those that are comparisons: they have the same bits everywhere.
bool is_comparison(ActivationKind kind);

}  // namespace parconv::cudnn
