// Random LocalOps of every kind.
#pragma once

#include <optional>
#include <utility>

#include "compute/local_op_run.hpp"
#include "parconv/model/rearrangement.hpp"

namespace parconv::test {

/// Draws calls: any number of spatial axes, strides, paddings, dilations, groups, pieces, operand layouts and finishes.
class LocalOpGenerator {
 public:
  LocalOpGenerator(std::uint64_t seed, Numbers numbers) : random_(seed), numbers_(numbers) {}

  TestCall conv() {
    TestCall call;
    const Window window = this->window();
    const index_t groups = random_.once_in(2) ? 1 : random_.integer(2, 4);
    const index_t ic = random_.once_in(3) ? 1 : channels(), oc = random_.once_in(3) ? 1 : channels();
    LocalConv conv{.window = window, .filter = filter(groups * oc, ic, window)};
    call.filter = draw(random_, groups * oc * ic * taps(window), numbers_);

    const Interval filters = part_of(groups * oc);
    const Interval used{filters.lo / oc, ceil_div(filters.hi, oc)};
    conv.pieces = pieces(filters, used, ic, oc, window);
    if (random_.once_in(3) && conv.pieces.size() == 1 && groups == 1) conv.pieces = halves(conv.pieces.front());

    Extents out = extents(filters.size());
    call.srcs.push_back(operand(in_extents(out, window, used.size() * ic)));
    call.op.kind = std::move(conv);
    return finished(std::move(call), out);
  }

  /// Any source, output and phase: outputs that nothing lands on, sources that nobody reads.
  TestCall deconv() {
    TestCall call;
    Window window = this->window();
    for (WindowAxis& axis : window.axes)
      axis = {axis.kernel, axis.stride, random_.integer(-3, axis.span() + 1), 0, axis.dilation};
    const index_t groups = random_.once_in(2) ? 1 : random_.integer(2, 4);
    const index_t ic = random_.once_in(3) ? 1 : channels(), oc = random_.once_in(3) ? 1 : channels();
    call.filter = draw(random_, groups * oc * ic * taps(window), numbers_);
    const Interval filters = part_of(groups * oc);
    const Interval used{filters.lo / oc, ceil_div(filters.hi, oc)};
    call.op.kind =
        LocalDeconv{.window = window, .pieces = pieces(filters, used, ic, oc, window), .filter = filter(groups * oc, ic, window)};
    const Extents out = extents(filters.size());
    Extents in = extents(used.size() * ic);
    in[Axis::N] = out[Axis::N];
    call.srcs.push_back(operand(in));
    return finished(std::move(call), out);
  }

  TestCall pool() {
    TestCall call;
    LocalPool pool{.kind = random_.once_in(2) ? PoolKind::Max : PoolKind::Average, .window = window()};
    for (WindowAxis& axis : pool.window.axes) {
      axis.pad_lo = std::min(axis.pad_lo, axis.kernel - 1);
      axis.pad_hi = std::min(axis.pad_hi, axis.kernel - 1);
      axis.dilation = 1;
    }
    Extents out = extents(channels());
    call.srcs.push_back(operand(in_extents(out, pool.window, out[Axis::C])));
    for (std::size_t axis = 0; axis < 3; ++axis)
      for (index_t o = 0; o < out[spatial_axes[axis]]; ++o) pool.divisors[axis].push_back(random_.integer(1, 3));
    call.op.kind = std::move(pool);
    return finished(std::move(call), out);
  }

  TestCall fill() {
    TestCall call;
    call.op.kind = LocalFill{.value = 3};
    return finished(std::move(call), extents(channels()));
  }

  TestCall copy() {
    const Extents out = extents(channels());
    TestCall call;
    call.srcs.push_back(operand(out));
    call.op.kind = LocalCopy{};
    return finished(std::move(call), out);
  }

  TestCall scale_shift() {
    TestCall call = copy();
    const index_t c = call.dst.layout.extents[Axis::C];
    call.op.kind = LocalScaleShift{.scale = draw(random_, c, numbers_), .shift = draw(random_, c, numbers_)};
    return call;
  }

  TestCall sum() {
    const Extents out = extents(channels());
    TestCall call;
    for (index_t k = random_.integer(1, 4); k > 0; --k) {
      Extents src = out;
      for (Axis axis : all_axes)
        if (random_.once_in(4)) src[axis] = 1;
      call.srcs.push_back(operand(src));
    }
    call.op.kind = LocalSum{};
    return finished(std::move(call), out);
  }

  TestCall binary() {
    const Extents out = extents(channels());
    TestCall call;
    for (int k = 0; k < 2; ++k) {
      Extents src = out;
      for (Axis axis : all_axes)
        if (random_.once_in(4)) src[axis] = 1;
      call.srcs.push_back(operand(src));
    }
    constexpr std::array kinds{BinaryKind::Mul, BinaryKind::Sub, BinaryKind::Max, BinaryKind::Min, BinaryKind::PRelu};
    call.op.kind = LocalBinary{any_of(kinds)};
    return finished(std::move(call), out);
  }

  TestCall row_sum() {
    Extents out = extents(channels());
    TestCall call;
    call.srcs.push_back(operand(out));
    out[Axis::W] = 1;
    call.op.kind = LocalRowSum{};
    return finished(std::move(call), out);
  }

  TestCall reduce() {
    constexpr std::array kinds{ReduceKind::Sum, ReduceKind::Max, ReduceKind::Min, ReduceKind::Product};
    LocalReduce reduce{.kind = any_of(kinds)};
    if (reduce.kind == ReduceKind::Sum) reduce.count = random_.integer(1, 50);
    Extents out = extents(channels());
    TestCall call;
    call.srcs.push_back(operand(out));
    for (Axis axis : all_axes) {
      const bool is_marked = random_.once_in(2);
      reduce.axes[static_cast<std::size_t>(axis)] = is_marked;
      if (is_marked) out[axis] = 1;
    }
    call.op.kind = reduce;
    return finished(std::move(call), out);
  }

  TestCall lrn() {
    constexpr std::array betas{1.0F, 0.5F, 0.75F, 0.6F};
    LocalLrn lrn{.lrn = {.size = random_.integer(1, 7), .alpha = 0.5F, .beta = any_of(betas)}};
    Extents out = extents(channels());
    TestCall call;
    call.srcs.push_back(operand(out));
    const Interval part = part_of(out[Axis::C]);
    lrn.own = part.lo;
    out[Axis::C] = part.size();
    call.op.kind = lrn;
    return finished(std::move(call), out);
  }

  /// Matrices along the last two dimensions of 2 to 5, either of them broadcast along any of the others.
  TestCall matmul() {
    constexpr std::array<LocalMatMul, 3> axes{{{Axis::N, Axis::C}, {Axis::C, Axis::H}, {Axis::H, Axis::W}}};
    const LocalMatMul product = any_of(axes);
    ndims_ = product.rows == Axis::H ? random_.integer(2, 3) : product.rows == Axis::C ? 1 : 0;
    const Extents whole = extents(channels());
    const index_t inner = random_.integer(1, 20), columns = random_.once_in(3) ? 80 + random_.integer(0, 20) : channels();
    Extents a = whole, b = whole, out = whole;
    a[product.columns] = b[product.rows] = inner;
    b[product.columns] = out[product.columns] = columns;
    for (Axis axis : all_axes) {
      if (axis == product.rows || axis == product.columns) continue;
      if (random_.once_in(4)) a[axis] = 1;
      if (random_.once_in(4)) b[axis] = 1;
      out[axis] = std::max(a[axis], b[axis]);
    }
    TestCall call;
    call.srcs = {operand(a), operand(b)};
    call.op.kind = product;
    return finished(std::move(call), out);
  }

  TestCall softmax() {
    const Extents src = extents(channels());
    LocalSoftmax softmax{.is_logarithm = random_.once_in(2)};
    Extents out = src;
    for (Axis axis : all_axes) {
      softmax.axes[static_cast<std::size_t>(axis)] = random_.once_in(2);
      const Interval part = part_of(src[axis]);
      softmax.dst_offset[axis] = part.lo;
      out[axis] = part.size();
    }
    TestCall call;
    call.srcs.push_back(operand(src));
    call.op.kind = softmax;
    return finished(std::move(call), out);
  }

  /// Any order of inputs, repeated and left out, with fill and interpolations anywhere.
  TestCall resample() {
    const Extents src = extents(channels());
    Extents out = extents(random_.integer(1, 40));
    LocalResample resample{.fill = 2};
    out[Axis::N] = src[Axis::N];
    if (random_.once_in(2)) out[Axis::C] = src[Axis::C];
    const bool has_all_channels = out[Axis::C] == src[Axis::C];
    for (index_t c = 0; c < out[Axis::C]; ++c)
      resample[Axis::C].push_back(exact_tap(has_all_channels ? c : random_.integer(0, src[Axis::C] - 1)));
    for (Axis axis : spatial_axes)
      for (index_t o = 0; o < out[axis]; ++o) resample[axis].push_back(tap(src[axis], o));
    TestCall call;
    call.srcs.push_back(operand(src));
    call.op.kind = std::move(resample);
    return finished(std::move(call), out);
  }

  /// Axes cut into digits, which are dealt out anew, and a part of the result.
  TestCall rearrange() {
    std::vector<IndexDigit> digits(static_cast<std::size_t>(random_.integer(0, 6)));
    Extents src, dst;
    for (IndexDigit& digit : digits) {
      digit = {.size = random_.integer(2, 4), .src = any_axis(), .src_stride = 1};
      digit.src_stride = std::exchange(src[digit.src], src[digit.src] * digit.size);
    }
    LocalRearrange local;
    while (!digits.empty()) {
      const auto taken = digits.begin() + random_.integer(0, std::ssize(digits) - 1);
      const Axis to = any_axis();
      taken->dst_stride = std::exchange(dst[to], dst[to] * taken->size);
      auto& along = local.digits[static_cast<std::size_t>(to)];
      along.insert(along.begin(), *taken);
      digits.erase(taken);
    }
    Box part;
    for (Axis axis : all_axes) {
      part[axis] = part_of(dst[axis]);
      local.dst_offset[axis] = part[axis].lo;
    }
    const Box read = sources_of(local.digits, part);
    for (Axis axis : all_axes) local.src_offset[axis] = read[axis].lo;
    TestCall call;
    call.srcs.push_back(operand(read.extents()));
    call.op.kind = std::move(local);
    return finished(std::move(call), part.extents());
  }

  TestCall reshape() {
    LocalReshape reshape{.src_shape = extents(channels())};
    reshape.dst_shape = reshape.src_shape;
    for (int swaps = 0; swaps < 4; ++swaps) std::swap(reshape.dst_shape[any_axis()], reshape.dst_shape[any_axis()]);
    Extents out;
    for (Axis axis : all_axes) {
      const Interval part = part_of(reshape.dst_shape[axis]);
      reshape.dst_offset[axis] = part.lo;
      out[axis] = part.size();
    }
    TestCall call;
    call.srcs.push_back(operand(reshape.src_shape));
    call.op.kind = reshape;
    return finished(std::move(call), out);
  }

 private:
  static AxisTap exact_tap(index_t input) { return {.lo = input, .hi = input}; }

  /// Mostly the output's own index or the one before it, so that there are runs.
  AxisTap tap(index_t in_size, index_t out) {
    switch (random_.integer(0, 7)) {
      case 0:
        return exact_tap(-1);
      case 1:
        return exact_tap(random_.integer(0, in_size - 1));
      case 2:
        return exact_tap(std::max<index_t>(std::min(out, in_size) - 1, 0));
      case 3:
      case 4: {
        const index_t lo = random_.integer(0, in_size - 1);
        return lo + 1 < in_size ? AxisTap{lo, lo + 1, 0.25F} : exact_tap(lo);
      }
      default:
        return exact_tap(std::min(out, in_size - 1));
    }
  }

  template <class T, std::size_t count>
  T any_of(const std::array<T, count>& choices) {
    return choices[static_cast<std::size_t>(random_.integer(0, std::ssize(choices) - 1))];
  }

  Axis any_axis() { return all_axes[static_cast<std::size_t>(random_.integer(0, num_axes - 1))]; }
  index_t channels() { return random_.once_in(2) ? random_.integer(1, 9) : random_.integer(1, 3) * 16 + random_.integer(0, 1); }

  Interval part_of(index_t size) {
    const index_t lo = random_.once_in(2) ? 0 : random_.integer(0, size - 1);
    return {lo, random_.once_in(2) ? size : random_.integer(lo + 1, size)};
  }

  static index_t taps(const Window& window) { return window.axes[0].kernel * window.axes[1].kernel * window.axes[2].kernel; }

  /// Draws how many axes the following extents and windows have: 0 (pixels only) to 3.
  WindowAxis window_axis() {
    WindowAxis axis{.kernel = random_.integer(1, 5), .stride = random_.integer(1, 3), .dilation = random_.once_in(3) ? 2 : 1};
    const index_t most = random_.once_in(4) ? 2 * axis.span() : axis.span() - 1;
    axis.pad_lo = random_.integer(0, most);
    axis.pad_hi = random_.integer(0, most);
    return axis;
  }

  Window window() {
    ndims_ = random_.integer(0, 3);
    Window window;
    if (ndims_ == 3) window[Axis::D] = window_axis();
    if (ndims_ >= 1) window[Axis::H] = window_axis();
    if (ndims_ >= 2) window[Axis::W] = window_axis();
    return window;
  }

  Extents extents(index_t c) {
    Extents result{{random_.integer(1, 3), c, 1, 1, 1}};
    if (ndims_ == 3) result[Axis::D] = random_.integer(1, 5);
    if (ndims_ >= 1) result[Axis::H] = random_.integer(1, 7);
    if (ndims_ >= 2) result[Axis::W] = random_.integer(1, 9);
    return result;
  }

  /// Inputs that give `out`: with a random remainder that nobody reads. Paddings are taken back where nothing would be left.
  Extents in_extents(Extents& out, const Window& window, index_t c) {
    Extents in = out;
    in[Axis::C] = c;
    for (Axis axis : spatial_axes) {
      const WindowAxis& along = window[axis];
      in[axis] =
          (out[axis] - 1) * along.stride + along.span() - along.pad_lo - along.pad_hi + random_.integer(0, along.stride - 1);
      if (in[axis] >= 1) continue;
      in[axis] = 1 + random_.integer(0, 2);
      out[axis] = std::max<index_t>(along.output_size(in[axis]), 1);
      if (along.output_size(in[axis]) < 1) in[axis] = along.span();
      out[axis] = along.output_size(in[axis]);
    }
    return in;
  }

  /// Dense, with rows around it, with a larger pitch between samples, or with anything around it.
  TestOperand operand(const Extents& extents) {
    Extents margins{{0, 0, 0, 0, 0}};
    const index_t kind = random_.integer(0, 4);
    if (kind == 2) margins[ndims_ == 3 ? Axis::D : Axis::H] = random_.integer(0, 2);
    if (kind == 3) margins[Axis::C] = random_.integer(0, 3);
    if (kind == 4)
      for (Axis axis : all_axes) margins[axis] = random_.integer(0, 2);
    TestOperand result = make_operand(extents, margins);
    test::fill(random_, result, numbers_);
    return result;
  }

  static Filter filter(index_t oc, index_t ic, const Window& window) {
    const index_t kd = window.axes[0].kernel, kh = window.axes[1].kernel, kw = window.axes[2].kernel;
    return {.oc = oc, .ic_per_group = ic, .kernel = {kd, kh, kw}, .strides = {ic * kd * kh * kw, kd * kh * kw, kh * kw, kw, 1}};
  }

  /// `filters` of groups of `ic` by `oc` channels, of which the groups `used` are in the source: runs of whole groups, and parts
  /// of one.
  static std::vector<ChannelPiece> pieces(Interval filters, Interval used, index_t ic, index_t oc, const Window& window) {
    std::vector<ChannelPiece> result;
    for (index_t g = used.lo; g < used.hi; ++g) {
      const Interval part = intersect(filters, Interval{g * oc, (g + 1) * oc});
      ChannelPiece piece{.groups = 1,
                         .src = {(g - used.lo) * ic, (g - used.lo + 1) * ic},
                         .dst = part.shifted(-filters.lo),
                         .filter = {.oc = part, .ic = {0, ic}}};
      for (std::size_t k = 0; k < 3; ++k) piece.filter.kernel[k] = {0, window.axes[k].kernel};
      const bool continues = !result.empty() && part.size() == oc && result.back().dst.size() == result.back().groups * oc;
      if (continues) {
        result.back().groups += 1;
        result.back().src.hi = piece.src.hi;
        result.back().dst.hi = piece.dst.hi;
        result.back().filter.oc.hi = part.hi;
      } else {
        result.push_back(piece);
      }
    }
    return result;
  }

  /// The output channels of a piece of one group in two pieces.
  std::vector<ChannelPiece> halves(const ChannelPiece& piece) {
    const index_t cut = random_.integer(0, piece.dst.size());
    if (cut == 0 || cut == piece.dst.size()) return {piece};
    ChannelPiece low = piece, high = piece;
    low.dst.hi = high.dst.lo = piece.dst.lo + cut;
    low.filter.oc.hi = high.filter.oc.lo = piece.filter.oc.lo + cut;
    return {low, high};
  }

  Activation activation() {
    switch (random_.integer(0, 8)) {
      case 0:
        return {};
      case 6:
        return {.kind = ActivationKind::Sign};
      case 7:
        return {.kind = ActivationKind::ThresholdedRelu, .alpha = 1};
      case 8:
        return {.kind = ActivationKind::Power, .alpha = 2};
      case 4:
        return {.kind = ActivationKind::HardSigmoid, .alpha = 0.25F, .beta = 0.5F};
      case 5:
        return {.kind = ActivationKind::Abs};
      case 1:
        return {.kind = ActivationKind::Relu};
      case 2:
        return {.kind = ActivationKind::LeakyRelu, .alpha = 0.25F};
      default:
        return {.kind = ActivationKind::Clip, .alpha = -1, .beta = 3};
    }
  }

  /// Adds the output and a random finish; the residual comes before or behind the other sources.
  TestCall finished(TestCall call, const Extents& out) {
    call.dst = operand(out);
    LocalFinish& finish = call.op.finish;
    if (random_.once_in(2)) finish.bias = draw(random_, out[Axis::C], numbers_);
    finish.activation = activation();
    if (random_.once_in(2)) {
      const bool comes_first = random_.once_in(2);
      call.srcs.insert(comes_first ? call.srcs.begin() : call.srcs.end(), operand(out));
      finish.residual = comes_first ? 0 : static_cast<int>(call.srcs.size()) - 1;
    }
    call.seal();
    return call;
  }

  Random random_;
  Numbers numbers_;
  index_t ndims_ = 2;
};

}  // namespace parconv::test
