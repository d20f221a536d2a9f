// SPDX-License-Identifier: Apache-2.0
// Failing cases of seeded defects are reduced to the smallest ones that have them.
#include "support/shrink.hpp"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>

#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

std::vector<index_t> random_list(Random& random) {
  std::vector<index_t> list(static_cast<std::size_t>(random.integer(0, 20)));
  for (index_t& value : list) value = random.integer(0, 1000);
  return list;
}

TEST(Random, ReplaysWhatWasRecorded) {
  Random recorded = Random::recorded(7);
  const std::vector<index_t> list = random_list(recorded);
  Random fork = recorded.fork();
  const bool is_rare = fork.once_in(2);
  Random again = Random::replayed(recorded.choices());
  EXPECT_EQ(random_list(again), list);
  EXPECT_EQ(again.fork().once_in(2), is_rare);
  EXPECT_EQ(again.choices(), recorded.choices());
}

TEST(Random, RecordingChangesNoNumber) {
  Random plain(11), recorded = Random::recorded(11);
  EXPECT_EQ(random_list(plain), random_list(recorded));
  EXPECT_EQ(plain.small_integers(9), recorded.small_integers(9));
  EXPECT_THROW(static_cast<void>(plain.choices()), Bug);
}

TEST(Random, AnyChoicesMakeACase) {
  Random random = Random::replayed({3, 5000});
  EXPECT_EQ(random_list(random), (std::vector<index_t>{1000, 0, 0}));
  EXPECT_EQ(random.choices(), (Choices{3, 1000, 0, 0})) << "as they were used";
}

TEST(FindCounterexample, FindsNoneWhereThePropertyHolds) {
  int runs = 0;
  const auto property = [&](Random& random) {
    ++runs;
    EXPECT_LE(random_list(random).size(), 20U);
  };
  EXPECT_FALSE(find_counterexample(property, {.count = 50}));
  EXPECT_EQ(runs, 50);
}

TEST(FindCounterexample, LowersAValueToTheFirstThatFails) {
  const auto property = [](Random& random) {
    for (index_t value : random_list(random)) EXPECT_LT(value, 617);
  };
  const auto found = find_counterexample(property, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->choices, (Choices{1, 617}));
  EXPECT_NE(found->message.find("617"), std::string::npos) << found->message;
  EXPECT_NE(found->place.find("shrink_test.cpp"), std::string::npos) << found->place;
}

TEST(FindCounterexample, KeepsWhatTheFailureNeeds) {
  const auto property = [](Random& random) {
    const std::vector<index_t> list = random_list(random);
    for (std::size_t k = 1; k < list.size(); ++k) EXPECT_FALSE(list[k - 1] >= 200 && list[k] > list[k - 1] + 50);
  };
  const auto found = find_counterexample(property, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->choices, (Choices{2, 200, 251}));
}

TEST(FindCounterexample, StaysAtTheSameFailure) {
  const auto property = [](Random& random) {
    const std::vector<index_t> list = random_list(random);
    ASSERT_LT(std::accumulate(list.begin(), list.end(), index_t{0}), 3000) << "the sum";
    EXPECT_LT(list.size(), 1U) << "the easier failure";
  };
  std::uint64_t seed = 1;
  while (find_counterexample(property, {.count = 1, .seed = seed, .max_reductions = 0})->message.find("sum") == std::string::npos)
    ++seed;
  const auto found = find_counterexample(property, {.count = 1, .seed = seed});
  EXPECT_NE(found->message.find("the sum"), std::string::npos) << found->message;
  EXPECT_EQ(std::accumulate(found->choices.begin() + 1, found->choices.end(), index_t{0}), 3000);
}

TEST(FindCounterexample, TakesExceptionsForFailures) {
  const auto property = [](Random& random) {
    if (random.integer(0, 99) >= 31) throw std::invalid_argument("too large");
  };
  const auto found = find_counterexample(property, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->choices, Choices{31});
  EXPECT_EQ(found->message, "too large");
}

Network network_of(Random& random) {
  const int num_nodes = static_cast<int>(random.integer(1, 12));
  return random_network(random.fork(), Weights::SmallIntegers, num_nodes);
}

/// A defect that shows only where a convolution goes in steps of two rows.
bool is_strided(const Node& node) {
  const auto* conv = std::get_if<Conv>(&node.op);
  return conv != nullptr && conv->window[Axis::H].stride >= 2;
}

TEST(FindCounterexample, ReducesANetworkToTheOperatorThatFails) {
  const auto property = [](Random& random) {
    const Network network = network_of(random);
    EXPECT_TRUE(std::none_of(network.nodes.begin(), network.nodes.end(), is_strided));
  };
  const auto found = find_counterexample(property, {});
  ASSERT_TRUE(found);
  Random random = Random::replayed(found->choices);
  const Network network = network_of(random);
  EXPECT_EQ(network.value(network.inputs[0]).extents, (Extents{{1, 1, 1, 2, 1}}));
  const auto strided = std::find_if(network.nodes.begin(), network.nodes.end(), is_strided);
  EXPECT_EQ(strided, network.nodes.begin());
  const auto& conv = std::get<Conv>(strided->op);
  EXPECT_EQ(conv.window[Axis::H], (WindowAxis{.stride = 2}));
  EXPECT_EQ(conv.filter.oc, 1);
  EXPECT_TRUE(strided->epilogue.bias.empty());
}

TEST(ForAll, ReportsTheFailureAndTheLineThatRepeatsTheCase) {
  const auto property = [](Random& random) { EXPECT_LT(random.integer(4, 900), 40); };
  EXPECT_NONFATAL_FAILURE(for_all(property, {}), "replay(property, {36});");
  EXPECT_NONFATAL_FAILURE(for_all(property, {}), "actual: 40 vs 40");
}

}  // namespace
}  // namespace parconv::test
