// SPDX-License-Identifier: Apache-2.0
// A part of a convolution (samples, rows or slices, filters) has the bits of the whole, which makes these splits exact.
#include <gtest/gtest.h>

#include "compute/local_op_run.hpp"
#include "compute/onednn/onednn_backend.hpp"
#include "compute/typed_call.hpp"
#include "parconv/tensor/view.hpp"
#include "support/compare.hpp"

namespace parconv::test {
namespace {

/// A convolution of whole tensors with its data and result.
struct WholeConv {
  Window window{};
  index_t groups = 1;
  Filter filter{};
  std::vector<float> elements{};
  std::vector<float> bias{};
  TestOperand src{};
  TestOperand dst{};
  bool has_activation = false;
};

std::ostream& operator<<(std::ostream& out, const WholeConv& conv) {
  out << conv.src.layout.extents << " -> " << conv.dst.layout.extents << ", groups " << conv.groups << ", window";
  for (const WindowAxis& axis : conv.window.axes)
    out << " " << axis.kernel << "/" << axis.stride << "/" << axis.pad_lo << "," << axis.pad_hi << "/" << axis.dilation;
  return out;
}

index_t pick(Random& random, std::initializer_list<index_t> values) {
  return values.begin()[random.integer(0, std::ssize(values) - 1)];
}

WindowAxis draw_axis(Random& random) {
  WindowAxis axis{.kernel = pick(random, {1, 2, 3, 3, 5, 7}), .stride = pick(random, {1, 1, 2, 3}), .dilation = 1};
  if (axis.kernel <= 5) axis.dilation = pick(random, {1, 1, 2});
  axis.pad_lo = pick(random, {0, axis.span() / 2, axis.span() - 1});
  axis.pad_hi = pick(random, {0, axis.span() / 2});
  return axis;
}

/// For larger windows and many channels, the summation order of oneDNN 2.6.3 depends on the number of outputs.
constexpr index_t most_taps = 125;

/// Any number of spatial axes, sometimes without padding and strides, so that windows over the full extent occur.
WholeConv draw_conv(Random& random) {
  WholeConv conv{.groups = pick(random, {1, 1, 1, 2, 4}), .has_activation = random.once_in(2)};
  const index_t ndims = random.integer(0, 3);
  Extents in{{ndims == 0 ? random.integer(1, 40) : random.integer(1, 3), 1, 1, 1, 1}};
  const bool is_full = random.once_in(5);
  for (Axis axis : {Axis::H, Axis::W, Axis::D}) {
    if (ndims <= (axis == Axis::H ? 0 : axis == Axis::W ? 1 : 2)) continue;
    in[axis] = ndims == 3 ? random.integer(1, 9) : random.integer(1, 30);
    conv.window[axis] = is_full ? WindowAxis{.kernel = in[axis]} : draw_axis(random);
    in[axis] = std::max(in[axis], conv.window[axis].span());
  }
  const auto& axes = conv.window.axes;
  const index_t taps = axes[0].kernel * axes[1].kernel * axes[2].kernel;
  const index_t ic = taps > most_taps ? 3 : pick(random, {1, 3, 16, 18, 32, 64, 96}), oc = pick(random, {16, 32, 40, 64, 128});
  in[Axis::C] = ic * conv.groups;
  Extents out = in;
  out[Axis::C] = oc * conv.groups;
  for (Axis axis : spatial_axes) out[axis] = conv.window[axis].output_size(in[axis]);
  conv.filter = {.oc = out[Axis::C],
                 .ic_per_group = ic,
                 .kernel = {axes[0].kernel, axes[1].kernel, axes[2].kernel},
                 .strides = {ic * taps, taps, axes[1].kernel * axes[2].kernel, axes[2].kernel, 1}};
  conv.elements = random.reals(out[Axis::C] * ic * taps);
  conv.bias = random.reals(out[Axis::C]);
  conv.src = make_operand(in);
  fill(random, conv.src, Numbers::Reals);
  conv.dst = make_operand(out);
  return conv;
}

/// The input box needed by output box `out`.
Box needed(const WholeConv& conv, const Box& out) {
  Box in = out;
  const index_t oc = conv.filter.oc / conv.groups;
  in[Axis::C] = {out[Axis::C].lo / oc * conv.filter.ic_per_group, ceil_div(out[Axis::C].hi, oc) * conv.filter.ic_per_group};
  for (Axis axis : spatial_axes) in[axis] = conv.window[axis].clipped_input_range(out[axis], conv.src.layout.extents[axis]);
  return in;
}

Window local_window(const WholeConv& conv, const Box& out, const Box& in) {
  Window window = conv.window;
  for (Axis axis : spatial_axes) {
    const Interval range = conv.window[axis].input_range(out[axis]);
    window[axis].pad_lo = in[axis].lo - range.lo;
    window[axis].pad_hi = range.hi - in[axis].hi;
  }
  return window;
}

ChannelBlock block_of(const WholeConv& conv, const Box& out) {
  const index_t oc = conv.filter.oc / conv.groups;
  const index_t groups = ceil_div(out[Axis::C].hi, oc) - out[Axis::C].lo / oc;
  ChannelBlock block{.groups = groups,
                     .src = {0, groups * conv.filter.ic_per_group},
                     .dst = {0, out[Axis::C].size()},
                     .filter = {.oc = out[Axis::C], .ic = {0, conv.filter.ic_per_group}}};
  for (std::size_t k = 0; k < 3; ++k) block.filter.kernel[k] = {0, conv.filter.kernel[k]};
  return block;
}

/// Computes the box `out` of the result, in `type`, from the memory of the whole source.
std::vector<float> compute(Backend& backend, WholeConv& conv, const Box& out, DType type = DType::F32) {
  const Box in = needed(conv, out), all = Box::whole(conv.src.layout.extents);
  TestCall call;
  call.filter = conv.elements;
  call.op.kind = LocalConv{.window = local_window(conv, out, in), .blocks = {block_of(conv, out)}, .filter = conv.filter};
  call.op.epilogue.bias.assign(conv.bias.begin() + out[Axis::C].lo, conv.bias.begin() + out[Axis::C].hi);
  if (conv.has_activation) call.op.epilogue.activation = {.kind = ActivationKind::Relu};
  call.srcs.push_back({.layout = layout_within(in, all), .first = offset_within(in, all), .memory = conv.src.memory});
  call.dst = make_operand(out.extents());
  call.seal();
  TypedCall typed(call, type, type);
  return typed.run(*backend.prepare(typed.op, reader_of(call.filter)));
}

std::vector<float> slice(const std::vector<float>& whole, const Extents& extents, const Box& box) {
  std::vector<float> result(static_cast<std::size_t>(volume(box)));
  pack(view_within(reinterpret_cast<const std::byte*>(whole.data()), box, Box::whole(extents)),
       reinterpret_cast<std::byte*>(result.data()));
  return result;
}

/// Part of an axis with borders at multiples of `grain`.
Interval draw_part(Random& random, index_t extent, index_t grain) {
  const index_t blocks = ceil_div(extent, grain);
  const index_t lo = random.integer(0, blocks - 1);
  return {lo * grain, std::min(extent, random.integer(lo + 1, blocks) * grain)};
}

/// Whole groups, or filters of one group in multiples of 16.
Interval draw_filters(Random& random, const WholeConv& conv) {
  const index_t oc = conv.filter.oc / conv.groups;
  if (conv.groups > 1 && random.once_in(2)) return draw_part(random, conv.filter.oc, oc);
  const index_t group = random.integer(0, conv.groups - 1);
  return draw_part(random, oc, 16).shifted(group * oc);
}

/// Boxes that read only padding are filled, not convolved.
bool is_all_padding(const WholeConv& conv, const Box& out) { return needed(conv, out).is_empty(); }

/// A single window over the whole input is computed like a Gemm after Flatten.
bool is_one_window(const WholeConv& conv, const Box& out) {
  const Box in = needed(conv, out);
  return std::all_of(spatial_axes.begin(), spatial_axes.end(),
                     [&](Axis axis) { return out[axis].size() == 1 && in[axis].size() == conv.window[axis].kernel; });
}

class OnednnBits : public ::testing::TestWithParam<std::tuple<Axis, DType>> {};

INSTANTIATE_TEST_SUITE_P(SplitBy, OnednnBits,
                         ::testing::Combine(::testing::Values(Axis::N, Axis::C, Axis::D, Axis::H),
                                            ::testing::Values(DType::F32, DType::BF16)),
                         [](const auto& item) {
                           return concat(name_of(std::get<Axis>(item.param)), "_", name_of(std::get<DType>(item.param)));
                         });

TEST_P(OnednnBits, APartIsEqualToTheWhole) {
  const auto backend = make_onednn_backend(1);
  const auto [axis, type] = GetParam();
  Random random(static_cast<std::uint64_t>(axis));
  int num_parts = 0;
  while (num_parts < 150) {
    WholeConv conv = draw_conv(random);
    const Box all = Box::whole(conv.dst.layout.extents);
    if (all[axis].size() < 2) continue;
    const std::vector<float> whole = compute(*backend, conv, all, type);
    for (int k = 0; k < 3; ++k) {
      const Interval part = axis == Axis::C ? draw_filters(random, conv) : draw_part(random, all[axis].size(), 1);
      const Box box = all.with(axis, part);
      if (is_all_padding(conv, box) || is_one_window(conv, box) != is_one_window(conv, all)) continue;
      EXPECT_TRUE(same_bits(compute(*backend, conv, box, type), slice(whole, conv.dst.layout.extents, box)))
          << conv << ": " << box;
      ++num_parts;
    }
  }
}

TEST(OnednnThreads, DoNotChangeTheBits) {
  const auto one = make_onednn_backend(1);
  const auto two = make_onednn_backend(2);
  Random random(7);
  for (int k = 0; k < 40; ++k) {
    WholeConv conv = draw_conv(random);
    const Box all = Box::whole(conv.dst.layout.extents);
    EXPECT_TRUE(same_bits(compute(*two, conv, all), compute(*one, conv, all))) << conv;
  }
}

}  // namespace
}  // namespace parconv::test
