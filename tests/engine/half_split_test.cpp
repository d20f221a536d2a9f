// Every operator under every split in bf16 and f16: bit for bit on small integers, and on reals the bits of one rank where that
// is promised.
#include <gtest/gtest.h>

#include "engine/operator_splits.hpp"

namespace parconv::test {
namespace {

/// A type, what computes in it on a host, and how much a few roundings change of the largest value: input, weights and every
/// value in between are rounded by up to 2^-8 of themselves in bf16, 2^-11 in f16.
struct HalfCase {
  DType type;
  const char* backend;
  double few_roundings;
};

/// What users get on CPUs; no CPU library computes in f16, plain loops do.
constexpr HalfCase half_cases[] = {{DType::BF16, "auto", 0x1p-4}, {DType::F16, "reference", 0x1p-7}};

class HalfSplits : public SplitTest, public ::testing::WithParamInterface<HalfCase> {
 protected:
  HalfSplits() : SplitTest(GetParam().backend) {}
  DType type() const { return GetParam().type; }
};

INSTANTIATE_TEST_SUITE_P(All, HalfSplits, ::testing::ValuesIn(half_cases),
                         [](const auto& instance) { return std::string(name_of(instance.param.type)); });

/// Sums of small integers are exact in f32; every stored value is rounded once, on every number of ranks alike.
TEST_P(HalfSplits, SmallIntegersAreEqualToTheOracle) {
  const auto reference = make_reference_backend();
  for_each_network(Weights::SmallIntegers, [&](const SplitNetwork& item) {
    if (!keeps_integers(item.network)) return;
    std::vector<MemorySource> sources = sources_for(item.network, true);
    std::vector<HostTensor> last_batch;
    if (rank() == 0) last_batch = oracle_outputs(item.network, sources, micro_batches - 1, *reference, type());
    for (const Split& split : item.splits) {
      SCOPED_TRACE(to_string(split));
      const MemorySink sink = run_on_all({.network = item.network, .split = split, .type = type()}, sources);
      if (rank() != 0) continue;
      const auto expected = elements(last_batch[0]);
      EXPECT_TRUE(same_bits(elements(sink.tensor()).last(expected.size()), expected));
    }
  });
}

TEST_P(HalfSplits, RealsAreEqualToOneRank) {
  for_each_network(Weights::Reals, [&](const SplitNetwork& item) {
    std::vector<MemorySource> sources = sources_for(item.network, false);
    const MemorySink expected = run_alone({.network = item.network, .type = type()}, sources);
    for (const Split& split : item.splits) {
      SCOPED_TRACE(to_string(split));
      const MemorySink actual = run_on_all({.network = item.network, .split = split, .type = type()}, sources);
      expect_equal(actual, expected, is_exact(split), type());
    }
  });
}

/// The results are those of f32, as far as a few roundings go: nothing is kept in sixteen bits that needs more.
TEST_P(HalfSplits, RealsAreCloseToF32) {
  for_each_network(Weights::Reals, [&](const SplitNetwork& item) {
    std::vector<MemorySource> sources = sources_for(item.network, false);
    const MemorySink exact = run_alone({item.network}, sources);
    const MemorySink rounded = run_alone({.network = item.network, .type = type()}, sources);
    EXPECT_TRUE(all_near(elements(rounded.tensor()), elements(exact.tensor()), GetParam().few_roundings));
  });
}

}  // namespace
}  // namespace parconv::test
