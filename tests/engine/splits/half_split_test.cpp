// SPDX-License-Identifier: Apache-2.0
// Every operator under every split in bf16 and f16: bit for bit on small integers, and on reals the bits of one rank where
// promised.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "engine/splits/operator_splits.hpp"

namespace parconv::test {
namespace {

/// A type, its backend, and the tolerance for a few roundings, relative to the largest value: input, weights and
/// intermediate values are rounded by up to 2^-8 relative in bf16 and 2^-11 in f16.
struct HalfCase {
  DType type;
  const char* backend;
  double few_roundings;
};

constexpr HalfCase half_cases[] = {{DType::BF16, "auto", 0x1p-4}, {DType::F16, "auto", 0x1p-7}};

class HalfSplits : public SplitTest, public ::testing::WithParamInterface<HalfCase> {
 protected:
  HalfSplits() : SplitTest(GetParam().backend) {}
  DType type() const { return GetParam().type; }
};

INSTANTIATE_TEST_SUITE_P(All, HalfSplits, ::testing::ValuesIn(half_cases),
                         [](const auto& instance) { return std::string(name_of(instance.param.type)); });

/// Sums of small integers are exact in f32, and every stored value is rounded once for any number of ranks.
TEST_P(HalfSplits, SmallIntegersEqualTheOracle) {
  int exact = 0, near = 0;
  for_each_network(Weights::SmallIntegers, [&](const SplitNetwork& item) {
    ++(keeps_integers(item.network) ? exact : near);
    std::vector<MemorySource> sources = sources_for(item.network, true);
    const std::vector<HostTensor> expected = first_outputs(item.network, sources, micro_batches, type());
    for (const Split& split : item.splits) {
      SCOPED_TRACE(to_string(split));
      expect_oracle(item.network, run_on_all({.network = item.network, .split = split, .type = type()}, sources), expected,
                    type());
    }
  });
  EXPECT_GT(exact, 2 * near) << "most operators keep integers";
}

TEST_P(HalfSplits, RealsAreEqualToOneRank) {
  for_each_network(Weights::Reals, [&](const SplitNetwork& item) {
    std::vector<MemorySource> sources = sources_for(item.network, false);
    const MemorySink expected = run_alone({.network = item.network, .type = type()}, sources);
    for (const Split& split : item.splits) {
      SCOPED_TRACE(to_string(split));
      const MemorySink actual = run_on_all({.network = item.network, .split = split, .type = type()}, sources);
      expect_equal(actual, expected, is_exact(item.network, split, num_ranks()), type());
    }
  });
}

bool compares(const Node& node) {
  const auto* binary = std::get_if<Binary>(&node.op);
  if (binary == nullptr) return false;
  constexpr std::array kinds{BinaryKind::Equal, BinaryKind::Greater, BinaryKind::GreaterOrEqual, BinaryKind::Reaches};
  return std::find(kinds.begin(), kinds.end(), binary->kind) != kinds.end();
}

/// False where the rounding of an operand can move a result by more than a rounding: the index of a maximum, and comparisons.
bool is_continuous(const Network& network) {
  return std::none_of(network.nodes.begin(), network.nodes.end(),
                      [](const Node& node) { return std::holds_alternative<Hardmax>(node.op) || compares(node); });
}

/// Results equal those of f32 up to a few roundings: no value that needs f32 is stored in 16 bits.
TEST_P(HalfSplits, RealsAreCloseToF32) {
  for_each_network(Weights::Reals, [&](const SplitNetwork& item) {
    if (!is_continuous(item.network)) return;
    std::vector<MemorySource> sources = sources_for(item.network, false);
    const MemorySink exact = run_alone({item.network}, sources);
    const MemorySink rounded = run_alone({.network = item.network, .type = type()}, sources);
    EXPECT_TRUE(all_near(elements(rounded.tensor()), elements(exact.tensor()), GetParam().few_roundings));
  });
}

}  // namespace
}  // namespace parconv::test
