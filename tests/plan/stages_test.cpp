// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "model/named_network_builder.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/plan/plan.hpp"

namespace parconv {
namespace {

using parconv::test::NamedNetworkBuilder;

/// A chain of 1x1 convolutions over 2 channels; node k costs in proportion to channels[k] * channels[k - 1].
Network chain(const std::vector<index_t>& channels) {
  NamedNetworkBuilder build;
  ValueId last = build.input("x", {{1, 1, 1, 4, 4}});
  for (std::size_t k = 0; k < channels.size(); ++k) last = build.conv(concat("v", k), last, channels[k], 1);
  return build.build({last});
}

std::vector<double> costs(const Network& network) {
  std::vector<double> result;
  for (const Node& node : network.nodes)
    result.push_back(flops(network, node, {Box::whole(network.value(node.output).extents), whole_contracted(network, node)}));
  return result;
}

double largest_sum(const std::vector<double>& cost, const std::vector<int>& stage_of) {
  std::vector<double> sums(cost.size(), 0);
  for (std::size_t k = 0; k < cost.size(); ++k) sums[static_cast<std::size_t>(stage_of[k])] += cost[k];
  return *std::max_element(sums.begin(), sums.end());
}

/// The smallest largest sum over all ways to cut nodes [begin, end) into `stages` non-empty runs.
double best_by_trying_all(const std::vector<double>& cost, std::size_t begin, int stages) {
  double run = 0;
  double best = 1e300;
  for (std::size_t end = begin + 1; end <= cost.size(); ++end) {
    run += cost[end - 1];
    const std::size_t left = cost.size() - end;
    if (stages == 1 && left > 0) continue;
    if (stages == 1) return run;
    if (left < static_cast<std::size_t>(stages) - 1) break;
    best = std::min(best, std::max(run, best_by_trying_all(cost, end, stages - 1)));
  }
  return best;
}

TEST(BalancedStages, LiteralRows) {
  EXPECT_EQ(balanced_stages(chain({4, 4, 4, 4}), 1), (std::vector<int>{0, 0, 0, 0}));
  EXPECT_EQ(balanced_stages(chain({4, 4, 4, 4, 4}), 5), (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(balanced_stages(chain({1, 1, 8, 8}), 2), (std::vector<int>{0, 0, 0, 1})) << "costs 1, 1, 8, 64";
  EXPECT_EQ(balanced_stages(chain({8, 8, 1, 1}), 3), (std::vector<int>{0, 1, 2, 2})) << "costs 8, 64, 8, 1";
}

TEST(BalancedStages, AreTheBestOfAllCuts) {
  std::mt19937 random(10);
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<index_t> channels(static_cast<std::size_t>(std::uniform_int_distribution<int>(1, 9)(random)));
    for (index_t& c : channels) c = std::uniform_int_distribution<index_t>(1, 6)(random);
    const Network network = chain(channels);
    const std::vector<double> cost = costs(network);
    for (int stages = 1; stages <= static_cast<int>(channels.size()); ++stages) {
      const std::vector<int> found = balanced_stages(network, stages);
      ASSERT_EQ(found.size(), cost.size());
      ASSERT_EQ(found.front(), 0);
      ASSERT_EQ(found.back(), stages - 1);
      for (std::size_t k = 1; k < found.size(); ++k) ASSERT_TRUE(found[k] == found[k - 1] || found[k] == found[k - 1] + 1);
      ASSERT_DOUBLE_EQ(largest_sum(cost, found), best_by_trying_all(cost, 0, stages)) << "trial " << trial << ", " << stages;
    }
  }
}

TEST(BalancedStages, RefusesMoreStagesThanNodes) { EXPECT_THROW(balanced_stages(chain({1, 1}), 3), Bug); }

}  // namespace
}  // namespace parconv
