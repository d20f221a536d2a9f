// SPDX-License-Identifier: Apache-2.0
#include "parconv/core/checked.hpp"

#include <gmock/gmock.h>

#include <array>
#include <limits>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

constexpr index_t highest = std::numeric_limits<index_t>::max();
constexpr index_t lowest = std::numeric_limits<index_t>::min();

TEST(Checked, AddsUpToTheLimits) {
  EXPECT_EQ(checked_add(2, 3), 5);
  EXPECT_EQ(checked_add(highest - 1, 1), highest);
  EXPECT_EQ(checked_add(lowest + 1, -1), lowest);
}

TEST(Checked, RejectsOverflowingSums) {
  EXPECT_THROW(checked_add(highest, 1), Error);
  EXPECT_THROW(checked_add(lowest, -1), Error);
}

TEST(Checked, MultipliesUpToTheLimits) {
  EXPECT_EQ(checked_mul(index_t{1} << 31, index_t{1} << 31), index_t{1} << 62);
  EXPECT_EQ(checked_mul(-1, highest), -highest);
  EXPECT_EQ(checked_mul(0, highest), 0);
}

TEST(Checked, RejectsOverflowingProducts) {
  EXPECT_THROW(checked_mul(index_t{1} << 32, index_t{1} << 31), Error);
  EXPECT_THROW(checked_mul(-1, lowest), Error);
}

TEST(Checked, EmptyProductIsOne) { EXPECT_EQ(checked_product({}), 1); }

TEST(Checked, NamesTheQuantityThatOverflows) {
  const std::array<index_t, 3> factors{index_t{1} << 40, 2, index_t{1} << 30};
  try {
    checked_product(factors, "elements of 'x'");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::BadData);
    EXPECT_THAT(error.what(), testing::HasSubstr("elements of 'x': 2199023255552 * 1073741824 does not fit in 64 bits"));
  }
}

}  // namespace
}  // namespace parconv
