// SPDX-License-Identifier: Apache-2.0
// The element type of each value of a network in memory.
#pragma once

#include <vector>

#include "parconv/model/network.hpp"

namespace parconv {

/// The element type of each value, where activations have the type `activations`. Indexed by ValueId. Local.
/// * Operands of a convolution or a Concat have that type: a convolution computes in the type of its source, and the parts
///   of a Concat are copied without conversion.
/// * Statistics stay f32: the results of reductions, and values computed from statistics and constants alone (means, variances,
///   their roots). They are small, and rounding them would shift whole channels.
/// * Other constants stay f32 as well.
std::vector<DType> types_of_values(const Network& network, DType activations);

/// The element type of partial results that ranks exchange: accumulators of a sum that is rounded once, f32 for the others.
DType partial_type(const Operator& op);

}  // namespace parconv
