// Every operator under every split, computed by the backend that users get: bit for bit on small integers, and on reals the bits
// of one rank where that is promised.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/operator_cases.hpp"
#include "engine/split_fixture.hpp"

namespace parconv::test {
namespace {

using OperatorSplits = SplitTest;

/// A network and the splits that it is put through.
struct SplitNetwork {
  const OperatorCase& operator_case;
  Network network{};
  std::vector<Split> splits{};
};

/// The named splits with stages, or those without.
std::vector<Split> splits_of(const OperatorCase& operator_case, bool has_stages) {
  std::vector<Split> splits;
  const int spatial_ndims = operator_case.ndims - 2;
  for (const std::string& spec : named_splits(num_ranks(), spatial_ndims)) {
    const Split split = parse_split(spec, num_ranks(), spatial_ndims);
    if ((split.stages > 1) == has_stages) splits.push_back(split);
  }
  return splits;
}

/// Every operator alone, without stages; then between others, with stages.
template <class Visit>
void for_each_network(Weights weights, Visit&& visit) {
  const std::vector<OperatorCase> cases = operator_cases();
  for (const bool has_stages : {false, true})
    for (const OperatorCase& operator_case : cases) {
      if (has_stages && num_ranks() == 1) continue;
      SCOPED_TRACE(concat(operator_case.name, has_stages ? " between others" : ""));
      visit(SplitNetwork{operator_case, network_of(operator_case, weights, has_stages ? num_ranks() : 1),
                         splits_of(operator_case, has_stages)});
    }
}

bool is_rounded(ActivationKind kind) { return kind >= ActivationKind::Sigmoid && kind != ActivationKind::HardSigmoid; }

/// Exponentials and quotients are rounded; everything else makes integers, or a few binary digits behind the point, of integers.
bool keeps_integers(const Network& network) {
  return std::none_of(network.nodes.begin(), network.nodes.end(), [](const Node& node) {
    const auto* pool = std::get_if<Pool>(&node.op);
    return std::holds_alternative<Softmax>(node.op) || is_rounded(node.finish.activation.kind) ||
           (pool != nullptr && pool->kind == PoolKind::Average);
  });
}

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

/// Exact splits have the bits of one rank; all others are near.
void expect_equal(const MemorySink& actual, const MemorySink& expected, bool has_same_bits) {
  if (rank() != 0) return;
  const auto got = elements(actual.tensor()), wanted = elements(expected.tensor());
  EXPECT_TRUE(has_same_bits ? same_bits(got, wanted) : all_near(got, wanted, tolerance));
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
