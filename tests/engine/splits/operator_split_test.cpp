// SPDX-License-Identifier: Apache-2.0
// Every operator under every split with the default backend: bit for bit on small integers, and on reals the bits of one rank
// where promised.
#include <gtest/gtest.h>

#include "engine/splits/operator_splits.hpp"

namespace parconv::test {
namespace {

using OperatorSplits = SplitTest;

TEST_F(OperatorSplits, SmallIntegersEqualTheOracle) {
  int exact = 0, near = 0;
  for_each_network(Weights::SmallIntegers, [&](const SplitNetwork& item) {
    ++(keeps_integers(item.network) ? exact : near);
    std::vector<MemorySource> sources = sources_for(item.network, true);
    const std::vector<HostTensor> expected = first_outputs(item.network, sources, micro_batches);
    for (const Split& split : item.splits) {
      SCOPED_TRACE(to_string(split));
      expect_oracle(item.network, run_on_all({item.network, split}, sources), expected);
    }
  });
  EXPECT_GT(exact, 2 * near) << "most operators keep integers";
}

bool divides_channels(const Split& split) { return divides(split, GridAxis::F) || divides(split, GridAxis::C); }

TEST_F(OperatorSplits, RealsAreEqualToOneRank) {
  for_each_network(Weights::Reals, [&](const SplitNetwork& item) {
    std::vector<MemorySource> sources = sources_for(item.network, false);
    const MemorySink expected = run_alone({item.network}, sources);
    for (const Split& split : item.splits) {
      SCOPED_TRACE(to_string(split));
      expect_equal(run_on_all({item.network, split}, sources), expected, is_exact(item.network, split));
    }
  });
}

TEST_F(OperatorSplits, OrderedSumsAreEqualToOneRank) {
  for_each_network(Weights::Reals, [&](const SplitNetwork& item) {
    std::vector<MemorySource> sources = sources_for(item.network, false);
    const MemorySink expected = run_alone({item.network, {}, ReduceMode::Ordered}, sources);
    for (const Split& split : item.splits) {
      if (!divides_channels(split)) continue;
      SCOPED_TRACE(to_string(split));
      expect_equal(run_on_all({item.network, split, ReduceMode::Ordered}, sources), expected, is_exact_in_order(split));
    }
  });
}

}  // namespace
}  // namespace parconv::test
