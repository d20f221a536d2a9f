// SPDX-License-Identifier: Apache-2.0
// The part of validation that precedes default_cuts.
#pragma once

#include "parconv/plan/plan.hpp"

namespace parconv {

/// As `validate`, without the cuts. Afterwards all grids lie within the ranks, as default_cuts requires.
void validate_grids(const Plan& plan, const Network& network);

}  // namespace parconv
