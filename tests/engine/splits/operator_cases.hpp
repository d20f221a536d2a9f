// SPDX-License-Identifier: Apache-2.0
// Operators alone and between others, for tests of all splits.
#pragma once

#include "operators/random_operator.hpp"

namespace parconv::test {

/// The operator between elementwise ones, with at least `num_nodes` nodes in total, so that its input is a distributed
/// activation. With one node the operator reads the network's input and is fused.
Network network_of(const OperatorCase& operator_case, Weights weights, int num_nodes);

}  // namespace parconv::test
