// SPDX-License-Identifier: Apache-2.0
// Convolutions of the cpu backend equal plain loops of std::fma bit for bit: the whole, every part of it, on every instruction
// set, any number of threads and operands of any type.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <sstream>

#include "compute/direct/cpu_backend.hpp"
#include "compute/direct/instruction_set.hpp"
#include "compute/typed_call.hpp"
#include "parconv/tensor/half.hpp"
#include "parconv/tensor/view.hpp"
#include "support/compare.hpp"
#include "support/random.hpp"

namespace parconv::test {
namespace {

/// A convolution of whole tensors with its data.
struct WholeConv {
  Window window{};
  index_t groups = 1;
  Filter filter{};
  SumLeaves leaves{};
  std::vector<float> elements{};
  std::vector<float> bias{};
  Activation activation{};
  bool has_residual = false;
  TestOperand src{};
  TestOperand residual{};
  TestOperand dst{};
  DType src_type = DType::F32;
  DType residual_type = DType::F32;
  DType dst_type = DType::F32;

  index_t ic() const { return filter.ic_per_group; }
  index_t oc() const { return filter.oc / groups; }
  index_t taps() const { return filter.kernel[0] * filter.kernel[1] * filter.kernel[2]; }
};

std::ostream& operator<<(std::ostream& out, const WholeConv& conv) {
  out << name_of(conv.src_type) << " " << conv.src.layout.extents << " -> " << name_of(conv.dst_type) << " "
      << conv.dst.layout.extents << ", groups " << conv.groups << ", leaves " << conv.leaves.count << ", window";
  for (const WindowAxis& axis : conv.window.axes)
    out << " " << axis.kernel << "/" << axis.stride << "/" << axis.pad_lo << "," << axis.pad_hi << "/" << axis.dilation;
  return out;
}

index_t pick(Random& random, std::initializer_list<index_t> values) {
  return values.begin()[random.integer(0, std::ssize(values) - 1)];
}

WindowAxis draw_axis(Random& random) {
  WindowAxis axis{
      .kernel = pick(random, {1, 2, 3, 3, 5}), .stride = pick(random, {1, 1, 2, 3}), .dilation = pick(random, {1, 1, 2})};
  axis.pad_lo = pick(random, {0, axis.span() / 2, axis.span() + 1});
  axis.pad_hi = pick(random, {0, axis.span() / 2, axis.span() + 2});
  return axis;
}

Extents draw_margins(Random& random) {
  Extents margins{{0, 0, 0, 0, 0}};
  if (random.once_in(2))
    for (Axis axis : all_axes) margins[axis] = random.integer(0, 2);
  return margins;
}

/// A few odd numbers among ordinary ones: zeros of both signs, denormals, infinities.
std::vector<float> draw_numbers(Random& random, index_t count, bool has_odd) {
  std::vector<float> numbers = random.reals(count);
  if (!has_odd) return numbers;
  for (float& x : numbers)
    if (random.once_in(20))
      x = std::array{0.0F, -0.0F, 1e-40F, -1e-42F, INFINITY}[static_cast<std::size_t>(random.integer(0, 4))];
  return numbers;
}

DType draw_type(Random& random) {
  return std::array{DType::F32, DType::BF16, DType::F16}[static_cast<std::size_t>(random.integer(0, 2))];
}

/// Draws the types of the operands; rounds weights and sources to that of the source, and the residual to its own.
void store_in_16_bits(Random& random, WholeConv& conv) {
  conv.src_type = draw_type(random);
  conv.residual_type = draw_type(random);
  conv.dst_type = draw_type(random);
  conv.elements = rounded(conv.elements, conv.src_type);
  conv.src.memory = rounded(conv.src.memory, conv.src_type);
  conv.residual.memory = rounded(conv.residual.memory, conv.residual_type);
}

Activation draw_activation(Random& random) {
  constexpr std::array kinds{ActivationKind::Relu, ActivationKind::Relu, ActivationKind::LeakyRelu, ActivationKind::Clip};
  return {.kind = kinds[static_cast<std::size_t>(random.integer(0, 3))], .alpha = 0.1F, .beta = 3};
}

WholeConv draw_conv(Random& random) {
  const bool is_depthwise = random.once_in(6), has_odd = random.once_in(8);
  WholeConv conv{.groups = is_depthwise ? random.integer(2, 40) : pick(random, {1, 1, 1, 2, 3})};
  const index_t ndims = random.integer(1, 3);
  const bool is_column = ndims == 1 && random.once_in(2);  // along h, as the signals of models
  Extents in{{random.integer(1, 2), 1, 1, 1, 1}};
  for (Axis axis : {Axis::W, Axis::H, Axis::D}) {
    const index_t number = axis == Axis::W ? 0 : axis == Axis::H ? 1 : 2;
    if (is_column ? axis != Axis::H : ndims <= number) continue;
    conv.window[axis] = draw_axis(random);
    in[axis] = std::max(random.integer(1, ndims == 3 ? 7 : 17), conv.window[axis].span());
  }
  const auto& axes = conv.window.axes;
  const index_t taps = axes[0].kernel * axes[1].kernel * axes[2].kernel;
  const index_t ic = is_depthwise ? 1 : pick(random, {1, 3, 4, 16, 18, 40}),
                oc = is_depthwise ? 1 : pick(random, {1, 7, 16, 33, 70});
  in[Axis::C] = ic * conv.groups;
  Extents out = in;
  out[Axis::C] = oc * conv.groups;
  for (Axis axis : spatial_axes) out[axis] = conv.window[axis].output_size(in[axis]);
  conv.filter = {.oc = out[Axis::C],
                 .ic_per_group = ic,
                 .kernel = {axes[0].kernel, axes[1].kernel, axes[2].kernel},
                 .strides = {ic * taps, taps, axes[1].kernel * axes[2].kernel, axes[2].kernel, 1}};
  conv.leaves = {.channels = ic, .count = std::min(ic, pick(random, {1, 2, 3, 5, 8, 64}))};
  conv.elements = draw_numbers(random, out[Axis::C] * ic * taps, has_odd);
  if (random.once_in(2)) conv.bias = random.reals(out[Axis::C]);
  if (random.once_in(2)) conv.activation = draw_activation(random);
  conv.has_residual = random.once_in(3);
  conv.src = make_operand(in, draw_margins(random));
  conv.src.memory = draw_numbers(random, std::ssize(conv.src.memory), has_odd);
  conv.residual = make_operand(out, draw_margins(random));
  fill(random, conv.residual, Numbers::Reals);
  conv.dst = make_operand(out, draw_margins(random));
  if (random.once_in(2)) store_in_16_bits(random, conv);
  return conv;
}

index_t offset(const TestOperand& operand, const Extents& at) {
  index_t offset = operand.first;
  for (Axis axis : all_axes) offset += at[axis] * operand.layout.strides[axis];
  return offset;
}

// ---- The definition, in plain loops --------------------------------------------------------------------------------------

/// The chain of one leaf: taps in index order, channels within.
float chain(const WholeConv& conv, const Extents& out, Interval channels) {
  const index_t group = out[Axis::C] / conv.oc();
  const auto& axes = conv.window.axes;
  float sum = 0;
  for (index_t kd = 0; kd < axes[0].kernel; ++kd)
    for (index_t kh = 0; kh < axes[1].kernel; ++kh)
      for (index_t kw = 0; kw < axes[2].kernel; ++kw) {
        Extents at = out;
        const std::array<index_t, 3> tap{kd, kh, kw};
        bool is_inside = true;
        for (Axis axis : spatial_axes) {
          const auto k = static_cast<std::size_t>(axis) - 2;
          at[axis] = out[axis] * axes[k].stride - axes[k].pad_lo + tap[k] * axes[k].dilation;
          is_inside = is_inside && at[axis] >= 0 && at[axis] < conv.src.layout.extents[axis];
        }
        for (index_t i = channels.lo; is_inside && i < channels.hi; ++i) {
          at[Axis::C] = group * conv.ic() + i;
          const index_t weight = (out[Axis::C] * conv.ic() + i) * conv.taps() + (kd * axes[1].kernel + kh) * axes[2].kernel + kw;
          sum = std::fma(conv.elements[static_cast<std::size_t>(weight)],
                         conv.src.memory[static_cast<std::size_t>(offset(conv.src, at))], sum);
        }
      }
  return sum;
}

/// tree(n) = tree(ceil(n / 2)) + tree(floor(n / 2)) of leaves [first, first + n).
float tree(const WholeConv& conv, const Extents& out, index_t first, index_t n) {
  if (n == 1) {
    const auto [channels, count] = conv.leaves;
    return chain(conv, out, {first * channels / count, (first + 1) * channels / count});
  }
  const index_t left = (n + 1) / 2;
  return tree(conv, out, first, left) + tree(conv, out, first + left, n - left);
}

/// Before it is rounded to the type of the result.
float defined_value(const WholeConv& conv, const Extents& out) {
  float value = tree(conv, out, 0, conv.leaves.count);
  if (!conv.bias.empty()) value += conv.bias[static_cast<std::size_t>(out[Axis::C])];
  if (conv.has_residual) value += conv.residual.memory[static_cast<std::size_t>(offset(conv.residual, out))];
  if (conv.activation.kind == ActivationKind::Relu) return value < 0 ? 0 : value;
  if (conv.activation.kind == ActivationKind::LeakyRelu) return value < 0 ? conv.activation.alpha * value : value;
  if (conv.activation.kind == ActivationKind::Clip)
    return std::isnan(value) ? value : std::clamp(value, conv.activation.alpha, conv.activation.beta);
  return value;
}

/// `value` rounded once.
float stored(float value, DType type) {
  if (type == DType::BF16) return float_from_bfloat16(bfloat16_from_float(value));
  if (type == DType::F16) return float_from_half(half_from_float(value));
  return value;
}

// ---- Parts ---------------------------------------------------------------------------------------------------------------

TestOperand part_of(const TestOperand& whole, const Box& box) {
  TestOperand part = whole;
  Extents begin;
  for (Axis axis : all_axes) {
    begin[axis] = box[axis].lo;
    part.layout.extents[axis] = box[axis].size();
  }
  part.first = offset(whole, begin);
  return part;
}

/// The call that computes `out` of a convolution; nullopt if all of its taps are outside the tensor.
std::optional<TestCall> call_of(const WholeConv& conv, const Box& out) {
  LocalConv local{.window = conv.window, .filter = conv.filter, .leaves = conv.leaves};
  Box need = Box::whole(conv.src.layout.extents);
  need[Axis::N] = out[Axis::N];
  for (Axis axis : spatial_axes) {
    need[axis] = conv.window[axis].clipped_input_range(out[axis], conv.src.layout.extents[axis]);
    if (need[axis].is_empty()) return std::nullopt;
    local.window[axis].pad_lo = need[axis].lo - conv.window[axis].input_range(out[axis]).lo;
    local.window[axis].pad_hi = conv.window[axis].input_range(out[axis]).hi - need[axis].hi;
  }
  for (index_t c = out[Axis::C].lo; c < out[Axis::C].hi;) {  // one block for each group
    const index_t group = c / conv.oc(), end = std::min(out[Axis::C].hi, (group + 1) * conv.oc());
    ChannelBlock block = {.src = {group * conv.ic(), (group + 1) * conv.ic()},
                          .dst = {c - out[Axis::C].lo, end - out[Axis::C].lo}};
    block.filter = {.oc = {c, end}, .ic = {0, conv.ic()}};
    for (std::size_t k = 0; k < 3; ++k) block.filter.kernel[k] = {0, conv.filter.kernel[k]};
    local.blocks.push_back(block);
    c = end;
  }
  if (out[Axis::C] == Interval{0, conv.filter.oc} && conv.groups > 1) {  // or all of them in one block
    ChannelBlock whole = local.blocks.front();
    whole.groups = conv.groups;
    whole.src.hi = conv.groups * conv.ic();
    whole.dst.hi = whole.filter.oc.hi = conv.filter.oc;
    local.blocks = {whole};
  }
  TestCall call{.op = {.kind = local}, .srcs = {part_of(conv.src, need)}, .dst = part_of(conv.dst, out), .filter = conv.elements};
  if (!conv.bias.empty()) call.op.epilogue.bias = {conv.bias.begin() + out[Axis::C].lo, conv.bias.begin() + out[Axis::C].hi};
  call.op.epilogue.activation = conv.activation;
  if (conv.has_residual) {
    call.op.epilogue.residual = 1;
    call.srcs.push_back(part_of(conv.residual, out));
  }
  call.seal();
  return call;
}

Box draw_box(Random& random, const Extents& extents) {
  Box box = Box::whole(extents);
  for (Axis axis : all_axes) {
    if (random.once_in(2)) continue;
    box[axis].lo = random.integer(0, extents[axis] - 1);
    box[axis].hi = random.integer(box[axis].lo + 1, extents[axis]);
  }
  return box;
}

/// Sets PARCONV_ISA until the end of the scope.
class ForcedSet {
 public:
  explicit ForcedSet(direct::InstructionSet set) { setenv("PARCONV_ISA", direct::name_of(set).c_str(), 1); }
  ~ForcedSet() { unsetenv("PARCONV_ISA"); }
  ForcedSet(const ForcedSet&) = delete;
  ForcedSet& operator=(const ForcedSet&) = delete;
};

/// The buffer of dst after the call with operands of the convolution's types.
std::vector<float> run_under(direct::InstructionSet set, int threads, const WholeConv& conv, const TestCall& call) {
  const ForcedSet forced(set);
  TypedCall typed(call, conv.src_type, conv.dst_type);
  if (conv.has_residual) typed.set_src(1, call, conv.residual_type);
  return typed.run(*make_cpu_backend(threads)->prepare(typed.op, reader_of(call.filter)));
}

/// The buffer of dst with the values that the definition gives inside `out`.
std::vector<float> defined_buffer(const WholeConv& conv, const Box& out) {
  std::vector<float> expected = conv.dst.memory;
  Extents at;
  for (at[Axis::N] = out[Axis::N].lo; at[Axis::N] < out[Axis::N].hi; ++at[Axis::N])
    for (at[Axis::C] = out[Axis::C].lo; at[Axis::C] < out[Axis::C].hi; ++at[Axis::C])
      for (at[Axis::D] = out[Axis::D].lo; at[Axis::D] < out[Axis::D].hi; ++at[Axis::D])
        for (at[Axis::H] = out[Axis::H].lo; at[Axis::H] < out[Axis::H].hi; ++at[Axis::H])
          for (at[Axis::W] = out[Axis::W].lo; at[Axis::W] < out[Axis::W].hi; ++at[Axis::W])
            expected[static_cast<std::size_t>(offset(conv.dst, at))] = stored(defined_value(conv, at), conv.dst_type);
  return expected;
}

/// Compares bits; all NaNs are equal.
::testing::AssertionResult have_equal_bits(const std::vector<float>& a, const std::vector<float>& b) {
  for (std::size_t k = 0; k < a.size(); ++k)
    if (std::memcmp(&a[k], &b[k], sizeof(float)) != 0 && !(std::isnan(a[k]) && std::isnan(b[k])))
      return ::testing::AssertionFailure() << "element " << k << ": " << std::hexfloat << a[k] << " and " << b[k];
  return ::testing::AssertionSuccess();
}

constexpr std::array sets{direct::InstructionSet::Portable, direct::InstructionSet::Avx2, direct::InstructionSet::Avx512};

/// FNV-1a, 64 bits, of the bits of floats; all NaNs are equal.
class Digest {
 public:
  void add(const std::vector<float>& values) {
    for (const float value : values) {
      const auto bits = std::bit_cast<std::uint32_t>(std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : value);
      for (unsigned shift = 0; shift < 32; shift += 8) hash_ = (hash_ ^ (bits >> shift & 0xFFU)) * 0x100000001B3U;
    }
  }
  std::string text() const {
    std::ostringstream out;
    out << std::hex << hash_;
    return out.str();
  }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325U;
};

/// Adds the results of the portable kernels to `digest`.
void expect_defined_bits(Random& random, const WholeConv& conv, Digest& digest) {
  for (int part = 0; part < 2; ++part) {
    const Box out = part == 0 ? Box::whole(conv.dst.layout.extents) : draw_box(random, conv.dst.layout.extents);
    std::optional<TestCall> call = call_of(conv, out);
    if (!call) continue;
    const std::vector<float> expected = defined_buffer(conv, out);
    const int threads = static_cast<int>(random.integer(1, 3));
    for (const direct::InstructionSet set : sets) {
      if (!direct::is_supported(set)) continue;
      const std::vector<float> found = run_under(set, threads, conv, *call);
      EXPECT_TRUE(have_equal_bits(expected, found)) << conv << ", part " << out << ", " << direct::name_of(set);
      if (set == direct::InstructionSet::Portable) digest.add(found);
    }
  }
}

void expect_defined_bits(int count, unsigned seed) {
  Random random(seed);
  Digest digest;
  for (int k = 0; k < count && !::testing::Test::HasFailure(); ++k) expect_defined_bits(random, draw_conv(random), digest);
  ::testing::Test::RecordProperty("digest", digest.text());
}

TEST(DirectConv, WholesAndPartsHaveTheBitsOfPlainLoops) { expect_defined_bits(400, 1); }

// For tests/aarch64.sh, which compares the digests of two CPUs.
TEST(DirectConv, TwoHundred) { expect_defined_bits(200, 3); }

TEST(DirectConv, TwentyThousand) { expect_defined_bits(20000, 2); }

}  // namespace
}  // namespace parconv::test
