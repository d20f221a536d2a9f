// SPDX-License-Identifier: Apache-2.0
// A convolution with its epilogue as a graph of cuDNN operations. Needs no GPU.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "compute/conv/conv_library.hpp"
#include "compute/cudnn/cudnn_api.hpp"

namespace parconv::cudnn {

/// Tensor ids of a graph in a variant pack.
enum class Uid : std::int64_t { Src = 1, Filter, Bias, Residual, Dst, FirstVirtual = 100 };

/// The operations conv -> + bias -> + residual -> activation, with f32 intermediates. src, residual and dst have the types and
/// strides of `conv`; the filter has src's type and lies dense as oc, kd, kh, kw, ic; the bias is f32.
class ConvGraph {
 public:
  /// `handle` may be null if the graph is not executed. Throws Error(Unavailable) with cuDNN's message if the shapes are
  /// inconsistent.
  explicit ConvGraph(const StridedConv& conv, cudnnHandle_t handle = nullptr);

  const Descriptor& graph() const { return graph_; }
  /// The tensors that need an address.
  const std::vector<Uid>& uids() const { return uids_; }

 private:
  std::deque<Descriptor> parts_{};  // descriptors refer to each other by address
  std::vector<Uid> uids_{};
  Descriptor graph_{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR};
};

/// Empty if cuDNN rejects the shapes.
std::optional<ConvGraph> try_graph(const StridedConv& conv, cudnnHandle_t handle = nullptr);

/// True for the activations that a graph may contain, including smooth ones, which round as cuDNN does.
bool has_activation(ActivationKind kind);
/// True for activations that are comparisons, whose bits are equal on all backends.
bool is_comparison(ActivationKind kind);

}  // namespace parconv::cudnn
