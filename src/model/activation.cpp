// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/activation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "parconv/model/formulas.hpp"

namespace parconv {

float activated(const Activation& activation, float x) {
  float result = x;
  with_formula(activation, [&](auto formula) { result = formula(x); });
  return result;
}

float maximum_of_two(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<float>::quiet_NaN();
  if (a == b) return std::signbit(a) ? b : a;
  return std::max(a, b);
}

float minimum_of_two(float a, float b) { return -maximum_of_two(-a, -b); }

float combined(BinaryKind kind, float a, float b) {
  switch (kind) {
    case BinaryKind::Mul:
      return a * b;
    case BinaryKind::Sub:
      return a - b;
    case BinaryKind::Div:
      return a / b;
    case BinaryKind::Max:
      return maximum_of_two(a, b);
    case BinaryKind::Min:
      return minimum_of_two(a, b);
    case BinaryKind::PRelu:
      return a < 0 ? a * b : a;
    case BinaryKind::Pow:
      return power(a, b);
    case BinaryKind::Equal:
      return a == b ? 1.0F : 0.0F;
    case BinaryKind::Greater:
      return a > b ? 1.0F : 0.0F;
    case BinaryKind::GreaterOrEqual:
      return a >= b ? 1.0F : 0.0F;
    case BinaryKind::Reaches:
      return a >= b || a != a ? 1.0F : 0.0F;
    case BinaryKind::Keep:
      return a != 0 ? b : -0.0F;
    case BinaryKind::Drop:
      return a != 0 ? -0.0F : b;
  }
  return a;
}

}  // namespace parconv
