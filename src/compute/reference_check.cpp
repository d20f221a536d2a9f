#include "compute/reference_kinds.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/rearrangement.hpp"

namespace parconv {
namespace {

void check_type(const OperandLayout& layout) {
  if (is_element_type(layout.type)) return;
  throw Error(ExitCode::Unavailable, concat("the reference backend computes on floating point, asked for ", name_of(layout.type)),
              "Use another backend for other types.");
}

template <class Conv>
void check_piece(const Conv& conv, const ChannelPiece& piece, const Extents& src) {
  PARCONV_EXPECT(piece.groups >= 1 && piece.src.size() == piece.groups * piece.filter.ic.size(), "src ", piece.src);
  const Interval all_channels{0, src[Axis::C]};
  PARCONV_EXPECT(all_channels.contains(piece.src), "channels ", piece.src, " of ", src);
  PARCONV_EXPECT(piece.dst.size() == piece.filter.oc.size() && piece.dst.size() % piece.groups == 0, "dst ", piece.dst);
  for (std::size_t k = 0; k < conv.window.axes.size(); ++k) {
    PARCONV_EXPECT(piece.filter.kernel[k].size() == conv.window.axes[k].kernel, "taps ", piece.filter.kernel[k]);
  }
}

template <class Conv>
void check_conv(const Conv& conv, const LocalOp& op, const Extents& src) {
  const Interval all_channels{0, op.dst.extents[Axis::C]};
  index_t covered = 0;
  for (const ChannelPiece& piece : conv.pieces) {
    check_piece(conv, piece, src);
    PARCONV_EXPECT(all_channels.contains(piece.dst), "channels ", piece.dst, " of ", op.dst.extents);
    covered += piece.dst.size();
  }
  PARCONV_EXPECT(covered == op.dst.extents[Axis::C], "pieces make ", covered, " channels of ", op.dst.extents);
}

void check_pool(const LocalPool& pool, const Extents& dst) {
  if (pool.kind == PoolKind::Max) return;
  for (Axis axis : spatial_axes) {
    const auto divisors = static_cast<index_t>(pool.divisors[static_cast<std::size_t>(axis) - 2].size());
    PARCONV_EXPECT(divisors == dst[axis], divisors, " divisors along ", name_of(axis), " of ", dst);
  }
}

void check_sum(const LocalOp& op, std::size_t residual) {
  for (std::size_t k = 0; k < op.srcs.size(); ++k) {
    if (k == residual) continue;
    for (Axis axis : all_axes) {
      const index_t extent = op.srcs[k].extents[axis];
      PARCONV_EXPECT(extent == 1 || extent == op.dst.extents[axis], "src ", op.srcs[k].extents, ", dst ", op.dst.extents);
    }
  }
}

void check_binary(const LocalOp& op, std::size_t residual) {
  const std::size_t operands = op.srcs.size() - (residual < op.srcs.size() ? 1 : 0);
  PARCONV_EXPECT(operands == 2, operands, " sources of a binary function");
  check_sum(op, residual);
}

void check_scale_shift(const LocalScaleShift& kind, const Extents& src, const Extents& dst) {
  const auto channels = static_cast<std::size_t>(dst[Axis::C]);
  PARCONV_EXPECT(src == dst, "src ", src, ", dst ", dst);
  PARCONV_EXPECT(kind.scale.size() == channels && kind.shift.size() == channels, "for ", channels, " channels");
}

void check_same_but(const Extents& src, const Extents& dst, std::span<const Axis> summed) {
  Extents expected = src;
  for (Axis axis : summed) expected[axis] = 1;
  PARCONV_EXPECT(dst == expected, "src ", src, ", dst ", dst);
}

void check_reduce(const LocalReduce& reduce, const Extents& src, const Extents& dst) {
  std::vector<Axis> marked;
  for (Axis axis : all_axes)
    if (reduce.axes[static_cast<std::size_t>(axis)]) marked.push_back(axis);
  check_same_but(src, dst, marked);
  PARCONV_EXPECT(reduce.count >= 1, "divides by ", reduce.count);
}

void check_lrn(const LocalLrn& lrn, const Extents& src, const Extents& dst) {
  PARCONV_EXPECT(lrn.own >= 0 && lrn.own + dst[Axis::C] <= src[Axis::C] && lrn.lrn.size >= 1, "src ", src, ", dst ", dst);
  for (Axis axis : all_axes) PARCONV_EXPECT(axis == Axis::C || src[axis] == dst[axis], "src ", src, ", dst ", dst);
}

void check_matmul(const LocalOp& op, const LocalMatMul& product, std::size_t residual) {
  std::vector<const OperandLayout*> srcs;
  for (std::size_t k = 0; k < op.srcs.size(); ++k)
    if (k != residual) srcs.push_back(&op.srcs[k]);
  PARCONV_EXPECT(srcs.size() == 2 && product.rows != product.columns, srcs.size(), " sources of a product");
  const Extents &a = srcs[0]->extents, &b = srcs[1]->extents, &dst = op.dst.extents;
  PARCONV_EXPECT(a[product.columns] == b[product.rows], "a ", a, ", b ", b);
  PARCONV_EXPECT(a[product.rows] == dst[product.rows] && b[product.columns] == dst[product.columns], "dst ", dst);
  for (Axis axis : all_axes) {
    if (axis == product.rows || axis == product.columns) continue;
    for (const Extents& src : {a, b}) PARCONV_EXPECT(src[axis] == 1 || src[axis] == dst[axis], "src ", src, ", dst ", dst);
  }
}

void check_softmax(const LocalSoftmax& softmax, const Extents& src, const Extents& dst) {
  for (Axis axis : all_axes) {
    const index_t offset = softmax.dst_offset[axis];
    PARCONV_EXPECT(offset >= 0 && offset + dst[axis] <= src[axis], "dst ", dst, " at ", softmax.dst_offset, " of ", src);
  }
}

void check_reshape(const LocalReshape& reshape, const Extents& src, const Extents& dst) {
  PARCONV_EXPECT(reshape.src_shape == src, "src ", src, ", shape ", reshape.src_shape);
  PARCONV_EXPECT(volume(reshape.dst_shape) <= volume(src), "src ", src, ", dst shape ", reshape.dst_shape);
  for (Axis axis : all_axes) {
    const index_t offset = reshape.dst_offset[axis];
    PARCONV_EXPECT(offset >= 0 && offset + dst[axis] <= reshape.dst_shape[axis], "dst ", dst, " in ", reshape.dst_shape);
  }
}

void check_digits(const std::vector<IndexDigit>& digits, index_t offset) {
  PARCONV_EXPECT(offset >= 0, "index ", offset);
  index_t stride = 1;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    PARCONV_EXPECT(digit->size >= 1 && digit->dst_stride == stride, "a digit of ", digit->size, " counts ", digit->dst_stride);
    stride *= digit->size;
  }
}

void check_rearrange(const LocalRearrange& rearrange, const Extents& src, const Extents& dst) {
  Box out, in;
  for (Axis axis : all_axes) {
    const index_t first = rearrange.dst_offset[axis], origin = rearrange.src_offset[axis];
    check_digits(rearrange.digits[static_cast<std::size_t>(axis)], first);
    out[axis] = {first, first + dst[axis]};
    in[axis] = {origin, origin + src[axis]};
  }
  const Box read = sources_of(rearrange.digits, out);
  PARCONV_EXPECT(in.contains(read), "reads ", read, " of ", in);
}

void check_resample(const LocalResample& resample, const Extents& src, const Extents& dst) {
  PARCONV_EXPECT(src[Axis::N] == dst[Axis::N], "src ", src, ", dst ", dst);
  for (Axis axis : {Axis::C, Axis::D, Axis::H, Axis::W}) {
    const auto taps = static_cast<index_t>(resample[axis].size());
    PARCONV_EXPECT(taps == dst[axis], taps, " taps along ", name_of(axis), " of ", dst);
    for (const AxisTap& tap : resample[axis]) {
      const bool is_fill = axis != Axis::C && tap.lo == -1;
      const bool is_inside = tap.lo >= 0 && tap.lo <= tap.hi && tap.hi < src[axis] && (axis != Axis::C || tap.lo == tap.hi);
      PARCONV_EXPECT(is_fill || is_inside, "tap ", tap.lo, " to ", tap.hi, " along ", name_of(axis), " of ", src);
    }
  }
}

void check_finish(const LocalFinish& finish, const LocalOp& op) {
  const auto channels = static_cast<std::size_t>(op.dst.extents[Axis::C]);
  PARCONV_EXPECT(finish.bias.empty() || finish.bias.size() == channels, finish.bias.size(), " biases for ", op.dst.extents);
  if (finish.residual < 0) return;
  const auto residual = static_cast<std::size_t>(finish.residual);
  PARCONV_EXPECT(residual < op.srcs.size(), "residual ", residual, " of ", op.srcs.size(), " sources");
  PARCONV_EXPECT(op.srcs[residual].extents == op.dst.extents, "residual ", op.srcs[residual].extents);
}

/// The checks of one kind with `src` its first operand.
struct KindChecker {
  const LocalOp& op;
  const Extents& src;
  std::size_t residual;

  void operator()(const LocalConv& kind) const { check_conv(kind, op, src); }
  void operator()(const LocalDeconv& kind) const { check_conv(kind, op, src); }
  void operator()(const LocalPool& kind) const { check_pool(kind, op.dst.extents); }
  void operator()(const LocalFill&) const {}
  void operator()(const LocalCopy&) const { check_same_but(src, op.dst.extents, {}); }
  void operator()(const LocalScaleShift& kind) const { check_scale_shift(kind, src, op.dst.extents); }
  void operator()(const LocalSum&) const { check_sum(op, residual); }
  void operator()(const LocalBinary&) const { check_binary(op, residual); }
  void operator()(const LocalRowSum&) const { check_same_but(src, op.dst.extents, std::array{Axis::W}); }
  void operator()(const LocalReduce& kind) const { check_reduce(kind, src, op.dst.extents); }
  void operator()(const LocalLrn& kind) const { check_lrn(kind, src, op.dst.extents); }
  void operator()(const LocalMatMul& kind) const { check_matmul(op, kind, residual); }
  void operator()(const LocalSoftmax& kind) const { check_softmax(kind, src, op.dst.extents); }
  void operator()(const LocalReshape& kind) const { check_reshape(kind, src, op.dst.extents); }
  void operator()(const LocalResample& kind) const { check_resample(kind, src, op.dst.extents); }
  void operator()(const LocalRearrange& kind) const { check_rearrange(kind, src, op.dst.extents); }
};

}  // namespace

void check_operands(const LocalOp& op) {
  PARCONV_EXPECT(volume(op.dst.extents) > 0, "dst ", op.dst.extents);
  check_type(op.dst);
  for (const OperandLayout& src : op.srcs) check_type(src);
  check_finish(op.finish, op);
  const bool has_residual = op.finish.residual >= 0;
  const std::size_t operands = op.srcs.size() - (has_residual ? 1 : 0);
  if (std::holds_alternative<LocalFill>(op.kind)) return;
  PARCONV_EXPECT(operands >= 1, name_of(op.kind), " without a source");
  const std::size_t first = op.finish.residual == 0 ? 1 : 0;
  const std::size_t residual = has_residual ? static_cast<std::size_t>(op.finish.residual) : op.srcs.size();
  std::visit(KindChecker{.op = op, .src = op.srcs[first].extents, .residual = residual}, op.kind);
}

}  // namespace parconv
