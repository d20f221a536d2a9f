// Every operator under every split, computed by the backend that users get: bit for bit on small integers, and on reals the bits
// of one rank where that is promised.
#include <gtest/gtest.h>

#include "engine/operator_splits.hpp"

namespace parconv::test {
namespace {

using OperatorSplits = SplitTest;

TEST_F(OperatorSplits, SmallIntegersAreEqualToTheOracle) {
  const auto reference = make_reference_backend();
  for_each_network(Weights::SmallIntegers, [&](const SplitNetwork& item) {
    if (!keeps_integers(item.network)) return;
    std::vector<MemorySource> sources = sources_for(item.network, true);
    std::vector<HostTensor> last_batch;
    if (rank() == 0) last_batch = oracle_outputs(item.network, sources, micro_batches - 1, *reference);
    for (const Split& split : item.splits) {
      SCOPED_TRACE(to_string(split));
      const MemorySink sink = run_on_all({item.network, split}, sources);
      if (rank() != 0) continue;
      const auto expected = elements(last_batch[0]);
      EXPECT_TRUE(same_bits(elements(sink.tensor()).last(expected.size()), expected));
    }
  });
}

bool divides_channels(const Split& split) { return divides(split, GridAxis::F) || divides(split, GridAxis::C); }

TEST_F(OperatorSplits, RealsAreEqualToOneRank) {
  for_each_network(Weights::Reals, [&](const SplitNetwork& item) {
    std::vector<MemorySource> sources = sources_for(item.network, false);
    const MemorySink expected = run_alone({item.network}, sources);
    for (const Split& split : item.splits) {
      SCOPED_TRACE(to_string(split));
      expect_equal(run_on_all({item.network, split}, sources), expected, is_exact(split));
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
