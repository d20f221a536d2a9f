// SPDX-License-Identifier: Apache-2.0
// Activations written out in several operators.
#pragma once

#include "parconv/model/network.hpp"

namespace parconv {

/// Replaces groups of element-wise operators that compute an activation of one value by that activation. Exporters write Gelu
/// (x * 0.5 * (1 + erf(x / sqrt(2))), in any order), Mish and HardSwish in this way. Recognition is by values, not by structure:
/// both have to agree at many points of all magnitudes and around every constant of the group. Intermediate values must have no
/// other reader; their nodes remain without one. Only constants in memory are considered.
void recognise_activations(Network& network);

}  // namespace parconv
