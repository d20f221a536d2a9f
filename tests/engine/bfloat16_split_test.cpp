// Every operator under every split in bf16: bit for bit on small integers, and on reals the bits of one rank where that is
// promised.
#include <gtest/gtest.h>

#include "engine/operator_splits.hpp"

namespace parconv::test {
namespace {

using Bfloat16Splits = SplitTest;

/// In relation to the largest value: input, weights and every value in between are rounded by up to 2^-8 of themselves.
constexpr double few_roundings = 0x1p-4;

/// Sums of small integers are exact in f32; every stored value is rounded once, on every number of ranks alike.
TEST_F(Bfloat16Splits, SmallIntegersAreEqualToTheOracle) {
  const auto reference = make_reference_backend();
  for_each_network(Weights::SmallIntegers, [&](const SplitNetwork& item) {
    if (!keeps_integers(item.network)) return;
    std::vector<MemorySource> sources = sources_for(item.network, true);
    std::vector<HostTensor> last_batch;
    if (rank() == 0) last_batch = oracle_outputs(item.network, sources, micro_batches - 1, *reference, DType::BF16);
    for (const Split& split : item.splits) {
      SCOPED_TRACE(to_string(split));
      const MemorySink sink = run_on_all({.network = item.network, .split = split, .type = DType::BF16}, sources);
      if (rank() != 0) continue;
      const auto expected = elements(last_batch[0]);
      EXPECT_TRUE(same_bits(elements(sink.tensor()).last(expected.size()), expected));
    }
  });
}

TEST_F(Bfloat16Splits, RealsAreEqualToOneRank) {
  for_each_network(Weights::Reals, [&](const SplitNetwork& item) {
    std::vector<MemorySource> sources = sources_for(item.network, false);
    const MemorySink expected = run_alone({.network = item.network, .type = DType::BF16}, sources);
    for (const Split& split : item.splits) {
      SCOPED_TRACE(to_string(split));
      const MemorySink actual = run_on_all({.network = item.network, .split = split, .type = DType::BF16}, sources);
      expect_equal(actual, expected, is_exact(split), DType::BF16);
    }
  });
}

/// The results are those of f32, as far as a few roundings go: nothing is kept in bf16 that needs more.
TEST_F(Bfloat16Splits, RealsAreCloseToF32) {
  for_each_network(Weights::Reals, [&](const SplitNetwork& item) {
    std::vector<MemorySource> sources = sources_for(item.network, false);
    const MemorySink exact = run_alone({item.network}, sources);
    const MemorySink rounded = run_alone({.network = item.network, .type = DType::BF16}, sources);
    EXPECT_TRUE(all_near(elements(rounded.tensor()), elements(exact.tensor()), few_roundings));
  });
}

}  // namespace
}  // namespace parconv::test
