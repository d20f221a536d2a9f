// Activations made of exponentials and roots. Every element gets the same bits wherever it stands in a row, so that a split does
// not change them.
#pragma once

#include <span>

#include "compute/cpu_vector.hpp"

namespace parconv::cpu {

/// True for the activations that this file computes; the others are one comparison.
bool is_smooth(ActivationKind kind);

/// values = activation(values). Precondition: is_smooth(activation.kind).
void activate_smoothly(std::span<float> values, const Activation& activation);

/// Applies any activation to all of an operand with channels side by side.
void activate_operand(float* data, const Extents& extents, const Extents& strides, const Activation& activation);

}  // namespace parconv::cpu
