// Every operator alone and between others, and the splits that it is put through.
#pragma once

#include <algorithm>

#include "engine/operator_cases.hpp"
#include "engine/split_fixture.hpp"

namespace parconv::test {

/// A network and the splits that it is put through.
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

inline bool is_rounded(const Activation& activation) {
  constexpr std::array exact{
      ActivationKind::HardSigmoid, ActivationKind::Abs,   ActivationKind::Neg,  ActivationKind::Floor,
      ActivationKind::Ceil,        ActivationKind::Round, ActivationKind::Sign, ActivationKind::ThresholdedRelu};
  if (activation.kind == ActivationKind::Power) return activation.alpha != 2;
  return activation.kind >= ActivationKind::Sigmoid && std::find(exact.begin(), exact.end(), activation.kind) == exact.end();
}

/// Exponentials and quotients are rounded; everything else makes integers, or a few binary digits behind the point, of integers.
inline bool keeps_integers(const Network& network) {
  return std::none_of(network.nodes.begin(), network.nodes.end(), [](const Node& node) {
    const auto* pool = std::get_if<Pool>(&node.op);
    return std::holds_alternative<Softmax>(node.op) || std::holds_alternative<Lrn>(node.op) ||
           is_rounded(node.finish.activation) || (pool != nullptr && pool->kind == PoolKind::Average);
  });
}

/// Exact splits have the bits of one rank; all others are near.
inline void expect_equal(const MemorySink& actual, const MemorySink& expected, bool has_same_bits, DType type = DType::F32) {
  if (rank() != 0) return;
  const auto got = elements(actual.tensor()), wanted = elements(expected.tensor());
  EXPECT_TRUE(has_same_bits ? same_bits(got, wanted) : all_near(got, wanted, tolerance_of(type)));
}

}  // namespace parconv::test
