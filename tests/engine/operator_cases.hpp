// One small network per operator and variant of it, for tests of all splits.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/network_builder.hpp"

namespace parconv::test {

struct OperatorCase {
  std::string name{};
  Extents input{};
  int ndims = 4;
  std::function<ValueId(NetworkBuilder&, ValueId)> add{};
};

std::vector<OperatorCase> operator_cases();

/// The operator between element-wise ones, so that there are at least `num_nodes` nodes: its input is an activation that ranks
/// own parts of. With one node the operator reads the network's input, and is fused.
Network network_of(const OperatorCase& operator_case, Weights weights, int num_nodes);

}  // namespace parconv::test
