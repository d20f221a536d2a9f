// Graphs of cuDNN's operations, computed in plain loops on the host.
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

namespace parconv::stand_in {

using Numbers = std::vector<std::int64_t>;

/// Dimensions are n, c, then space; strides count elements. A virtual tensor has no address.
struct Tensor {
  std::int64_t uid = 0;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  Numbers dims{};
  Numbers strides{};
  bool is_virtual = false;
};

/// How exact an engine is by its notes.
struct Exactness {
  bool has_short_products = false;  ///< of f32, without the last 13 bits of each: tensor cores
  bool has_transforms = false;      ///< Winograd's or Fourier's: results are a little off, also of integers
};

/// dst = src * filter, a cross-correlation, summed in f64. The filter is oc, channels of a group, then space.
struct Convolution {
  Tensor src{};
  Tensor filter{};
  Tensor dst{};
  Numbers pre_paddings{};
  Numbers strides{};
  Numbers dilations{};
  Exactness exactness{};
};

/// dst = f(src) or f(src, other), in f64; extents of 1 are repeated.
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

/// Operations in an order in which each finds what it reads.
using Graph = std::vector<Operation>;

/// The tensors that need an address: what is read but not made, and what is made and not virtual.
std::vector<Tensor> tensors_in_memory(const Graph& graph);

/// Bytes from a tensor's first element to behind its last.
std::size_t extent_bytes(const Tensor& tensor);

struct Memory {
  std::map<std::int64_t, std::byte*> tensors{};  ///< by uid
  std::span<std::byte> workspace{};
};

/// Every result is rounded once to its tensor's type, to nearest even. As on a GPU, results may be written before all is read and
/// the workspace holds anything: both are made NaN first. Refuses what it does not know.
void compute(const Graph& graph, const Memory& memory);

}  // namespace parconv::stand_in
