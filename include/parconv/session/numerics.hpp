// SPDX-License-Identifier: Apache-2.0
// Types and tolerances that follow from Request::numerics.
#pragma once

#include "parconv/compute/backend.hpp"
#include "parconv/session/choices.hpp"
#include "parconv/session/devices/device_placement.hpp"

namespace parconv {

/// Type of activations, and precision of f32 products.
struct Precision {
  DType activations = DType::F32;
  F32Products products = F32Products::Whole;
};
Precision precision_of(Numerics numerics);

/// Checks that a backend for the placement's device supports `numerics`. Local. Throws Error(Unavailable) with the placement's
/// note otherwise.
void require_available(Numerics numerics, const DevicePlacement& placement);

/// The tolerance of verification, relative to the largest value of a layer.
///
/// The reference rounds activations where the job rounds them. Sums of f32 in another order may round to the other neighbour, a
/// step of up to 2^-7 of a value in bf16 and 2^-10 in f16, and so on from layer to layer: four such steps. The reference does not
/// round the factors of products as TF32 does, by up to 2^-10 of each, in every convolution: 0.006 after the 55 layers of a
/// ResNet-50 on the emulator of CUDA.
double allowed_difference(const Precision& precision);

}  // namespace parconv
