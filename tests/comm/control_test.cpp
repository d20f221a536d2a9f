// SPDX-License-Identifier: Apache-2.0
// Collectives of Control: reductions, texts, nodes, groups.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "parconv/core/error.hpp"
#include "support/mpi_test.hpp"

namespace parconv {
namespace {

using test::control;
using test::num_ranks;
using test::rank;

TEST(Control, KnowsRanksAndHosts) {
  ASSERT_EQ(control().host_names().size(), static_cast<std::size_t>(num_ranks()));
  EXPECT_EQ(control().host_name(), control().host_names()[static_cast<std::size_t>(rank())]);
  EXPECT_FALSE(control().host_name().empty());
  EXPECT_TRUE(control().node_rank() >= 0 && control().node_rank() < control().node_size());
  EXPECT_LE(control().node_size(), num_ranks());
  const std::vector<int>& nodes = control().nodes();
  ASSERT_EQ(nodes.size(), static_cast<std::size_t>(num_ranks()));
  EXPECT_EQ(nodes.front(), 0);
  EXPECT_EQ(std::count(nodes.begin(), nodes.end(), nodes[static_cast<std::size_t>(rank())]), control().node_size());
  control().barrier();
}

TEST(Control, ReducesIntegers) {
  const index_t p = num_ranks();
  EXPECT_EQ(control().max(rank()), p - 1);
  EXPECT_EQ(control().min(rank() + 5), 5);
  EXPECT_EQ(control().sum(rank() + 1), p * (p + 1) / 2);
  EXPECT_EQ(control().max((index_t{1} << 60) + rank()), (index_t{1} << 60) + p - 1);
}

TEST(Control, ReducesDoubles) {
  EXPECT_EQ(control().max(0.5 * rank()), 0.5 * (num_ranks() - 1));
  EXPECT_EQ(control().min(-1.5F * static_cast<float>(rank())), -1.5 * (num_ranks() - 1));
  EXPECT_EQ(control().sum(0.25), 0.25 * num_ranks());
}

TEST(Control, ReducesEachElement) {
  std::array<index_t, 3> values{rank(), -rank(), 7};
  control().all_reduce(ReduceOp::Max, std::span<index_t>(values));
  EXPECT_EQ(values, (std::array<index_t, 3>{num_ranks() - 1, 0, 7}));
  control().all_reduce(ReduceOp::Sum, std::span<double>());
}

TEST(Control, BroadcastsTextsOfAnyRoot) {
  for (int root = 0; root < num_ranks(); ++root) {
    const std::string text = "from " + std::to_string(root) + std::string(static_cast<std::size_t>(root) * 1000, 'x');
    EXPECT_EQ(control().broadcast(rank() == root ? text : "not read", root), text);
  }
  EXPECT_EQ(control().broadcast(rank() == 0 ? "" : "not read"), "");
  EXPECT_EQ(control().broadcast(std::string("a\0b", 3)), std::string("a\0b", 3));
  EXPECT_THROW(control().broadcast("", num_ranks()), Bug);
}

TEST(Control, GathersTextsOfAllLengths) {
  const auto text_of = [](int r) { return std::string(static_cast<std::size_t>((r * 7) % 3) * 50, static_cast<char>('a' + r)); };
  const std::vector<std::string> texts = control().gather(text_of(rank()));
  ASSERT_EQ(texts.size(), rank() == 0 ? static_cast<std::size_t>(num_ranks()) : 0U);
  for (std::size_t r = 0; r < texts.size(); ++r) EXPECT_EQ(texts[r], text_of(static_cast<int>(r)));
}

TEST(Control, AllGathersTexts) {
  const auto text_of = [](int r) {
    return r % 3 == 1 ? std::string() : std::string(static_cast<std::size_t>(r) + 1, 'a') + "\n;";
  };
  const std::vector<std::string> texts = control().all_gather(text_of(rank()));
  ASSERT_EQ(texts.size(), static_cast<std::size_t>(num_ranks()));
  for (std::size_t r = 0; r < texts.size(); ++r) EXPECT_EQ(texts[r], text_of(static_cast<int>(r)));
}

TEST(Control, ComparesTexts) {
  EXPECT_TRUE(control().all_equal("same"));
  EXPECT_EQ(control().all_equal(std::to_string(rank())), num_ranks() == 1);
  EXPECT_EQ(control().all_equal(rank() == num_ranks() - 1 ? "samf" : "same"), num_ranks() == 1);
}

TEST(Control, SplitsIntoGroups) {
  Control half = control().split(rank() % 2);
  EXPECT_EQ(half.size(), rank() % 2 == 0 ? (num_ranks() + 1) / 2 : num_ranks() / 2);
  EXPECT_EQ(half.rank(), rank() / 2);
  EXPECT_EQ(half.min(rank()), rank() % 2);
  EXPECT_NE(half.native_handle(), control().native_handle());
}

}  // namespace
}  // namespace parconv
