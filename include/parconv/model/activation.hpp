// SPDX-License-Identifier: Apache-2.0
// Scalar functions of operators by the formulas of the kernels: used by the reference, by constant folding, and to recognise
// activations written out in operators.
#pragma once

#include "parconv/model/operators.hpp"

namespace parconv {

/// Returns activation(x) in f32, by with_formula. Local.
float activated(const Activation& activation, float x);

/// maximum and minimum of IEEE 754-2019: a NaN wins, and +0 is above -0. Local.
float maximum_of_two(float a, float b);
float minimum_of_two(float a, float b);

/// Returns kind(a, b) in f32. Local. Example: combined(BinaryKind::Sub, 5, 3) is 2.
float combined(BinaryKind kind, float a, float b);

}  // namespace parconv
