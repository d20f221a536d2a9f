// Numbers, names and places that break readers.
#pragma once

#include <string>

#include "support/random.hpp"

namespace parconv::test {

/// 0, -1, powers of two around the limits of 32 and 64 bits, and now and then a small number that may be right.
index_t hostile_integer(Random& random);

/// NaN, infinities, denormals, 0, and ordinary numbers.
float hostile_float(Random& random);

/// Empty, very long, not UTF-8, with control characters, or the name of an operator or of a file elsewhere.
std::string hostile_string(Random& random);

/// A random element of a protobuf field; null if it has none.
template <class Repeated>
auto* any_of(Repeated* field, Random& random) {
  return field->empty() ? nullptr : field->Mutable(static_cast<int>(random.integer(0, field->size() - 1)));
}

}  // namespace parconv::test
