// The functions of single numbers that operators apply, by the standard library: what the reference computes, what constants are
// folded with, and what a function written out in operators is recognised by.
#pragma once

#include "parconv/model/operators.hpp"

namespace parconv {

/// activation(x).
float activated(const Activation& activation, float x);

/// kind(a, b).
float combined(BinaryKind kind, float a, float b);

}  // namespace parconv
