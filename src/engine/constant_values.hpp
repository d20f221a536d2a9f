// Constants of a network as tensors.
#pragma once

#include "parconv/model/network.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv {

/// Fills `dst` (f32 or another type of activations) with `box` of a constant value. Throws Error as read_constant does.
void read_constant_box(const Value& value, const Box& box, View dst);

}  // namespace parconv
