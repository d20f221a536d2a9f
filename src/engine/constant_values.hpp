// SPDX-License-Identifier: Apache-2.0
// Constants of a network as tensors.
#pragma once

#include "parconv/model/network.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv {

/// Fills `dst` (f32 or another activation type) with `box` of a constant. Throws Error as read_constant does.
void read_constant_box(const Value& value, const Box& box, View dst);

}  // namespace parconv
