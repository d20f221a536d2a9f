// SPDX-License-Identifier: Apache-2.0
// The code around the calls of a GPU convolution library, tested with a host library of configurable capabilities.
#include <gtest/gtest.h>

#include "compute/conv/conv_geometry.hpp"
#include "compute/conv/strided_block.hpp"
#include "compute/elements/host_executor.hpp"
#include "compute/local_op_random.hpp"
#include "compute/typed_call.hpp"
#include "support/compare.hpp"

namespace parconv::test {
namespace {

/// Capabilities that the library lacks.
struct Refusals {
  bool padding = false;
  bool epilogue = false;
  bool pitches = false;     ///< samples that are not contiguous
  bool activation = false;  ///< none but Relu
  bool wider_sums = false;  ///< of 16-bit values
};

/// Calls of the reference backend that check the guarantees on their operands.
class HostCall final : public ConvCall {
 public:
  HostCall(const StridedConv& conv, const ConvFilter& filter)
      : weights_(filter_channels_last(filter)), backend_(make_reference_backend()) {
    const Window& window = conv.window;
    const index_t ic = conv.src.extents[Axis::C] / conv.groups, oc = conv.dst.extents[Axis::C];
    const std::array<index_t, 3> kernel{window.axes[0].kernel, window.axes[1].kernel, window.axes[2].kernel};
    ChannelBlock block{.groups = conv.groups,
                       .src = {0, conv.src.extents[Axis::C]},
                       .dst = {0, oc},
                       .filter = {.oc = {0, oc}, .ic = {0, ic}, .kernel = {{{0, kernel[0]}, {0, kernel[1]}, {0, kernel[2]}}}}};
    LocalOp op{.kind = LocalConv{.window = window, .blocks = {block}},
               .epilogue = {.bias = {filter.bias.begin(), filter.bias.end()}, .activation = conv.activation},
               .srcs = {conv.src},
               .dst = conv.dst};
    EXPECT_EQ(conv.has_bias, !filter.bias.empty());
    if (conv.residual) {
      op.epilogue.residual = 1;
      op.srcs.push_back(*conv.residual);
    }
    const index_t taps = kernel[0] * kernel[1] * kernel[2];
    kernel_ = backend_->prepare(op, [&](const Filter&, const FilterBox&) { return taps_last(ic, taps); });
    has_residual_ = conv.residual.has_value();
  }

  void execute(const Operands& operands) override {
    const std::array<const std::byte*, 2> srcs{operands.src, operands.residual};
    for (const std::byte* operand : {operands.src, operands.residual, static_cast<const std::byte*>(operands.dst)})
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(operand) % 16, 0U);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(operands.workspace) % 256, 0U);
    EXPECT_NE(operands.residual, operands.dst);
    std::fill_n(operands.workspace, workspace_bytes(), std::byte{7});
    kernel_->execute(std::span(srcs).first(has_residual_ ? 2 : 1), operands.dst, nullptr);
  }
  std::size_t workspace_bytes() const override { return 100; }
  std::size_t resident_bytes() const override { return weights_.size() * sizeof(float); }
  std::string implementation() const override { return "host"; }

 private:
  std::vector<float> taps_last(index_t ic, index_t taps) const {
    std::vector<float> result;
    for (index_t o = 0; o < std::ssize(weights_) / (ic * taps); ++o)
      for (index_t i = 0; i < ic; ++i)
        for (index_t t = 0; t < taps; ++t) result.push_back(weights_[static_cast<std::size_t>((o * taps + t) * ic + i)]);
    return result;
  }

  std::vector<float> weights_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Kernel> kernel_{};
  bool has_residual_ = false;
};

class HostLibrary final : public ConvLibrary {
 public:
  explicit HostLibrary(const Refusals& refusals = {}) : refusals_(refusals) {}

  std::unique_ptr<ConvCall> make_call(const StridedConv& conv, const ConvFilter& filter) override {
    EXPECT_TRUE(is_dense_per_sample(conv.src) && is_dense_per_sample(conv.dst)) << to_string(conv);
    if (conv.residual) {
      EXPECT_TRUE(is_dense_per_sample(*conv.residual)) << to_string(conv);
    }
    if (refuses(conv)) return nullptr;
    ++calls;
    return std::make_unique<HostCall>(conv, filter);
  }
  bool fuses(const Activation& activation) const override {
    return !refusals_.activation || activation.kind == ActivationKind::Relu || activation.kind == ActivationKind::None;
  }
  std::unique_ptr<Kernel> make_kernel(const LocalOp& op) override { return element::make_element_kernel(op, HostExecutor{}); }
  void copy(ConstView src, View dst) override {
    ++copies;
    parconv::copy(src, dst);
  }
  void zero(std::byte* data, std::size_t size_bytes) override { std::fill_n(data, size_bytes, std::byte{0}); }

  int calls = 0;
  int copies = 0;

 private:
  bool refuses(const StridedConv& conv) const {
    const bool has_epilogue = conv.has_bias || conv.residual || conv.activation.kind != ActivationKind::None;
    const bool has_padding = conv.window.axes != without_padding(conv.window).axes;
    const bool has_pitches = !is_dense(conv.src) || !is_dense(conv.dst) || (conv.residual && !is_dense(*conv.residual));
    if (refusals_.wider_sums && conv.src.type != conv.dst.type) return true;
    return (refusals_.epilogue && has_epilogue) || (refusals_.padding && has_padding) || (refusals_.pitches && has_pitches);
  }

  Refusals refusals_;
};

std::unique_ptr<Kernel> prepare(TestCall& call, HostLibrary& library) {
  const FilterReader read = reader_of(call.filter);
  return std::holds_alternative<LocalDeconv>(call.op.kind) ? make_strided_deconv(call.op, read, library)
                                                           : make_strided_conv(call.op, read, library);
}

/// TypedCall aligns operands to 64 bytes, as an arena does; those of random calls have any offset.
void expect_reference(TestCall& call, HostLibrary& library, std::uint64_t k) {
  const auto expected = run(*make_reference_backend(), call);
  const auto kernel = prepare(call, library);
  TypedCall typed(call, DType::F32, DType::F32);
  ASSERT_TRUE(same_bits(typed.run(*kernel), expected)) << "call " << k << " by " << kernel->implementation();
}

class StridedConvs : public ::testing::TestWithParam<Refusals> {};

INSTANTIATE_TEST_SUITE_P(Libraries, StridedConvs,
                         ::testing::Values(Refusals{}, Refusals{.padding = true}, Refusals{.epilogue = true},
                                           Refusals{.pitches = true}, Refusals{.activation = true},
                                           Refusals{.padding = true, .epilogue = true, .pitches = true}));

TEST_P(StridedConvs, EqualTheReferenceBitForBit) {
  HostLibrary library(GetParam());
  for (std::uint64_t k = 0; k < 200; ++k) {
    TestCall call = LocalOpGenerator(k, Numbers::SmallIntegers).conv();
    expect_reference(call, library, k);
  }
  EXPECT_GT(library.calls, 200);
  EXPECT_GT(library.copies, 0);
}

TEST_P(StridedConvs, TransposedEqualTheReferenceBitForBit) {
  HostLibrary library(GetParam());
  for (std::uint64_t k = 0; k < 200; ++k) {
    TestCall call = LocalOpGenerator(k, Numbers::SmallIntegers).deconv();
    expect_reference(call, library, k);
  }
  EXPECT_GT(library.calls, 150);
}

TEST(StridedConv, SumsSixteenBitsInF32WhereTheLibraryOnlySumsF32) {
  HostLibrary library({.wider_sums = true});
  for (std::uint64_t k = 0; k < 200; ++k) {
    TestCall call = LocalOpGenerator(k, Numbers::SmallIntegers).conv();
    const auto expected = run(*make_reference_backend(), call);
    TypedCall typed(call, DType::BF16, DType::F32);
    const auto kernel = make_strided_conv(typed.op, reader_of(call.filter), library);
    ASSERT_TRUE(same_bits(typed.run(*kernel), expected)) << "call " << k << " by " << kernel->implementation();
    EXPECT_NE(kernel->implementation().find("copy in f32"), std::string::npos) << kernel->implementation();
  }
}

TEST(StridedConv, ResidualMayAliasTheResult) {
  int num_calls = 0;
  for (const Refusals& refusals : {Refusals{}, Refusals{.epilogue = true}, Refusals{.activation = true}})
    for (std::uint64_t k = 0; k < 200; ++k) {
      TestCall call = LocalOpGenerator(k, Numbers::SmallIntegers).conv();
      if (call.op.epilogue.residual < 0) continue;
      const auto residual = static_cast<std::size_t>(call.op.epilogue.residual);
      if (call.srcs[residual].layout != call.dst.layout) continue;
      HostLibrary library(refusals);
      const auto kernel = prepare(call, library);
      call.dst = call.srcs[residual];
      TypedOperand dst(call.dst, DType::F32);
      std::vector<TypedOperand> srcs;
      for (const TestOperand& src : call.srcs) srcs.emplace_back(src, DType::F32);
      std::vector<const std::byte*> operands;
      for (TypedOperand& src : srcs) operands.push_back(src.data());
      operands[residual] = dst.data();
      Scratch scratch(*kernel);
      kernel->execute(operands, dst.data(), scratch.data());
      EXPECT_TRUE(same_bits(dst.values(), run(*make_reference_backend(), call))) << "call " << k;
      ++num_calls;
    }
  EXPECT_GE(num_calls, 30);
}

/// A 3x3 convolution with padding 1 of an image, with the compiler's layout.
TestCall image_call(const Extents& extents, const Extents& margins = {{0, 0, 0, 0, 0}}) {
  TestCall call;
  LocalConv conv{.filter = {.oc = extents[Axis::C], .ic_per_group = extents[Axis::C], .kernel = {1, 3, 3}}};
  conv.window[Axis::H] = conv.window[Axis::W] = {.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  const Interval channels{0, extents[Axis::C]};
  conv.blocks = {
      {.src = channels, .dst = channels, .filter = {.oc = channels, .ic = channels, .kernel = {{{0, 1}, {0, 3}, {0, 3}}}}}};
  call.op.kind = conv;
  call.srcs.push_back(make_operand(extents, margins));
  call.dst = make_operand(extents);
  call.seal();
  return call;
}

std::optional<StridedBlock> first_plan(const TestCall& call) {
  return plan_strided_block(call.op, std::get<LocalConv>(call.op.kind).blocks.front(), {}, HostLibrary{});
}

TEST(StridedBlocks, UseDenseOperandsInPlace) {
  const auto block = first_plan(image_call({{2, 16, 1, 8, 10}}));
  EXPECT_FALSE(block->src.scratch || block->dst.scratch || block->behind);
  EXPECT_EQ(block->scratch_bytes, 0U);
}

TEST(StridedBlocks, UseRowsInsideAMargin) {
  EXPECT_FALSE(first_plan(image_call({{1, 16, 1, 8, 10}}, {{0, 0, 0, 2, 0}}))->src.scratch);
  EXPECT_FALSE(first_plan(image_call({{3, 16, 1, 8, 10}}, {{0, 0, 0, 2, 0}}))->src.scratch);
}

TEST(StridedBlocks, CopyColumnsAndUnalignedOperands) {
  EXPECT_TRUE(first_plan(image_call({{1, 16, 1, 8, 10}}, {{0, 0, 0, 0, 1}}))->src.scratch);
  EXPECT_TRUE(first_plan(image_call({{1, 3, 1, 8, 5}}, {{0, 0, 0, 2, 0}}))->src.scratch) << "a row of 60 bytes";
  EXPECT_FALSE(first_plan(image_call({{1, 3, 1, 8, 8}}, {{0, 0, 0, 2, 0}}))->src.scratch) << "a row of 96 bytes";
}

TEST(StridedBlocks, KnowTheAlignmentOfOperands) {
  const auto unit = [](const Extents& extents, const Extents& margins) {
    return place_unit(make_operand(extents, margins).layout);
  };
  EXPECT_EQ(unit({{2, 3, 1, 4, 5}}, {{0, 0, 0, 0, 0}}), 60);
  EXPECT_EQ(unit({{1, 3, 1, 4, 5}}, {{0, 0, 0, 1, 0}}), 15);
  EXPECT_EQ(unit({{1, 3, 1, 4, 5}}, {{0, 0, 0, 0, 1}}), 3);
  EXPECT_EQ(unit({{1, 3, 1, 4, 5}}, {{0, 1, 0, 0, 0}}), 1);
}

TEST(StridedBlocks, TreatAFullWindowAsChannels) {
  TestCall call = image_call({{4, 16, 1, 3, 3}});
  auto& conv = std::get<LocalConv>(call.op.kind);
  for (WindowAxis& axis : conv.window.axes) axis.pad_lo = axis.pad_hi = 0;
  call.dst = make_operand({{4, 16, 1, 1, 1}});
  call.seal();
  const auto block = first_plan(call);
  EXPECT_EQ(block->conv.src.extents, (Extents{{4, 144, 1, 1, 1}}));
  EXPECT_EQ(block->conv.window, Window{});
}

TEST(StridedConv, ReportsUnsupportedConvolutions) {
  class Nothing final : public ConvLibrary {
   public:
    std::unique_ptr<ConvCall> make_call(const StridedConv&, const ConvFilter&) override { return nullptr; }
    bool fuses(const Activation&) const override { return true; }
    std::unique_ptr<Kernel> make_kernel(const LocalOp&) override { return nullptr; }
    void copy(ConstView, View) override {}
    void zero(std::byte*, std::size_t) override {}
  } nothing;
  TestCall call = image_call({{1, 16, 1, 8, 10}});
  try {
    make_strided_conv(call.op, reader_of(call.filter), nothing);
    FAIL() << "made a kernel of nothing";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Unavailable);
    EXPECT_NE(std::string(error.what()).find("1x16x1x8x10 f32 -> 1x16x1x8x10 f32, kernel 1x3x3"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace parconv::test
