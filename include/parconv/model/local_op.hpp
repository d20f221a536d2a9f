// SPDX-License-Identifier: Apache-2.0
// The unit of work of a backend: an operator reduced to one rank's boxes, in local indices only.
#pragma once

#include <array>
#include <span>
#include <variant>
#include <vector>

#include "parconv/geometry/operand_layout.hpp"
#include "parconv/model/network.hpp"
#include "parconv/model/sum_tree.hpp"

namespace parconv {

/// A channel block of a convolution: whole groups, or a part of one group (groups == 1).
/// Example: 8 outputs and 4 inputs in 2 groups, outputs [2, 8): {1, src [0, 2), dst [0, 2)}, {1, src [2, 4), dst [2, 6)}.
struct ChannelBlock {
  index_t groups = 1;
  Interval src{};  ///< channels of the operand, local
  Interval dst{};  ///< channels of the result, local
  FilterBox filter{};

  friend bool operator==(const ChannelBlock&, const ChannelBlock&) = default;
};

// ---- Kinds: one struct each, with its `name` in reports -----------------------------------------------------------------

/// Convolution. `window` is local: pad_lo and pad_hi are 0 at a cut and the true padding at the tensor's edge. The channel blocks
/// partition the channels of dst. `leaves` are those of the whole layer. A block with a part of the channels sums the tree
/// restricted to the leaves that its `filter.ic` intersects: a leaf has the products of its channels that are present, and a node
/// with one child present is that child.
struct LocalConv {
  static constexpr const char* name = "conv";
  Window window{};
  std::vector<ChannelBlock> blocks{};
  Filter filter{};
  SumLeaves leaves{};
};

/// Transposed convolution. Source i contributes to output o through tap t where o + pad_lo = i * stride + t * dilation. pad_lo
/// is the local phase and may have any sign; pad_hi is not used. Channel blocks and leaves are those of a LocalConv, with all
/// taps.
struct LocalDeconv {
  static constexpr const char* name = "deconv";
  Window window{};
  std::vector<ChannelBlock> blocks{};
  Filter filter{};
  SumLeaves leaves{};
};

/// Pooling. `divisors[a][o]` counts the taps along d, h, w of local output o; an average divides by their product. Empty for
/// Max.
struct LocalPool {
  static constexpr const char* name = "pool";
  PoolKind kind = PoolKind::Max;
  Window window{};
  std::array<std::vector<index_t>, 3> divisors{};
};

/// Sets the output to `value`: its window lies wholly in padding.
struct LocalFill {
  static constexpr const char* name = "fill";
  float value = 0;
};

/// Copies one source.
struct LocalCopy {
  static constexpr const char* name = "copy";
};

/// dst = scale[c] * src + shift[c], with one entry per local channel.
struct LocalScaleShift {
  static constexpr const char* name = "scale_shift";
  std::vector<float> scale{};
  std::vector<float> shift{};
};

/// Adds up the sources by a tree: joins[k] joins follow source k, as in joins_after; none: in order. A source of extent 1 is
/// broadcast.
struct LocalSum {
  static constexpr const char* name = "sum";
  std::vector<int> joins{};
};

/// A function of two sources; one of extent 1 is broadcast.
struct LocalBinary {
  static constexpr const char* name = "binary";
  BinaryKind kind = BinaryKind::Mul;
};

/// Reduces the marked axes of the source to extent 1. A sum is rounded once and divided by `count`, unless the result has the
/// type Accumulator. Other kinds need a count of 1.
struct LocalReduce {
  static constexpr const char* name = "reduce";
  ReduceKind kind = ReduceKind::Sum;
  std::array<bool, num_axes> axes{};
  index_t count = 1;
};

/// The reduction of partial results, one source each, element by element: a sum of accumulators, rounded once and divided by
/// `count` unless the result has that type too, or a maximum or minimum.
struct LocalReduceParts {
  static constexpr const char* name = "reduce_parts";
  ReduceKind kind = ReduceKind::Sum;
  index_t count = 1;
};

/// Softmax, or its logarithm. The source holds the marked axes whole; `dst_offset` is the position of the output in it.
struct LocalSoftmax {
  static constexpr const char* name = "softmax";
  std::array<bool, num_axes> axes{};
  bool is_logarithm = false;
  Extents dst_offset{{0, 0, 0, 0, 0}};
};

/// Hardmax. The source holds the marked axes whole; `dst_offset` is the position of the output in it.
struct LocalHardmax {
  static constexpr const char* name = "hardmax";
  std::array<bool, num_axes> axes{};
  Extents dst_offset{{0, 0, 0, 0, 0}};
};

/// Copies elements in ONNX order into another shape. The source holds the samples [0, src extent of n) of `src_shape` whole.
/// The output box begins at `dst_offset` of `dst_shape`; both shapes start at the same element in ONNX order.
struct LocalReshape {
  static constexpr const char* name = "reshape";
  Extents src_shape{};
  Extents dst_shape{};
  Extents dst_offset{{0, 0, 0, 0, 0}};
};

/// One digit of an index along an axis of the result: (index / dst_stride) % size. A digit advances by src_stride indices
/// along axis `src`. Example: size 3, dst_stride 4, index 9: digit 2; with src_stride 5 it adds 10 to the source index.
struct IndexDigit {
  index_t size = 1;
  index_t dst_stride = 1;
  Axis src = Axis::N;
  index_t src_stride = 1;

  friend bool operator==(const IndexDigit&, const IndexDigit&) = default;
};

/// The digits along each axis of a result, the slowest first.
using IndexDigits = std::array<std::vector<IndexDigit>, num_axes>;

/// Output o is the source element at the index given by the digits of o + dst_offset, minus src_offset.
struct LocalRearrange {
  static constexpr const char* name = "rearrange";
  IndexDigits digits{};
  Extents dst_offset{{0, 0, 0, 0, 0}};
  Extents src_offset{{0, 0, 0, 0, 0}};
};

/// Output (d, h, w) combines the inputs named by `taps` along d, h and w; channel o reads input channel taps(C)[o].lo. An output
/// without an input along one of the axes is `fill`. Interpolation runs along d, then h, then w, each as
/// lo + weight * (hi - lo).
struct LocalResample {
  static constexpr const char* name = "resample";
  /// For c, d, h, w: one per local output. Channels are never interpolated or filled.
  std::array<std::vector<AxisTap>, 4> taps{};
  float fill = 0;

  std::vector<AxisTap>& operator[](Axis axis) { return taps[static_cast<std::size_t>(axis) - 1]; }
  const std::vector<AxisTap>& operator[](Axis axis) const { return taps[static_cast<std::size_t>(axis) - 1]; }
};

/// Local response normalisation. Channel c of the output is channel own + c of the source, which also holds the neighbouring
/// channels up to the tensor's edges.
struct LocalLrn {
  static constexpr const char* name = "lrn";
  Lrn lrn{};
  index_t own = 0;
};

/// Matrix product of two sources. The inner axis is whole in both; others of extent 1 are broadcast. `leaves` divide the inner
/// axis.
struct LocalMatMul {
  static constexpr const char* name = "matmul";
  Axis rows = Axis::H;
  Axis columns = Axis::W;
  SumLeaves leaves{};
};

using LocalKind = std::variant<LocalConv, LocalPool, LocalFill, LocalCopy, LocalScaleShift, LocalSum, LocalReduce,
                               LocalReduceParts, LocalSoftmax, LocalReshape, LocalResample, LocalDeconv, LocalBinary,
                               LocalRearrange, LocalLrn, LocalMatMul, LocalHardmax>;

/// "conv", "pool", ...: the `name` of the kind.
const char* name_of(const LocalKind& kind);

/// Kinds with weights, which backends compute by a library.
template <class Kind>
concept KindWithFilter = requires(const Kind& kind) { kind.filter; };
bool has_filter(const LocalKind& kind);

/// The epilogue in local indices. `bias` has one value per local output channel, or none. `residual` is the index of the added
/// source in LocalOp::srcs, or -1.
struct LocalEpilogue {
  std::vector<float> bias{};
  int residual = -1;
  Activation activation{};
};

/// One backend call: dst = epilogue(kind(srcs)). Precondition: `dst` is not empty.
struct LocalOp {
  LocalKind kind{};
  LocalEpilogue epilogue{};
  std::vector<OperandLayout> srcs{};  ///< the residual, if any, is one of them
  OperandLayout dst{};
};

/// True if accumulators are where the kind has them: the parts of a sum, and no others, and the result of a sum without an
/// epilogue, if it is to be one.
bool has_fitting_accumulators(const LocalOp& op);

}  // namespace parconv
