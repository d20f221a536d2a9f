// SPDX-License-Identifier: Apache-2.0
// Hostile integers, floats and strings.
#pragma once

#include <string>

#include "support/random.hpp"

namespace parconv::test {

/// 0, -1, values near the powers of two at 32-bit and 64-bit limits, and occasionally a small, plausible one.
index_t hostile_integer(Random& random);

/// NaN, infinities, subnormals, 0, and ordinary values.
float hostile_float(Random& random);

/// Empty, very long, invalid UTF-8, with control characters, an operator name, or the path of another file.
std::string hostile_string(Random& random);

/// A random element of a repeated protobuf field; null if it is empty.
template <class Repeated>
auto* any_of(Repeated* field, Random& random) {
  return field->empty() ? nullptr : field->Mutable(static_cast<int>(random.integer(0, field->size() - 1)));
}

}  // namespace parconv::test
