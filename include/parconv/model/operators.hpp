// The operators of a network: plain structs, one per kind, in a variant.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "parconv/geometry/window.hpp"
#include "parconv/model/constant.hpp"

namespace parconv {

enum class ActivationKind { None, Relu, LeakyRelu, Clip };

/// An element-wise function. LeakyRelu: x < 0 ? alpha * x : x. Clip: min(max(x, alpha), beta).
struct Activation {
  ActivationKind kind = ActivationKind::None;
  float alpha = 0;
  float beta = 0;

  friend bool operator==(const Activation&, const Activation&) = default;
};

/// What is applied once to complete values, in this order: bias, residual, activation.
struct Finish {
  /// One number per output channel, or empty.
  std::vector<float> bias{};
  /// The last input of the node is added, element by element; it has the output's shape.
  bool has_residual = false;
  Activation activation{};
};

/// Convolution (ONNX Conv), cross-correlation as everywhere in deep learning. Gemm is one with a 1x1 filter, and Gemm after
/// Flatten one with a filter over the full extent.
struct Conv {
  Window window{};
  index_t groups = 1;
  Filter filter{};
};

enum class PoolKind { Max, Average };

/// MaxPool or AveragePool. With ceil_mode the reader has enlarged `window`'s pad_hi; `counted_pad_hi` keeps the true one.
struct Pool {
  PoolKind kind = PoolKind::Max;
  Window window{};
  /// AveragePool divides by the taps inside the padded input instead of those inside the input.
  bool is_padding_counted = false;
  /// Padding at the high end of d, h, w that counts as padding.
  std::array<index_t, 3> counted_pad_hi{};
};

/// Copies its input (Identity, Dropout); useful only with a Finish, or from a network input to an output.
struct Elementwise {};

/// out = scale[c] * in + shift[c]: a BatchNormalization that no convolution took in.
struct ScaleShift {
  std::vector<float> scale{};
  std::vector<float> shift{};
};

/// Sum of all inputs with ONNX broadcasting (an input may have extent 1 where the output has more).
struct Sum {};

/// Inputs one after the other along channels.
struct Concat {};

/// Sums over w into extent 1: the first half of GlobalAveragePool, so that sums over space are made per row.
struct RowSum {};

/// Adds rows in order (d, then h) into extents 1 and divides by `count`: the second half of GlobalAveragePool.
struct RowsMean {
  index_t count = 1;
};

/// exp(x - max) / sum over the marked axes (n, c, d, h, w); or its logarithm.
struct Softmax {
  std::array<bool, num_axes> axes{};
  bool is_logarithm = false;
};

/// The same elements in ONNX (row-major) order under another shape. Flatten is one.
struct Reshape {};

using Operator =
    std::variant<Conv, Pool, Elementwise, ScaleShift, Sum, Concat, RowSum, RowsMean, Softmax, Reshape>;

/// "Conv", "MaxPool", ...
std::string name_of(const Operator& op);

}  // namespace parconv
