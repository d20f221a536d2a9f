// SPDX-License-Identifier: Apache-2.0
// Scalar functions of operators, by the standard library: used by the reference, by constant folding, and to recognise
// activations written out in operators.
#pragma once

#include "parconv/model/operators.hpp"

namespace parconv {

/// Returns activation(x) in f32, by the standard library. Local.
float activated(const Activation& activation, float x);

/// Returns kind(a, b) in f32. Local. Example: combined(BinaryKind::Sub, 5, 3) is 2.
float combined(BinaryKind kind, float a, float b);

}  // namespace parconv
