// SPDX-License-Identifier: Apache-2.0
// Every operator alone and between others, with its splits.
#pragma once

#include <algorithm>

#include "engine/splits/operator_cases.hpp"
#include "engine/splits/split_fixture.hpp"
#include "operators/elementwise.hpp"

namespace parconv::test {

/// A network and its splits.
struct SplitNetwork {
  const OperatorCase& operator_case;
  Network network{};
  std::vector<Split> splits{};
};

/// The named splits with stages, or those without.
inline std::vector<Split> splits_of(const OperatorCase& operator_case, bool has_stages) {
  std::vector<Split> splits;
  const int spatial_ndims = operator_case.ndims - 2;
  for (const std::string& spec : named_splits(num_ranks(), spatial_ndims)) {
    const auto split = std::get<Split>(parse_split(spec, num_ranks(), spatial_ndims));
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

/// False for exponentials and quotients; all other operators map integers to integers or short binary fractions.
inline bool keeps_integers(const Network& network) {
  return std::none_of(network.nodes.begin(), network.nodes.end(), [](const Node& node) {
    const auto* pool = std::get_if<Pool>(&node.op);
    return is_rounded(node.op) || is_rounded(node.epilogue.activation) || (pool != nullptr && pool->kind == PoolKind::Average);
  });
}

/// The first output of every micro-batch, computed on rank 0 with the reference backend; empty on other ranks.
inline std::vector<HostTensor> first_outputs(const Network& network, std::vector<MemorySource>& sources, index_t micro_batches,
                                             DType type = DType::F32) {
  const auto reference = make_reference_backend();
  std::vector<HostTensor> outputs;
  for (index_t m = 0; m < micro_batches && rank() == 0; ++m)
    outputs.push_back(std::move(oracle_outputs(network, sources, m, *reference, type).front()));
  return outputs;
}

/// Compares every micro-batch on rank 0: bit for bit with the oracle where integers stay exact, close for all other operators.
inline void expect_oracle(const Network& network, const MemorySink& sink, const std::vector<HostTensor>& expected,
                          DType type = DType::F32) {
  auto got = elements(sink.tensor());
  for (std::size_t m = 0; m < expected.size(); ++m) {
    const auto wanted = elements(expected[m]);
    ASSERT_GE(got.size(), wanted.size());
    const auto batch = got.first(wanted.size());
    EXPECT_TRUE(keeps_integers(network) ? same_bits(batch, wanted) : all_near(batch, wanted, tolerance_of(type)))
        << "micro-batch " << m;
    got = got.subspan(wanted.size());
  }
  EXPECT_TRUE(rank() != 0 || got.empty()) << got.size() << " elements more than the oracle has";
}

/// Exact splits have the bits of one rank; all others are close.
inline void expect_equal(const MemorySink& actual, const MemorySink& expected, bool has_same_bits, DType type = DType::F32) {
  if (rank() != 0) return;
  const auto got = elements(actual.tensor()), wanted = elements(expected.tensor());
  EXPECT_TRUE(has_same_bits ? same_bits(got, wanted) : all_near(got, wanted, tolerance_of(type)));
}

}  // namespace parconv::test
