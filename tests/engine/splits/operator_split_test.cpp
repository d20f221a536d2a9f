// SPDX-License-Identifier: Apache-2.0
// Every operator under every split with the default backend: bit for bit on small integers, and on reals the bits of one rank
// where promised.
#include <gtest/gtest.h>

#include <limits>

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
      expect_equal(run_on_all({item.network, split}, sources), expected, is_exact(item.network, split, num_ranks()));
    }
  });
}

TEST_F(OperatorSplits, FineLeavesAreEqualToOneRank) {
  for_each_network(Weights::Reals, [&](SplitNetwork item) {
    set_leaf_rule(item.network, LeafRule::Fine);
    std::vector<MemorySource> sources = sources_for(item.network, false);
    const MemorySink expected = run_alone({item.network}, sources);
    for (const Split& split : item.splits) {
      if (!divides_channels(split)) continue;
      ASSERT_TRUE(off_leaves_text(item.network, make_plan(item.network, split, num_ranks())).empty()) << to_string(split);
      SCOPED_TRACE(to_string(split));
      expect_equal(run_on_all({item.network, split}, sources), expected, is_exact(item.network, split, num_ranks()));
    }
  });
}

/// Random elements, some of them these numbers.
std::vector<MemorySource> odd_sources(const Network& network, std::initializer_list<float> numbers, index_t samples) {
  Random random(23);
  std::vector<MemorySource> sources;
  for (const ValueId id : network.inputs) {
    Extents extents = network.value(id).extents;
    extents[Axis::N] = samples;
    HostTensor tensor(Box::whole(extents));
    std::vector<float> values = random.reals(volume(extents));
    for (const float number : numbers) values[static_cast<std::size_t>(random.integer(0, volume(extents) - 1))] = number;
    std::copy(values.begin(), values.end(), reinterpret_cast<float*>(tensor.view().data));
    sources.emplace_back(std::move(tensor), network.value(id).ndims);
  }
  return sources;
}

TEST_F(OperatorSplits, OddNumbersAreAlikeUnderEverySplit) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const std::initializer_list<float> numbers :
       {std::initializer_list<float>{nan, nan, -0.0F, 1e-40F}, std::initializer_list<float>{infinity, -infinity, -0.0F, -1e-42F}})
    for_each_network(Weights::Reals, [&](const SplitNetwork& item) {
      std::vector<MemorySource> sources =
          odd_sources(item.network, numbers, item.network.value(item.network.inputs[0]).extents[Axis::N] * micro_batches);
      const MemorySink alone = run_alone({item.network}, sources);
      const std::vector<HostTensor> reference = first_outputs(item.network, sources, micro_batches);
      auto rest = elements(alone.tensor());
      for (const HostTensor& expected : reference) {
        const auto wanted = elements(expected);
        EXPECT_TRUE(same_odd_numbers(rest.first(wanted.size()), wanted, false)) << "one rank and the reference";
        rest = rest.subspan(wanted.size());
      }
      for (const Split& split : item.splits) {
        SCOPED_TRACE(to_string(split));
        const MemorySink actual = run_on_all({item.network, split}, sources);
        if (rank() != 0) continue;
        EXPECT_TRUE(
            same_odd_numbers(elements(actual.tensor()), elements(alone.tensor()), is_exact(item.network, split, num_ranks())));
      }
    });
}

}  // namespace
}  // namespace parconv::test
