// SPDX-License-Identifier: Apache-2.0
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
#include "parconv/model/sum_tree.hpp"

namespace parconv {

/// Kinds of element-wise functions; formulas at Activation.
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
  Power,
  Shrink
};

/// An element-wise function. LeakyRelu: x < 0 ? alpha * x : x. Clip: min(max(x, alpha), beta). Elu: x < 0 ? alpha * (e^x - 1) :
/// x. HardSigmoid: alpha * x + beta within [0, 1]; HardSwish: x times that with 1/6 and 1/2. Silu: x * sigmoid(x). Gelu: x / 2 *
/// (1 + erf(x / sqrt(2))); GeluTanh is its approximation by tanh. InverseRoot: 1 / sqrt(x + alpha).
/// Round: to the nearest, halves to even. ThresholdedRelu: x > alpha ? x : 0. Selu: beta * (x > 0 ? x : alpha * (e^x - 1)). Celu:
/// x < 0 ? alpha * (e^(x / alpha) - 1) : x. Softplus: log(1 + e^x). Softsign: x / (1 + |x|). Mish: x * tanh(softplus(x)). Power:
/// x^alpha. Shrink: x + beta below -alpha, x - beta above alpha, 0 between.
struct Activation {
  ActivationKind kind = ActivationKind::None;
  float alpha = 0;
  float beta = 0;

  friend bool operator==(const Activation&, const Activation&) = default;
};

/// Applied once to complete values, in this order: bias, residual, activation.
struct Epilogue {
  /// One value per output channel, or empty.
  std::vector<float> bias{};
  /// The last input of the node is added, element by element; it has the output's shape.
  bool has_residual = false;
  Activation activation{};
};

/// Convolution (ONNX Conv), a cross-correlation as usual in deep learning. A Gemm becomes a Conv with a 1x1 filter, and a Gemm
/// after Flatten one with a filter over the full extent.
struct Conv {
  Window window{};
  index_t groups = 1;
  Filter filter{};
  LeafRule leaf_rule = LeafRule::Coarse;
};

/// Transposed convolution (ONNX ConvTranspose): input i contributes to output o through tap t where
/// o = i * stride - pad_lo + t * dilation. pad_hi of the window is ONNX's high-end padding minus output_padding, so it may be
/// negative. Example: stride 2, pad_lo 1: input 3 contributes to output 7 through tap 2.
struct ConvTranspose {
  Window window{};
  index_t groups = 1;
  Filter filter{};
  LeafRule leaf_rule = LeafRule::Coarse;
};

enum class PoolKind { Max, Average };

/// MaxPool or AveragePool. With ceil_mode the reader has enlarged pad_hi of `window`; `counted_pad_hi` keeps the true padding.
struct Pool {
  PoolKind kind = PoolKind::Max;
  Window window{};
  /// AveragePool divides by the taps inside the padded input instead of those inside the input.
  bool is_padding_counted = false;
  /// Padding at the high end of d, h, w that counts as padding.
  std::array<index_t, 3> counted_pad_hi{};
};

/// Copies its input (Identity, Dropout); useful only with an epilogue, or from a network input to an output.
struct Elementwise {};

/// out = scale[c] * in + shift[c]: a BatchNormalization that is not fused into a convolution.
struct ScaleShift {
  std::vector<float> scale{};
  std::vector<float> shift{};
};

/// Sum of all inputs with ONNX broadcasting (an input may have extent 1 where the output has more).
struct Sum {};

/// Kinds of element-wise functions of two inputs; see Binary.
enum class BinaryKind { Mul, Sub, Div, Max, Min, PRelu, Pow, Equal, Greater, GreaterOrEqual, Reaches, Keep, Drop };

/// A function of two inputs with ONNX broadcasting. PRelu: x < 0 ? slope * x : x, where the slope is the second input. The
/// comparisons make 1 or 0, and 0 of a NaN; Reaches: x >= y, or x is a NaN. Keep: the second input where the first is not 0, else
/// -0; Drop: the second input where the first is 0, else -0. As x + -0 is x for every x, the sum of a Keep and a Drop selects.
struct Binary {
  BinaryKind kind = BinaryKind::Mul;
};

/// Concatenates its inputs along an axis (ONNX Concat).
struct Concat {
  Axis axis = Axis::C;
};

/// Kinds of reductions.
enum class ReduceKind { Sum, Max, Min, Product };

/// Reduces the marked axes (n, c, d, h, w) to extent 1 and divides by `count`. A sum is exact and rounded once, so its order does
/// not matter, nor that of a maximum or minimum; a product is multiplied in the order n, d, h, w, c. Ranks divide the marked axes
/// other than n, save those of a product, which is gathered.
struct Reduction {
  ReduceKind kind = ReduceKind::Sum;
  std::array<bool, num_axes> axes{};
  index_t count = 1;
};

/// Local response normalisation (ONNX LRN): in / (bias + alpha / size * sum of squares)^beta, where the sum is over the `size`
/// channels around each, (size - 1) / 2 of them before it.
struct Lrn {
  index_t size = 1;
  float alpha = 1e-4F;
  float beta = 0.75F;
  float bias = 1;
};

/// Matrix product of two inputs with rows and columns along these axes; along the others they are broadcast. Sums run over
/// the inner index, divided into leaves like the channels of a Conv.
struct MatMul {
  Axis rows = Axis::H;
  Axis columns = Axis::W;
  LeafRule leaf_rule = LeafRule::Coarse;
};

/// exp(x - max) / sum over the marked axes (n, c, d, h, w); or its logarithm.
struct Softmax {
  std::array<bool, num_axes> axes{};
  bool is_logarithm = false;
};

/// 1 at the largest element along the marked axes (n, c, d, h, w), the first in ONNX order of equal ones, and 0 elsewhere.
struct Hardmax {
  std::array<bool, num_axes> axes{};
};

/// Moves elements within a tensor: the input is viewed in ONNX (row-major) order as a tensor of the dimensions `factors`,
/// transposed so that dimension k is factors[order[k]], and viewed as a tensor of `dims`. Every factor is at least 2 and
/// belongs to one axis of the input and one of the result. Covers Transpose, DepthToSpace, SpaceToDepth, Squeeze, Unsqueeze,
/// Flatten, and a Reshape whose dimensions are products or parts of each other. Created by `aligned` of rearrangement.hpp.
struct Rearrange {
  std::vector<index_t> factors{};
  std::vector<int> order{};
  std::vector<index_t> dims{};

  friend bool operator==(const Rearrange&, const Rearrange&) = default;
};

/// A Reshape without common factors, such as (4, 6) to (3, 8): the same elements in ONNX (row-major) order.
struct Reshape {};

/// Selects or interpolates inputs along each axis independently: Resize and Upsample (nearest, linear), Pad, Slice, Tile. Along
/// n only a contiguous run of samples can be selected.
struct Resample {
  std::array<ResampledAxis, num_axes> axes{};
  /// Value of an output without an input.
  float fill = 0;

  ResampledAxis& operator[](Axis axis) { return axes[static_cast<std::size_t>(axis)]; }
  const ResampledAxis& operator[](Axis axis) const { return axes[static_cast<std::size_t>(axis)]; }
};

using Operator = std::variant<Conv, Pool, Elementwise, ScaleShift, Sum, Concat, Reduction, Softmax, Reshape, Resample,
                              ConvTranspose, Binary, Rearrange, Lrn, MatMul, Hardmax>;

/// "Conv", "MaxPool", ...
std::string name_of(const Operator& op);

/// The filter of an operator that sums over input channels; null for the others.
const Filter* filter_of(const Operator& op);
Filter* filter_of(Operator& op);

/// Grouping of channels: each of the `oc` outputs of a group is a sum over its `ic` inputs, in leaves by `rule`.
struct ChannelGroups {
  index_t groups = 1;
  index_t oc = 0;
  index_t ic = 0;
  SumLeaves leaves{};
  LeafRule rule = LeafRule::Coarse;
};

/// The channel groups of an operator with a filter; nullopt for the others.
std::optional<ChannelGroups> channel_groups(const Operator& op);

}  // namespace parconv
