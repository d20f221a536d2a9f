// SPDX-License-Identifier: Apache-2.0
// Activations based on exponentials and roots. The bits of an element do not depend on its position in a row, so splits do not
// change them.
#pragma once

#include <span>

#include "compute/cpu/cpu_vector.hpp"

namespace parconv::cpu {

/// True for the activations computed here; all others are comparisons.
bool is_smooth(ActivationKind kind);

/// values = activation(values). Precondition: is_smooth(activation.kind).
void activate_smoothly(std::span<float> values, const Activation& activation);

/// Applies any activation to an operand with channel stride 1; threads divide the rows.
void activate_operand(float* data, const Extents& extents, const Extents& strides, const Activation& activation, int threads = 1);

}  // namespace parconv::cpu
