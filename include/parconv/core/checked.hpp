// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic on sizes, with overflow reported as an error.
#pragma once

#include <span>

#include "parconv/core/types.hpp"

namespace parconv {

/// a + b. Throws Error(BadData) naming `what` if the sum overflows index_t.
index_t checked_add(index_t a, index_t b, const char* what = "size");

/// a * b. Throws Error(BadData) naming `what` if the product overflows index_t.
index_t checked_mul(index_t a, index_t b, const char* what = "size");

/// Product of all factors, 1 for an empty list. Throws Error(BadData) naming `what` on overflow.
index_t checked_product(std::span<const index_t> factors, const char* what = "size");

}  // namespace parconv
