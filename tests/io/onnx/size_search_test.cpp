// SPDX-License-Identifier: Apache-2.0
// The search for sizes that fit, against exhaustive search.
#include "io/onnx/fit/size_search.hpp"

#include <gtest/gtest.h>

#include "support/random.hpp"

namespace parconv {
namespace {

using Sizes = std::vector<index_t>;

/// Axis k fits at multiples of steps[k] that are at least least[k].
SizesFit multiples_of(Sizes steps, Sizes least = {}) {
  return [steps = std::move(steps), least = std::move(least)](std::span<const index_t> sizes) {
    for (std::size_t k = 0; k < sizes.size(); ++k)
      if (sizes[k] % steps[k] != 0 || (!least.empty() && sizes[k] < least[k])) return false;
    return true;
  };
}

TEST(SizeSearch, BothNeighboursOfOneAxis) {
  const std::vector<NearSizes> near = nearest_sizes(Sizes{500}, multiples_of({16}));
  ASSERT_EQ(near.size(), 1U);
  EXPECT_TRUE(near[0].is_misfit());
  EXPECT_EQ(near[0].below, 496);
  EXPECT_EQ(near[0].above, 512);
}

TEST(SizeSearch, AnAxisThatFitsIsNoMisfit) {
  const std::vector<NearSizes> near = nearest_sizes(Sizes{500, 333}, multiples_of({4, 32}));
  ASSERT_EQ(near.size(), 2U);
  EXPECT_FALSE(near[0].is_misfit());
  EXPECT_EQ(near[1].below, 320);
  EXPECT_EQ(near[1].above, 352);
}

TEST(SizeSearch, NothingBelowTheLeastSize) {
  const std::vector<NearSizes> near = nearest_sizes(Sizes{3}, multiples_of({16}));
  ASSERT_EQ(near.size(), 1U);
  EXPECT_EQ(near[0].below, std::nullopt);
  EXPECT_EQ(near[0].above, 16);
  EXPECT_EQ(near[0].next, 32);
}

TEST(SizeSearch, OneSizeForAll) {
  const SizesFit is_224 = [](std::span<const index_t> sizes) { return sizes[0] == 224 && sizes[1] == 224; };
  const std::vector<NearSizes> near = nearest_sizes(Sizes{200, 230}, is_224);
  ASSERT_EQ(near.size(), 2U);
  EXPECT_EQ(near[0].above, 224);
  EXPECT_EQ(near[0].next, std::nullopt);
  EXPECT_EQ(near[1].below, 224);
  EXPECT_EQ(near[1].above, std::nullopt);
}

TEST(SizeSearch, NothingNear) {
  EXPECT_TRUE(nearest_sizes(Sizes{500}, multiples_of({4096})).empty());
  EXPECT_TRUE(nearest_sizes(Sizes{20, 400}, multiples_of({1000, 1})).empty());
}

TEST(SizeSearch, TheNumberOfTestsIsBounded) {
  index_t tests = 0;
  const SizesFit never = [&](std::span<const index_t>) {
    ++tests;
    return false;
  };
  EXPECT_TRUE(nearest_sizes(Sizes{500, 500}, never, {.max_tests = 20}).empty());
  EXPECT_EQ(tests, 20);
}

TEST(SizeSearch, RandomStepsAgainstExhaustiveSearch) {
  test::Random random(11);
  for (int round = 0; round < 200; ++round) {
    Sizes wanted, steps, least;
    for (index_t k = random.integer(1, 3); k > 0; --k) {
      wanted.push_back(random.integer(1, 200));
      steps.push_back(index_t{1} << random.integer(0, 5));
      least.push_back(random.integer(1, 40));
    }
    const std::vector<NearSizes> near = nearest_sizes(wanted, multiples_of(steps, least));
    ASSERT_EQ(near.size(), wanted.size());
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      const auto fits = [&](index_t size) { return size % steps[k] == 0 && size >= least[k]; };
      index_t above = wanted[k], below = wanted[k] - 1;
      while (!fits(above)) ++above;
      while (below > 0 && !fits(below)) --below;
      EXPECT_EQ(near[k].above, above);
      EXPECT_EQ(near[k].below.value_or(0), below);
    }
  }
}

}  // namespace
}  // namespace parconv
