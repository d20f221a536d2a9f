// The oneDNN backend against the reference, on random calls of every kind.
#include <gtest/gtest.h>

#include "compute/local_op_random.hpp"
#include "compute/onednn_backend.hpp"
#include "compute/onednn_conv_kernel.hpp"
#include "compute/typed_call.hpp"
#include "support/compare.hpp"

namespace parconv::test {
namespace {

using Generate = TestCall (LocalOpGenerator::*)();

struct KindCase {
  const char* name;
  Generate generate;
  int calls;
};

void PrintTo(const KindCase& kind, std::ostream* out) { *out << kind.name; }

class OnednnKinds : public ::testing::TestWithParam<KindCase> {};

INSTANTIATE_TEST_SUITE_P(
    All, OnednnKinds,
    ::testing::Values(KindCase{"conv", &LocalOpGenerator::conv, 400}, KindCase{"deconv", &LocalOpGenerator::deconv, 400},
                      KindCase{"pool", &LocalOpGenerator::pool, 200}, KindCase{"fill", &LocalOpGenerator::fill, 30},
                      KindCase{"copy", &LocalOpGenerator::copy, 100},
                      KindCase{"scale_shift", &LocalOpGenerator::scale_shift, 100}, KindCase{"sum", &LocalOpGenerator::sum, 200},
                      KindCase{"binary", &LocalOpGenerator::binary, 300}, KindCase{"row_sum", &LocalOpGenerator::row_sum, 100},
                      KindCase{"reduce", &LocalOpGenerator::reduce, 300}, KindCase{"lrn", &LocalOpGenerator::lrn, 200},
                      KindCase{"matmul", &LocalOpGenerator::matmul, 300}, KindCase{"softmax", &LocalOpGenerator::softmax, 100},
                      KindCase{"resample", &LocalOpGenerator::resample, 300},
                      KindCase{"rearrange", &LocalOpGenerator::rearrange, 400},
                      KindCase{"reshape", &LocalOpGenerator::reshape, 100}),
    [](const auto& kind) { return std::string(kind.param.name); });

/// From one bf16 to the next, in relation to the larger: two sums of f32 in other orders may be rounded to neighbours.
constexpr double bfloat16_step = 0x1p-7;

bool is_rounded(const LocalKind& kind) {
  return std::holds_alternative<LocalSoftmax>(kind) || std::holds_alternative<LocalLrn>(kind);
}

TEST_P(OnednnKinds, GivesTheReferencesBitsOnSmallIntegers) {
  const auto fast = make_onednn_backend(1);
  const auto reference = make_reference_backend();
  for (int k = 0; k < GetParam().calls; ++k) {
    LocalOpGenerator generator(static_cast<std::uint64_t>(k), Numbers::SmallIntegers);
    TestCall call = (generator.*GetParam().generate)();
    const auto kernel = fast->prepare(call.op, reader_of(call.filter));
    EXPECT_EQ(kernel->implementation().find("ref"), std::string::npos) << kernel->implementation();
    const auto expected = run(*reference, call);
    if (is_rounded(call.op.kind)) {
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
    LocalOpGenerator generator(1000 + static_cast<std::uint64_t>(k), Numbers::Reals);
    TestCall call = (generator.*GetParam().generate)();
    ASSERT_TRUE(all_near(run(*fast, call), run(*reference, call), 1e-5)) << "call " << k;
  }
}

/// The call on operands of bf16; every fourth result stays f32, as partial sums do.
TypedCall in_bfloat16(const TestCall& call, int number) {
  return {call, DType::BF16, number % 4 == 0 ? DType::F32 : DType::BF16};
}

/// Sums of small integers are exact, and rounded once by both alike.
TEST_P(OnednnKinds, GivesTheReferencesBitsOfBfloat16) {
  const auto fast = make_onednn_backend(1);
  const auto reference = make_reference_backend();
  for (int k = 0; k < GetParam().calls; ++k) {
    LocalOpGenerator generator(2000 + static_cast<std::uint64_t>(k), Numbers::SmallIntegers);
    TestCall call = (generator.*GetParam().generate)();
    TypedCall typed = in_bfloat16(call, k);
    const auto kernel = fast->prepare(typed.op, reader_of(call.filter));
    EXPECT_EQ(kernel->implementation().find("ref"), std::string::npos) << kernel->implementation();
    const auto actual = typed.run(*kernel), expected = typed.run(*reference->prepare(typed.op, reader_of(call.filter)));
    if (is_rounded(call.op.kind)) {
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
    LocalOpGenerator generator(3000 + static_cast<std::uint64_t>(k), Numbers::Reals);
    TestCall call = (generator.*GetParam().generate)();
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

TEST(OnednnConv, MayAddToAResidualInThePlaceOfTheResult) {
  const auto backend = make_onednn_backend(1);
  int num_calls = 0;
  for (std::uint64_t k = 0; k < 200; ++k) {
    TestCall call = LocalOpGenerator(k, Numbers::SmallIntegers).conv();
    if (call.op.finish.residual < 0) continue;
    const auto residual = static_cast<std::size_t>(call.op.finish.residual);
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

TEST(OnednnFold, SeesAWindowOverTheFullExtentAsPixels) {
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
