// SPDX-License-Identifier: Apache-2.0
// The oneDNN backend against the reference, on random calls of every kind.
#include <gtest/gtest.h>

#include "compute/kind_cases.hpp"
#include "compute/onednn/onednn_backend.hpp"
#include "compute/onednn/onednn_conv_kernel.hpp"
#include "compute/typed_call.hpp"
#include "support/compare.hpp"

namespace parconv::test {
namespace {

class OnednnKinds : public ::testing::TestWithParam<KindCase> {};

INSTANTIATE_TEST_SUITE_P(All, OnednnKinds, ::testing::ValuesIn(all_kinds()),
                         [](const auto& kind) { return std::string(kind.param.name); });

/// The relative distance of adjacent bf16 values: f32 sums in different orders may round to neighbours.
constexpr double bfloat16_step = 0x1p-7;

TEST_P(OnednnKinds, EqualsTheReferenceOnSmallIntegers) {
  const auto fast = make_onednn_backend(1);
  const auto reference = make_reference_backend();
  for (int k = 0; k < GetParam().calls; ++k) {
    TestCall call = draw_call(GetParam(), static_cast<std::uint64_t>(k), Numbers::SmallIntegers);
    const auto kernel = fast->prepare(call.op, reader_of(call.filter));
    EXPECT_EQ(kernel->implementation().find("ref"), std::string::npos) << kernel->implementation();
    const auto expected = run(*reference, call);
    if (GetParam().is_rounded) {
      ASSERT_TRUE(all_near(run(*kernel, call), expected, 1e-5)) << "call " << k;
    } else {
      ASSERT_TRUE(same_bits(run(*kernel, call), expected)) << "call " << k << " by " << kernel->implementation();
    }
  }
}

TEST_P(OnednnKinds, IsCloseToTheReferenceOnReals) {
  const auto fast = make_onednn_backend(2);
  const auto reference = make_reference_backend();
  for (int k = 0; k < GetParam().calls / 2; ++k) {
    TestCall call = draw_call(GetParam(), 1000 + static_cast<std::uint64_t>(k), Numbers::Reals);
    ASSERT_TRUE(all_near(run(*fast, call), run(*reference, call), 1e-5)) << "call " << k;
  }
}

/// The call on bf16 operands; every fourth result is f32, as partial sums are.
TypedCall in_bfloat16(const TestCall& call, int number) {
  return {call, DType::BF16, number % 4 == 0 ? DType::F32 : DType::BF16};
}

/// Sums of small integers are exact, and both backends round them once.
TEST_P(OnednnKinds, EqualsTheReferenceInBfloat16) {
  const auto fast = make_onednn_backend(1);
  const auto reference = make_reference_backend();
  for (int k = 0; k < GetParam().calls; ++k) {
    TestCall call = draw_call(GetParam(), 2000 + static_cast<std::uint64_t>(k), Numbers::SmallIntegers);
    TypedCall typed = in_bfloat16(call, k);
    const auto kernel = fast->prepare(typed.op, reader_of(call.filter));
    EXPECT_EQ(kernel->implementation().find("ref"), std::string::npos) << kernel->implementation();
    const auto actual = typed.run(*kernel), expected = typed.run(*reference->prepare(typed.op, reader_of(call.filter)));
    if (GetParam().is_rounded) {
      ASSERT_TRUE(all_near(actual, expected, bfloat16_step)) << "call " << k;
    } else {
      ASSERT_TRUE(same_bits(actual, expected)) << "call " << k << " by " << kernel->implementation();
    }
  }
}

TEST_P(OnednnKinds, IsCloseToTheReferenceOnRealsOfBfloat16) {
  const auto fast = make_onednn_backend(2);
  const auto reference = make_reference_backend();
  for (int k = 0; k < GetParam().calls / 2; ++k) {
    TestCall call = draw_call(GetParam(), 3000 + static_cast<std::uint64_t>(k), Numbers::Reals);
    TypedCall typed = in_bfloat16(call, k);
    const auto read = reader_of(call.filter);
    const auto actual = typed.run(*fast->prepare(typed.op, read)), expected = typed.run(*reference->prepare(typed.op, read));
    ASSERT_TRUE(all_near(actual, expected, bfloat16_step)) << "call " << k;
  }
}

TEST(OnednnConv, WithExplicitPaddingIsTheSame) {
  const auto reference = make_reference_backend();
  for (std::uint64_t k = 0; k < 100; ++k) {
    TestCall call = LocalOpGenerator(k, Numbers::SmallIntegers).conv();
    const auto kernel = onednn::make_conv_kernel(call.op, reader_of(call.filter), {.padding = onednn::Padding::Explicit});
    ASSERT_TRUE(same_bits(run(*kernel, call), run(*reference, call))) << "call " << k;
  }
}

TEST(OnednnConv, ResidualMayAliasTheResult) {
  const auto backend = make_onednn_backend(1);
  int num_calls = 0;
  for (std::uint64_t k = 0; k < 200; ++k) {
    TestCall call = LocalOpGenerator(k, Numbers::SmallIntegers).conv();
    if (call.op.epilogue.residual < 0) continue;
    const auto residual = static_cast<std::size_t>(call.op.epilogue.residual);
    if (call.srcs[residual].layout != call.dst.layout) continue;
    const auto kernel = backend->prepare(call.op, reader_of(call.filter));
    call.dst = call.srcs[residual];
    TestOperand dst = call.dst;
    auto srcs = pointers_of(call.srcs);
    srcs[residual] = dst.data();
    Scratch scratch(*kernel);
    kernel->execute(srcs, dst.data(), scratch.data());
    EXPECT_TRUE(same_bits(dst.memory, run(*kernel, call))) << "call " << k;
    ++num_calls;
  }
  EXPECT_GE(num_calls, 10);
}

TEST(OnednnBackend, RefusesTypesThatItDoesNotComputeIn) {
  TestCall call = LocalOpGenerator(1, Numbers::Reals).copy();
  call.op.dst.type = DType::F16;
  const auto backend = make_onednn_backend(1);
  EXPECT_THROW(backend->prepare(call.op, reader_of(call.filter)), Error);
  EXPECT_THROW(make_onednn_backend(0), Bug);
}

TEST(OnednnFold, TreatsAFullWindowAsPixels) {
  onednn::DenseConv conv{.n = 64, .ic = 512, .oc = 1000, .in = {1, 7, 7}};
  conv.window[Axis::H].kernel = conv.window[Axis::W].kernel = 7;
  const onednn::DenseConv expected{.ic = 512 * 49, .oc = 1000, .in = {1, 1, 64}, .out = {1, 1, 64}};
  EXPECT_EQ(onednn::folded(conv), expected);
}

TEST(OnednnFold, LaysASignalAlongW) {
  onednn::DenseConv conv{.n = 2, .ic = 3, .oc = 4, .in = {1, 9, 1}, .out = {1, 7, 1}};
  conv.window[Axis::H].kernel = 3;
  onednn::DenseConv expected = conv;
  expected.in = {1, 1, 9};
  expected.out = {1, 1, 7};
  expected.window = {};
  expected.window[Axis::W].kernel = 3;
  EXPECT_EQ(onednn::folded(conv), expected);
}

TEST(OnednnFold, PutsChannelsBehindTaps) {
  const std::vector<float> filter{0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112};  // 2 oc, 2 ic, 3 taps
  EXPECT_EQ(taps_before_channels(filter, 2, 3), (std::vector<float>{0, 10, 1, 11, 2, 12, 100, 110, 101, 111, 102, 112}));
}

}  // namespace
}  // namespace parconv::test
