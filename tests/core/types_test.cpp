// SPDX-License-Identifier: Apache-2.0
#include "parconv/core/types.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace parconv {
namespace {

TEST(Types, SizesOfElements) {
  EXPECT_EQ(size_of(DType::F32), 4U);
  EXPECT_EQ(size_of(DType::BF16), 2U);
  EXPECT_EQ(size_of(DType::U8), 1U);
  EXPECT_EQ(size_of(DType::I64), 8U);
}

TEST(Types, NamesOfElements) {
  EXPECT_EQ(name_of(DType::F32), "f32");
  EXPECT_EQ(name_of(DType::U16), "u16");
  EXPECT_EQ(name_of(DType::I64), "i64");
}

TEST(Division, RoundsTowardsTheSideItIsNamedAfter) {
  for (index_t a = -20; a <= 20; ++a)
    for (index_t b = 1; b <= 7; ++b) {
      const double quotient = static_cast<double>(a) / static_cast<double>(b);
      EXPECT_EQ(ceil_div(a, b), static_cast<index_t>(std::ceil(quotient))) << a << " / " << b;
      EXPECT_EQ(floor_div(a, b), static_cast<index_t>(std::floor(quotient))) << a << " / " << b;
    }
}

TEST(Division, DoesNotOverflowAtTheLimits) {
  constexpr index_t highest = std::numeric_limits<index_t>::max();
  EXPECT_EQ(ceil_div(highest, 2), index_t{1} << 62);
  EXPECT_EQ(floor_div(-highest, 2), -(index_t{1} << 62));
}

}  // namespace
}  // namespace parconv
