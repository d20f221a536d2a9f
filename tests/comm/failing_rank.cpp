// SPDX-License-Identifier: Apache-2.0
// Fails on purpose on the last rank, to check that the harness detects it. CTest runs one test at a time with --gtest_filter.
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "support/mpi_test.hpp"

namespace parconv {
namespace {

bool is_last() { return test::rank() == test::num_ranks() - 1; }

// The control: the same program succeeds if no rank fails.
TEST(FailingRank, Passes) { EXPECT_EQ(test::control().sum(1), test::num_ranks()); }

TEST(FailingRank, ExpectsInVain) { EXPECT_FALSE(is_last()) << "on purpose"; }

TEST(FailingRank, ThrowsBeforeACollective) {
  if (is_last()) throw std::runtime_error("on purpose");
  test::control().barrier();
}

TEST(FailingRank, AssertsBeforeACollective) {
  ASSERT_FALSE(is_last()) << "on purpose";
  test::control().barrier();
}

TEST(FailingRank, Hangs) {
  while (is_last()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  test::control().barrier();
}

}  // namespace
}  // namespace parconv
