// SPDX-License-Identifier: Apache-2.0
// Random LocalOps. Kinds without a filter are drawn by KindTest.
#pragma once

#include <optional>
#include <utility>

#include "compute/local_op_run.hpp"
#include "parconv/model/local_op.hpp"
#include "parconv/model/rearrangement.hpp"

namespace parconv::test {

/// Draws calls: spatial axes, strides, paddings, dilations, groups, channel blocks, operand layouts and epilogues.
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
    conv.blocks = blocks(filters, used, ic, oc, window);
    if (random_.once_in(3) && conv.blocks.size() == 1 && groups == 1) conv.blocks = halves(conv.blocks.front());

    Extents out = extents(filters.size());
    call.srcs.push_back(operand(in_extents(out, window, used.size() * ic)));
    call.op.kind = std::move(conv);
    return finished(std::move(call), out);
  }

  /// Any source, output and phase, including outputs without inputs and unused inputs.
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
        LocalDeconv{.window = window, .blocks = blocks(filters, used, ic, oc, window), .filter = filter(groups * oc, ic, window)};
    const Extents out = extents(filters.size());
    Extents in = extents(used.size() * ic);
    in[Axis::N] = out[Axis::N];
    call.srcs.push_back(operand(in));
    return finished(std::move(call), out);
  }

  TestCall copy() {
    const Extents out = extents(channels());
    TestCall call;
    call.srcs.push_back(operand(out));
    call.op.kind = LocalCopy{};
    return finished(std::move(call), out);
  }

  // ---- Parts of calls -----------------------------------------------------------------------------------------------------

  Random& random() { return random_; }
  std::vector<float> numbers(index_t count) { return draw(random_, count, numbers_); }

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

  /// Draws the number of spatial axes of later extents and windows: 0 (pixels only) to 3.
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

  /// Later extents have 0 (pixels only) to 3 spatial axes.
  void set_spatial_axes(index_t count) { ndims_ = count; }

  Extents extents(index_t c) {
    Extents result{{random_.integer(1, 3), c, 1, 1, 1}};
    if (ndims_ == 3) result[Axis::D] = random_.integer(1, 5);
    if (ndims_ >= 1) result[Axis::H] = random_.integer(1, 7);
    if (ndims_ >= 2) result[Axis::W] = random_.integer(1, 9);
    return result;
  }

  /// Input extents for `out`, with a random unread remainder. Padding is reduced where no input would remain.
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

  /// Dense, with margin rows, with a larger sample pitch, or with arbitrary margins.
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

  /// Adds the output and a random epilogue; the residual is the first or the last source.
  TestCall finished(TestCall call, const Extents& out) {
    call.dst = operand(out);
    LocalEpilogue& epilogue = call.op.epilogue;
    if (random_.once_in(2)) epilogue.bias = draw(random_, out[Axis::C], numbers_);
    epilogue.activation = activation();
    if (random_.once_in(2)) {
      const bool comes_first = random_.once_in(2);
      call.srcs.insert(comes_first ? call.srcs.begin() : call.srcs.end(), operand(out));
      epilogue.residual = comes_first ? 0 : static_cast<int>(call.srcs.size()) - 1;
    }
    call.seal();
    return call;
  }

 private:
  static Filter filter(index_t oc, index_t ic, const Window& window) {
    const index_t kd = window.axes[0].kernel, kh = window.axes[1].kernel, kw = window.axes[2].kernel;
    return {.oc = oc, .ic_per_group = ic, .kernel = {kd, kh, kw}, .strides = {ic * kd * kh * kw, kd * kh * kw, kh * kw, kw, 1}};
  }

  /// `filters` of groups of `ic` by `oc` channels, of which the groups `used` are in the source: runs of whole groups, and parts
  /// of one.
  static std::vector<ChannelBlock> blocks(Interval filters, Interval used, index_t ic, index_t oc, const Window& window) {
    std::vector<ChannelBlock> result;
    for (index_t g = used.lo; g < used.hi; ++g) {
      const Interval part = intersect(filters, Interval{g * oc, (g + 1) * oc});
      ChannelBlock block{.groups = 1,
                         .src = {(g - used.lo) * ic, (g - used.lo + 1) * ic},
                         .dst = part.shifted(-filters.lo),
                         .filter = {.oc = part, .ic = {0, ic}}};
      for (std::size_t k = 0; k < 3; ++k) block.filter.kernel[k] = {0, window.axes[k].kernel};
      const bool continues = !result.empty() && part.size() == oc && result.back().dst.size() == result.back().groups * oc;
      if (continues) {
        result.back().groups += 1;
        result.back().src.hi = block.src.hi;
        result.back().dst.hi = block.dst.hi;
        result.back().filter.oc.hi = part.hi;
      } else {
        result.push_back(block);
      }
    }
    return result;
  }

  /// Splits the output channels of a single-group block into two blocks.
  std::vector<ChannelBlock> halves(const ChannelBlock& block) {
    const index_t cut = random_.integer(0, block.dst.size());
    if (cut == 0 || cut == block.dst.size()) return {block};
    ChannelBlock low = block, high = block;
    low.dst.hi = high.dst.lo = block.dst.lo + cut;
    low.filter.oc.hi = high.filter.oc.lo = block.filter.oc.lo + cut;
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

  Random random_;
  Numbers numbers_;
  index_t ndims_ = 2;
};

}  // namespace parconv::test
