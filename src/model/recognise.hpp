// Activations that a model writes out in several operators.
#pragma once

#include "parconv/model/network.hpp"

namespace parconv {

/// Replaces element-wise operators that together are one activation of one value, as exporters write Gelu, Mish or HardSwish
/// (x * 0.5 * (1 + erf(x / sqrt(2))), in any order), by that activation. They are recognised by what they compute, not by how
/// they are written: at many numbers of all sizes, and around every constant in them, both have to agree. The values between must
/// have no other reader; their nodes are left behind without one. Constants count if they are in memory.
void recognise_activations(Network& network);

}  // namespace parconv
