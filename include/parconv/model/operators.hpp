// The operators of a network: plain structs, one per kind, in a variant.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "parconv/geometry/window.hpp"
#include "parconv/model/constant.hpp"
#include "parconv/model/resampling.hpp"

namespace parconv {

enum class ActivationKind {
  None,
  Relu,
  LeakyRelu,
  Clip,
  Sigmoid,
  Tanh,
  Elu,
  HardSigmoid,
  HardSwish,
  Silu,
  Gelu,
  GeluTanh,
  Exp,
  Erf,
  Sqrt,
  InverseRoot,
  Abs,
  Neg,
  Floor,
  Ceil,
  Round,
  Sign,
  ThresholdedRelu,
  Selu,
  Celu,
  Softplus,
  Softsign,
  Mish,
  Reciprocal,
  Log,
  Sin,
  Cos,
  Power
};

/// An element-wise function. LeakyRelu: x < 0 ? alpha * x : x. Clip: min(max(x, alpha), beta). Elu: x < 0 ? alpha * (e^x - 1) :
/// x. HardSigmoid: alpha * x + beta within [0, 1]; HardSwish: x times that with 1/6 and 1/2. Silu: x * sigmoid(x). Gelu: x / 2 *
/// (1 + erf(x / sqrt(2))); GeluTanh is its approximation by tanh. InverseRoot: 1 / sqrt(x + alpha).
/// Round: to the nearest, halves to even. ThresholdedRelu: x > alpha ? x : 0. Selu: beta * (x > 0 ? x : alpha * (e^x - 1)). Celu:
/// x < 0 ? alpha * (e^(x / alpha) - 1) : x. Softplus: log(1 + e^x). Softsign: x / (1 + |x|). Mish: x * tanh(softplus(x)). Power:
/// x^alpha.
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

/// Transposed convolution (ONNX ConvTranspose): output o gets input i through tap t where o = i * stride - pad_lo + t * dilation.
/// pad_hi of the window is what is cut off at the high end less ONNX's output_padding, so it may be negative.
struct ConvTranspose {
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

enum class BinaryKind { Mul, Sub, Div, Max, Min, PRelu, Pow };

/// A function of two inputs with ONNX broadcasting. PRelu: x < 0 ? slope * x : x, where the slope is the second input.
struct Binary {
  BinaryKind kind = BinaryKind::Mul;
};

/// Inputs one after the other along an axis.
struct Concat {
  Axis axis = Axis::C;
};

/// Sums over w into extent 1: the first half of a sum over space, so that sums are made per row. Divided along w, ranks add up
/// parts of rows.
struct RowSum {};

enum class ReduceKind { Sum, Max, Min, Product };

/// Takes the marked axes (n, c, d, h, w) whole into extents 1, in the order n, d, h, w, c, and divides by `count`. Marking d and
/// h, it adds up rows: the second half of a sum over space.
struct ReduceAxes {
  ReduceKind kind = ReduceKind::Sum;
  std::array<bool, num_axes> axes{};
  index_t count = 1;
};

/// Over d and h, divided by `count`: a mean over space behind a RowSum.
constexpr ReduceAxes mean_of_rows(index_t count) { return {.axes = {false, false, true, true, false}, .count = count}; }

/// Local response normalisation (ONNX LRN): in / (bias + alpha / size * sum of squares)^beta, where the sum is over the `size`
/// channels around each, (size - 1) / 2 of them before it.
struct Lrn {
  index_t size = 1;
  float alpha = 1e-4F;
  float beta = 0.75F;
  float bias = 1;
};

/// The product of two inputs as matrices whose rows and columns lie along these axes; along the others they are broadcast. Sums
/// are made in order of the inner index.
struct MatMul {
  Axis rows = Axis::H;
  Axis columns = Axis::W;
};

/// exp(x - max) / sum over the marked axes (n, c, d, h, w); or its logarithm.
struct Softmax {
  std::array<bool, num_axes> axes{};
  bool is_logarithm = false;
};

/// Moves elements within a tensor: the input, seen in ONNX (row-major) order as a tensor of the dimensions `factors`, is
/// transposed so that dimension k becomes factors[order[k]], and seen as a tensor of `dims`. Every factor is at least 2 and
/// belongs to one axis of the input and one of the result. Transpose, DepthToSpace, SpaceToDepth, Squeeze, Unsqueeze, Flatten,
/// and a Reshape whose dimensions are products or parts of each other. Made by `aligned` of rearrangement.hpp.
struct Rearrange {
  std::vector<index_t> factors{};
  std::vector<int> order{};
  std::vector<index_t> dims{};

  friend bool operator==(const Rearrange&, const Rearrange&) = default;
};

/// The same elements in ONNX (row-major) order under any other shape, such as (4, 6) and (3, 8), which have no common factors.
struct Reshape {};

/// Takes or interpolates inputs along each axis on its own: Resize and Upsample (nearest, linear), Pad, Slice, Tile. Of
/// samples, a run can be taken.
struct Resample {
  std::array<ResampledAxis, num_axes> axes{};
  /// What stands where no input is.
  float fill = 0;

  ResampledAxis& operator[](Axis axis) { return axes[static_cast<std::size_t>(axis)]; }
  const ResampledAxis& operator[](Axis axis) const { return axes[static_cast<std::size_t>(axis)]; }
};

using Operator = std::variant<Conv, Pool, Elementwise, ScaleShift, Sum, Concat, RowSum, ReduceAxes, Softmax, Reshape, Resample,
                              ConvTranspose, Binary, Rearrange, Lrn, MatMul>;

/// "Conv", "MaxPool", ...
std::string name_of(const Operator& op);

/// The filter of an operator that sums over input channels; null for the others.
const Filter* filter_of(const Operator& op);
Filter* filter_of(Operator& op);

/// How channels are summed: `oc` outputs of each group are sums over its `ic` inputs.
struct ChannelGroups {
  index_t groups = 1;
  index_t oc = 0;
  index_t ic = 0;
};

/// Nothing for an operator without a filter.
std::optional<ChannelGroups> channel_groups(const Operator& op);

}  // namespace parconv
