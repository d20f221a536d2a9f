// What a backend computes: an operator cut down to one rank's boxes, in local indices only.
#pragma once

#include <array>
#include <span>
#include <variant>
#include <vector>

#include "parconv/model/network.hpp"

namespace parconv {

/// A tensor operand in memory: extents and strides in elements (of n, c, d, h, w).
struct OperandLayout {
  Extents extents{};
  Extents strides{};
  DType type = DType::F32;

  friend bool operator==(const OperandLayout&, const OperandLayout&) = default;
};

/// The layout of box `inner` seen inside a dense channels-last buffer of box `outer`.
OperandLayout layout_within(const Box& inner, const Box& outer, DType type = DType::F32);

/// Index in elements of the first element of `inner` in a dense channels-last buffer of `outer`.
index_t offset_within(const Box& inner, const Box& outer);

/// True if the operand is one run of memory, channels last (n, d, h, w, c from slowest to fastest).
bool is_dense(const OperandLayout& layout);
/// True if every sample is (the pitch between samples may be larger).
bool is_dense_per_sample(const OperandLayout& layout);

/// Channels of one convolution piece: whole groups, or a part of one group (groups == 1).
struct ChannelPiece {
  index_t groups = 1;
  Interval src{};  ///< channels of the operand, local
  Interval dst{};  ///< channels of the result, local
  FilterBox filter{};

  friend bool operator==(const ChannelPiece&, const ChannelPiece&) = default;
};

/// `window` is local: pad_lo and pad_hi are 0 at a cut and the true padding at the tensor's edge; kernel may be a part of the
/// filter's where space is contracted. Pieces cover disjoint dst channels that together are all of dst.
struct LocalConv {
  Window window{};
  std::vector<ChannelPiece> pieces{};
  Filter filter{};
};

/// The transposed convolution. Output o gets source i through tap t where o + pad_lo = i * stride + t * dilation: pad_lo is the
/// local phase and may have any sign, pad_hi is not used. Pieces as in a LocalConv, with all taps.
struct LocalDeconv {
  Window window{};
  std::vector<ChannelPiece> pieces{};
  Filter filter{};
};

/// `divisors[a][o]` counts the taps along d, h, w of local output o; an average divides by their product. Empty for Max.
struct LocalPool {
  PoolKind kind = PoolKind::Max;
  Window window{};
  std::array<std::vector<index_t>, 3> divisors{};
};

/// The output gets `value`: its window lies wholly in padding.
struct LocalFill {
  float value = 0;
};

/// Copies one source.
struct LocalCopy {};

struct LocalScaleShift {
  std::vector<float> scale{};
  std::vector<float> shift{};
};

/// Adds up the sources in order; a source of extent 1 is broadcast.
struct LocalSum {};

/// A function of two sources; one of extent 1 is broadcast.
struct LocalBinary {
  BinaryKind kind = BinaryKind::Mul;
};

struct LocalRowSum {};

/// The source holds the marked axes whole.
struct LocalReduce {
  ReduceKind kind = ReduceKind::Sum;
  std::array<bool, num_axes> axes{};
  index_t count = 1;
};

/// The source holds the marked axes whole; `dst_offset` is where the output begins in it.
struct LocalSoftmax {
  std::array<bool, num_axes> axes{};
  bool is_logarithm = false;
  Extents dst_offset{{0, 0, 0, 0, 0}};
};

/// The source holds the samples [0, src extent of n) of `src_shape` whole. The output box begins at `dst_offset` of
/// `dst_shape`, both counted from the same first element in ONNX order.
struct LocalReshape {
  Extents src_shape{};
  Extents dst_shape{};
  Extents dst_offset{{0, 0, 0, 0, 0}};
};

/// A digit of an index along an axis of the result: (index / dst_stride) % size. It counts src_stride indices along the axis
/// `src`.
struct IndexDigit {
  index_t size = 1;
  index_t dst_stride = 1;
  Axis src = Axis::N;
  index_t src_stride = 1;

  friend bool operator==(const IndexDigit&, const IndexDigit&) = default;
};

/// The digits along each axis of a result, the slowest first.
using IndexDigits = std::array<std::vector<IndexDigit>, num_axes>;

/// Output o is the element of the source that the digits of o + dst_offset name, counted from src_offset.
struct LocalRearrange {
  IndexDigits digits{};
  Extents dst_offset{{0, 0, 0, 0, 0}};
  Extents src_offset{{0, 0, 0, 0, 0}};
};

/// Output (d, h, w) is made of the inputs that `taps` name along d, h and w, and channel o of input channel taps(C)[o].lo. Where
/// one of the axes has none, it is `fill`. Interpolations are made along d, then h, then w, each as lo + weight * (hi - lo).
struct LocalResample {
  /// Of c, d, h, w: one per local output. Channels are never interpolated or filled.
  std::array<std::vector<AxisTap>, 4> taps{};
  float fill = 0;

  std::vector<AxisTap>& operator[](Axis axis) { return taps[static_cast<std::size_t>(axis) - 1]; }
  const std::vector<AxisTap>& operator[](Axis axis) const { return taps[static_cast<std::size_t>(axis) - 1]; }
};

/// Channel c of the output is channel own + c of the source, which holds the channels around it up to the tensor's edges.
struct LocalLrn {
  Lrn lrn{};
  index_t own = 0;
};

/// The product of two sources; the inner axis is whole in both, others of extent 1 are broadcast.
struct LocalMatMul {
  Axis rows = Axis::H;
  Axis columns = Axis::W;
};

using LocalKind =
    std::variant<LocalConv, LocalPool, LocalFill, LocalCopy, LocalScaleShift, LocalSum, LocalRowSum, LocalReduce, LocalSoftmax,
                 LocalReshape, LocalResample, LocalDeconv, LocalBinary, LocalRearrange, LocalLrn, LocalMatMul>;

/// "conv", "pool", ...
const char* name_of(const LocalKind& kind);

/// bias has one number per local output channel, or none. `residual` is the index of the source that is added, or -1.
struct LocalFinish {
  std::vector<float> bias{};
  int residual = -1;
  Activation activation{};
};

/// A call of a backend: out = finish(kind(srcs)). Extents of `dst` may not be empty.
struct LocalOp {
  LocalKind kind{};
  LocalFinish finish{};
  std::vector<OperandLayout> srcs{};  ///< the residual, if any, is one of them
  OperandLayout dst{};
};

}  // namespace parconv
