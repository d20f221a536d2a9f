// SPDX-License-Identifier: Apache-2.0
// Every operator: random networks of one, and named ones.
#pragma once

#include "operators/operator_case.hpp"

namespace parconv::test {

/// One operator of a random kind and random shape: 1-D to 3-D, 1 to 3 samples, odd channels, groups.
Network random_operator(Random random, Weights weights);
inline Network random_operator(std::uint64_t seed, Weights weights) { return random_operator(Random(seed), weights); }

/// The cases of all operators.
std::vector<OperatorCase> operator_cases();

/// True if the results of the operator are rounded even for small integers.
bool is_rounded(const Operator& op);

}  // namespace parconv::test
