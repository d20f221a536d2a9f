// SPDX-License-Identifier: Apache-2.0
// The element functions of GPUs, run in plain loops on the host: against the reference and the CPU kernels, in every type.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "compute/cpu/cpu_kernels.hpp"
#include "compute/elements/host_executor.hpp"
#include "compute/kind_cases.hpp"
#include "compute/typed_call.hpp"
#include "parconv/model/activation.hpp"
#include "support/compare.hpp"

namespace parconv::test {
namespace {

class ElementKinds : public ::testing::TestWithParam<KindCase> {};

INSTANTIATE_TEST_SUITE_P(All, ElementKinds, ::testing::ValuesIn(kinds_without_filter()),
                         [](const auto& kind) { return std::string(kind.param.name); });

std::unique_ptr<Kernel> host_kernel(const LocalOp& op) { return element::make_element_kernel(op, HostExecutor{}); }

TEST_P(ElementKinds, EqualTheReferenceOnSmallIntegers) {
  const auto reference = make_reference_backend();
  for (int k = 0; k < GetParam().calls; ++k) {
    TestCall call = draw_call(GetParam(), static_cast<std::uint64_t>(k), Numbers::SmallIntegers);
    const auto kernel = host_kernel(call.op);
    EXPECT_EQ(kernel->implementation(), concat("host:", name_of(call.op.kind)));
    ASSERT_TRUE(same_bits(run(*kernel, call), run(*reference, call))) << "call " << k;
  }
}

TEST_P(ElementKinds, EqualTheReferenceOnReals) {
  const auto reference = make_reference_backend();
  for (int k = 0; k < GetParam().calls / 2; ++k) {
    TestCall call = draw_call(GetParam(), 1000 + static_cast<std::uint64_t>(k), Numbers::Reals);
    ASSERT_TRUE(same_bits(run(*host_kernel(call.op), call), run(*reference, call))) << "call " << k;
  }
}

/// 16-bit types represent small integers exactly, so only the result is rounded.
TEST_P(ElementKinds, ComputeInF32AndRoundOnce) {
  const auto reference = make_reference_backend();
  for (int k = 0; k < GetParam().calls / 2; ++k)
    for (const auto& [src_type, dst_type] :
         {std::pair{DType::BF16, DType::BF16}, {DType::F16, DType::F16}, {DType::F16, DType::F32}, {DType::F32, DType::BF16}}) {
      TestCall call = draw_call(GetParam(), 2000 + static_cast<std::uint64_t>(k), Numbers::SmallIntegers);
      TypedCall typed(call, src_type, dst_type);
      const auto expected = rounded(run(*reference, call), dst_type);
      const auto actual = typed.run(*host_kernel(typed.op));
      if (GetParam().is_rounded) {
        ASSERT_TRUE(all_near(actual, expected, 1e-2)) << "call " << k;
      } else {
        ASSERT_TRUE(same_bits(actual, expected)) << "call " << k << " from " << name_of(src_type) << " to " << name_of(dst_type);
      }
    }
}

OperandLayout layout_in(const Extents& inner, const Extents& outer, DType type = DType::F32) {
  return layout_within(Box::whole(inner), Box::whole(outer), type);
}

LocalOp copy_of(const OperandLayout& src, const OperandLayout& dst) {
  return {.kind = LocalCopy{}, .epilogue = {}, .srcs = {src}, .dst = dst};
}

/// GPUs have their own copy of these functions; on the host both have equal bits, even for NaN.
TEST(ElementFunctions, BinaryOnesEqualTheModel) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> numbers{0.0F, -0.0F, 1.0F, -2.5F, 3.0F, 1e-40F, 3e38F, infinity, -infinity, std::nanf("")};
  for (const BinaryKind kind : {BinaryKind::Mul, BinaryKind::Sub, BinaryKind::Div, BinaryKind::Max, BinaryKind::Min,
                                BinaryKind::PRelu, BinaryKind::Pow, BinaryKind::Equal, BinaryKind::Greater,
                                BinaryKind::GreaterOrEqual, BinaryKind::Reaches, BinaryKind::Keep, BinaryKind::Drop})
    for (const float a : numbers)
      for (const float b : numbers) {
        const float actual = element::combined(kind, a, b), expected = parconv::combined(kind, a, b);
        if (std::isnan(expected)) {
          EXPECT_TRUE(std::isnan(actual)) << static_cast<int>(kind) << " of " << a << " and " << b;
        } else {
          EXPECT_TRUE(same_bits({&actual, 1}, {&expected, 1})) << static_cast<int>(kind) << " of " << a << " and " << b;
        }
      }
}

TEST(Extremes, AreThoseOfIeee754) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::nanf("");
  const std::vector<float> ascending{-infinity, -3e38F, -1.0F, -1e-40F, -0.0F, 0.0F, 1e-40F, 2.5F, infinity};
  for (std::size_t a = 0; a < ascending.size(); ++a)
    for (std::size_t b = 0; b < ascending.size(); ++b) {
      const float largest = maximum(ascending[a], ascending[b]), smallest = minimum(ascending[a], ascending[b]);
      EXPECT_TRUE(same_bits({&largest, 1}, {&ascending[std::max(a, b)], 1})) << ascending[a] << " " << ascending[b];
      EXPECT_TRUE(same_bits({&smallest, 1}, {&ascending[std::min(a, b)], 1})) << ascending[a] << " " << ascending[b];
    }
  for (const float number : ascending)
    for (const float result : {maximum(nan, number), maximum(number, nan), minimum(nan, number), minimum(number, nan)})
      EXPECT_TRUE(std::isnan(result)) << number;
}

TEST(ElementVectors, AreAsWideAsStridesAllow) {
  const Extents whole{{2, 32, 1, 4, 5}}, narrow{{2, 24, 1, 4, 5}}, odd{{2, 32, 1, 4, 5}}, odd_pitch{{2, 33, 1, 4, 5}};
  const auto width = [](const OperandLayout& src, const OperandLayout& dst) { return widest_vector(dst, {&src, 1}); };
  EXPECT_EQ(width(layout_in(whole, whole), layout_in(whole, whole)), 4);
  EXPECT_EQ(width(layout_in(whole, whole, DType::F16), layout_in(whole, whole)), 8);
  EXPECT_EQ(width(layout_in(narrow, whole, DType::BF16), layout_in(narrow, narrow, DType::BF16)), 8);
  EXPECT_EQ(width(layout_in(odd, odd_pitch), layout_in(odd, odd)), 1);
  const Extents pixels{{2, 3, 1, 4, 5}};
  EXPECT_EQ(width(layout_in(pixels, pixels), layout_in(pixels, pixels)), 1);
}

TEST(ElementVectors, AreSingleAtAddressesThatAreNotMultiples) {
  const Extents extents{{1, 8, 1, 1, 2}};
  const OperandLayout layout = layout_in(extents, extents);
  alignas(64) std::array<float, 20> memory{};
  const auto* const bytes = reinterpret_cast<const std::byte*>(memory.data());
  EXPECT_TRUE(is_aligned(bytes, layout, 4));
  EXPECT_FALSE(is_aligned(bytes + 4, layout, 4));
  memory = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  std::array<float, 16> result{};
  const auto kernel = host_kernel(copy_of(layout, layout));
  const std::array srcs{bytes + 4};
  kernel->execute(srcs, reinterpret_cast<std::byte*>(result.data()), nullptr);
  for (std::size_t k = 0; k < result.size(); ++k) EXPECT_EQ(result[k], static_cast<float>(k + 1));
}

TEST(Divisors, DivideAsDivisionDoes) {
  Random random(3);
  std::vector<index_t> divisors{1, 2, 3, 4, 5, 7, 64, 100, 1000003, (index_t{1} << 40) - 1, (index_t{1} << 61) + 1};
  for (int k = 0; k < 200; ++k) divisors.push_back(random.integer(1, index_t{1} << random.integer(1, 61)));
  for (const index_t divisor : divisors) {
    const Divisor by(divisor);
    std::vector<index_t> numbers{0, 1, divisor - 1, divisor, divisor + 1, std::numeric_limits<index_t>::max()};
    for (index_t multiple = 1; multiple < 50; ++multiple)
      if (divisor < (index_t{1} << 57)) numbers.insert(numbers.end(), {multiple * divisor - 1, multiple * divisor});
    for (int k = 0; k < 50; ++k) numbers.push_back(random.integer(0, std::numeric_limits<index_t>::max() - 1));
    for (const index_t number : numbers) {
      index_t quotient = number;
      EXPECT_EQ(by.take_remainder(quotient), number % divisor) << number << " by " << divisor;
      EXPECT_EQ(quotient, number / divisor) << number << " by " << divisor;
    }
  }
}

TEST(ElementIndexMap, VisitABoxOnceInMemoryOrder) {
  const Extents extents{{2, 8, 3, 5, 7}};
  for (const int width : {1, 4, 8}) {
    const IndexMap indices(extents, width);
    ASSERT_EQ(indices.count(), volume(extents) / width);
    const Elements dense = elements_of<std::byte>(layout_in(extents, extents));
    for (index_t k = 0; k < indices.count(); ++k) ASSERT_EQ(dense.offset(indices.at(k)), k * width);
  }
}

TEST(ElementKernels, RejectUnsupportedKinds) {
  TestCall conv = LocalOpGenerator(1, Numbers::Reals).conv();
  EXPECT_THROW(host_kernel(conv.op), Error);
  TestCall copy = LocalOpGenerator(1, Numbers::Reals).copy();
  copy.op.dst.type = DType::U8;
  EXPECT_THROW(host_kernel(copy.op), Error);
}

/// A sum of `count` operands, some of them broadcast, with a residual and an epilogue.
TestCall long_sum(std::uint64_t seed, int count, bool has_residual, Numbers numbers) {
  Random random(seed);
  const Extents out{{2, random.integer(0, 1) == 0 ? 8 : 5, 1, 3, 4}};
  TestCall call;
  call.op.kind = LocalSum{};
  for (int k = 0; k < count; ++k) {
    Extents src = out;
    for (const Axis axis : all_axes)
      if (random.once_in(5)) src[axis] = 1;
    call.srcs.push_back(make_operand(src, {{0, random.integer(0, 1), 0, 1, 0}}));
  }
  if (has_residual) {
    call.op.epilogue.residual = static_cast<int>(random.integer(0, count));
    call.srcs.insert(call.srcs.begin() + call.op.epilogue.residual, make_operand(out));
  }
  for (TestOperand& src : call.srcs) fill(random, src, numbers);
  call.op.epilogue.bias = draw(random, out[Axis::C], numbers);
  call.op.epilogue.activation = {.kind = ActivationKind::LeakyRelu, .alpha = 0.5F};
  call.dst = make_operand(out, {{0, 1, 0, 0, 1}});
  call.seal();
  return call;
}

constexpr int sizes_of_sums[] = {31, 32, 33, 34, 63, 64, 65, 100, 500};

TEST(LongSums, HaveTheBitsOfTheHostsOrderOnReals) {
  for (const int count : sizes_of_sums)
    for (const bool has_residual : {false, true}) {
      TestCall call = long_sum(static_cast<std::uint64_t>(count), count, has_residual, Numbers::Reals);
      const auto kernel = host_kernel(call.op);
      EXPECT_EQ(kernel->implementation(), "host:sum");
      EXPECT_EQ(kernel->scratch_bytes() > 0, count > 32);
      ASSERT_TRUE(same_bits(run(*kernel, call), run(*make_cpu_kernel(call.op), call))) << count << " operands";
    }
}

TEST(LongSums, AreRoundedOnceInEveryType) {
  const auto reference = make_reference_backend();
  for (const int count : sizes_of_sums)
    for (const auto& [src_type, dst_type] :
         {std::pair{DType::BF16, DType::BF16}, {DType::F16, DType::F16}, {DType::F16, DType::F32}, {DType::F32, DType::BF16}}) {
      TestCall call = long_sum(static_cast<std::uint64_t>(count) + 7, count, true, Numbers::SmallIntegers);
      for (TestOperand& src : call.srcs)
        for (float& number : src.memory) number += 100;  // sums need more digits than 16-bit types have
      TypedCall typed(call, src_type, dst_type);
      const auto expected = rounded(run(*reference, call), dst_type);
      ASSERT_TRUE(same_bits(typed.run(*host_kernel(typed.op)), expected)) << count << " to " << name_of(dst_type);
    }
}

/// As a reduction that writes its result over a partial sum.
TEST(LongSums, ResultMayAliasAnyOperand) {
  for (const std::size_t place : {0U, 31U, 32U, 64U, 69U}) {
    TestCall call = long_sum(9, 70, false, Numbers::Reals);
    call.srcs[place] = make_operand(call.dst.layout.extents);
    Random random(10);
    fill(random, call.srcs[place], Numbers::Reals);
    call.dst = call.srcs[place];
    call.seal();
    const auto expected = run(*make_cpu_kernel(call.op), call);
    const auto kernel = host_kernel(call.op);
    Scratch scratch(*kernel);
    kernel->execute(pointers_of(call.srcs), call.srcs[place].data(), scratch.data());
    ASSERT_TRUE(same_bits(call.srcs[place].memory, expected)) << place;
  }
}

TEST(LongSums, AreChainsOfShortOnes) {
  LocalOp op = copy_of(layout_in({{1, 4, 1, 1, 1}}, {{1, 4, 1, 1, 1}}), layout_in({{1, 4, 1, 1, 1}}, {{1, 4, 1, 1, 1}}));
  op.kind = LocalSum{};
  op.srcs.resize(9, op.srcs.front());
  op.epilogue.residual = 2;
  const std::vector<SumLink> links = sum_links(op, 3);
  constexpr int so_far = SumLink::carried;
  const std::vector<std::vector<int>> expected{{0, 1, 3}, {so_far, 4, 5}, {so_far, 6, 7}, {so_far, 8, 2}};
  ASSERT_EQ(links.size(), expected.size());
  for (std::size_t k = 0; k < links.size(); ++k) {
    EXPECT_EQ(links[k].srcs, expected[k]);
    EXPECT_EQ(links[k].is_last, k == 3);
    EXPECT_EQ(links[k].op.epilogue.residual, k == 3 ? 2 : -1);
  }
}

}  // namespace
}  // namespace parconv::test
