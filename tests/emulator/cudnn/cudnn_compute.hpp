// SPDX-License-Identifier: Apache-2.0
// cuDNN operation graphs, executed by plain loops on the host.
#pragma once

#include <cudnn_graph.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace parconv::emulator {

using Numbers = std::vector<std::int64_t>;

/// Dimensions are n, c, then spatial ones; strides are in elements. A virtual tensor has no address.
struct Tensor {
  std::int64_t uid = 0;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  Numbers dims{};
  Numbers strides{};
  bool is_virtual = false;
};

/// Numerical properties of an engine, from its notes.
struct Exactness {
  bool uses_tf32 = false;       ///< f32 operands lose their last 13 bits, as on tensor cores
  bool has_transforms = false;  ///< Winograd or FFT: results are inexact even on integers
};

/// dst = src * filter (cross-correlation), accumulated in f64. Filter dimensions are oc, channels per group, then spatial ones.
struct Convolution {
  Tensor src{};
  Tensor filter{};
  Tensor dst{};
  Numbers pre_paddings{};
  Numbers strides{};
  Numbers dilations{};
  Exactness exactness{};
};

/// dst = f(src) or f(src, other), in f64; extents of 1 are broadcast.
struct Pointwise {
  cudnnPointwiseMode_t mode{};
  Tensor src{};
  std::optional<Tensor> other{};
  Tensor dst{};
  double lower_clip = 0;
  double upper_clip = std::numeric_limits<double>::max();
  double lower_clip_slope = 0;
  double elu_alpha = 1;
  double swish_beta = 1;
};

using Operation = std::variant<Convolution, Pointwise>;

/// Operations in topological order.
using Graph = std::vector<Operation>;

/// Tensors that need an address: inputs of the graph, and results that are not virtual.
std::vector<Tensor> tensors_in_memory(const Graph& graph);

/// Distance in bytes from a tensor's first element to the end of its last one.
std::size_t extent_bytes(const Tensor& tensor);

struct Memory {
  std::map<std::int64_t, std::byte*> tensors{};  ///< by uid
  std::span<std::byte> workspace{};
};

/// Executes a graph; each result is rounded once to its tensor's type, to nearest even. As a GPU may write results before
/// reading all operands, and the workspace is uninitialised, both are first filled with NaN. Aborts on unknown operations.
void compute(const Graph& graph, const Memory& memory);

}  // namespace parconv::emulator
