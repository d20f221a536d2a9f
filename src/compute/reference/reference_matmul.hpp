// SPDX-License-Identifier: Apache-2.0
// Matrix products in plain loops.
#pragma once

#include "compute/reference/reference_call.hpp"

namespace parconv::reference {

void check(const LocalMatMul& product, const CallExtents& call);
void compute(const LocalMatMul& product, const ReferenceCall& call);

}  // namespace parconv::reference
