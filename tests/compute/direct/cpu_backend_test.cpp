// SPDX-License-Identifier: Apache-2.0
// The backend cpu has the bits of the reference: random calls of every kind, on real numbers.
#include <gtest/gtest.h>

#include "compute/cpu/cpu_activation.hpp"
#include "compute/cpu/cpu_kernels.hpp"
#include "compute/kind_cases.hpp"
#include "compute/typed_call.hpp"
#include "support/compare.hpp"

namespace parconv::test {
namespace {

class CpuKinds : public ::testing::TestWithParam<KindCase> {};

INSTANTIATE_TEST_SUITE_P(All, CpuKinds, ::testing::ValuesIn(all_kinds()),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST_P(CpuKinds, HaveTheBitsOfTheReference) {
  const auto reference = make_reference_backend();
  for (const int threads : {1, 2}) {
    const auto backend = make_backend({.name = "cpu", .threads = threads});
    EXPECT_TRUE(backend->has_reference_bits() && reference->has_reference_bits());
    for (int k = 0; k < GetParam().calls; ++k) {
      TestCall call = draw_call(GetParam(), static_cast<std::uint64_t>(k), Numbers::Reals);
      ASSERT_TRUE(same_bits(run(*backend, call), run(*reference, call))) << "call " << k;
    }
  }
}

TEST_P(CpuKinds, HaveTheBitsOfTheReferenceIn16Bits) {
  const auto reference = make_reference_backend();
  for (const DType type : {DType::BF16, DType::F16}) {
    const auto backend = make_backend({.name = "cpu", .type = type});
    for (int k = 0; k < GetParam().calls; ++k) {
      TestCall call = draw_call(GetParam(), 1000 + static_cast<std::uint64_t>(k), Numbers::Reals);
      TypedCall typed(call, type, k % 4 == 0 ? DType::F32 : type);
      const auto read = reader_of(call.filter);
      const auto found = typed.run(*backend->prepare(typed.op, read));
      ASSERT_TRUE(same_bits(found, typed.run(*reference->prepare(typed.op, read)))) << "call " << k << " in " << name_of(type);
    }
  }
}

TEST_P(CpuKinds, DoNotDependOnThreads) {
  if (GetParam().has_filter) GTEST_SKIP() << "threads of convolutions: direct_conv_test";
  const auto reference = make_reference_backend();
  for (int k = 0; k < GetParam().calls; ++k) {
    TestCall call = draw_call(GetParam(), 2000 + static_cast<std::uint64_t>(k), Numbers::Reals);
    const auto kernel = make_cpu_kernel(call.op, {.count = 3, .least_elems = 0});
    const auto expected = run(*reference, call);
    for (int times = 0; times < 2; ++times) ASSERT_TRUE(same_bits(run(*kernel, call), expected)) << "call " << k;
  }
}

TEST(CpuThreads, DivideAllRowsOfAnActivation) {
  const Extents extents{{2, 8, 3, 40, 41}};
  const std::vector<float> numbers = Random(1).reals(volume(extents));
  const Activation activation{.kind = ActivationKind::Silu};
  const OperandLayout dense = layout_within(Box::whole(extents), Box::whole(extents));
  std::vector<float> one = numbers, several = numbers;
  cpu::activate_operand(one.data(), extents, dense.strides, activation, 1);
  cpu::activate_operand(several.data(), extents, dense.strides, activation, 3);
  EXPECT_TRUE(same_bits(several, one));
  EXPECT_NE(one, numbers);
}

TEST(CpuThreads, AreAsManyAsThereAreUnitsAndPay) {
  EXPECT_EQ(threads_for(7, 100'000, {.count = 4}), 4);
  EXPECT_EQ(threads_for(3, 100'000, {.count = 4}), 3);
  EXPECT_EQ(threads_for(7, 1'000, {.count = 4}), 1);
  EXPECT_EQ(equal_part(7, 0, 3), (Interval{0, 2}));
  EXPECT_EQ(equal_part(7, 2, 3), (Interval{4, 7}));
}

}  // namespace
}  // namespace parconv::test
