// SPDX-License-Identifier: Apache-2.0
#include "parconv/core/checked.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

index_t checked_add(index_t a, index_t b, const char* what) {
  index_t result = 0;
  if (__builtin_add_overflow(a, b, &result))
    throw Error(ExitCode::BadData, concat(what, ": ", a, " + ", b, " does not fit in 64 bits"));
  return result;
}

index_t checked_mul(index_t a, index_t b, const char* what) {
  index_t result = 0;
  if (__builtin_mul_overflow(a, b, &result))
    throw Error(ExitCode::BadData, concat(what, ": ", a, " * ", b, " does not fit in 64 bits"));
  return result;
}

index_t checked_product(std::span<const index_t> factors, const char* what) {
  index_t result = 1;
  for (index_t factor : factors) result = checked_mul(result, factor, what);
  return result;
}

}  // namespace parconv
