// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/numerics.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

Precision precision_of(Numerics numerics) {
  switch (numerics) {
    case Numerics::F32:
      break;
    case Numerics::Tf32:
      return {.products = F32Products::Tf32};
    case Numerics::BF16:
      return {.activations = DType::BF16};
    case Numerics::F16:
      return {.activations = DType::F16};
  }
  return {};
}

void require_available(Numerics numerics, const DevicePlacement& placement) {
  if (numerics != Numerics::Tf32 || placement.device == DeviceKind::Gpu) return;
  throw Error(ExitCode::Unavailable,
              concat("--dtype ", choice_name(numerics), " is for GPUs, but the job computes on CPUs",
                     placement.note.empty() ? "" : ": ", placement.note),
              "Use --dtype f32, bf16 or f16, or start the job where every rank finds a GPU.");
}

double allowed_difference(const Precision& precision) {
  if (precision.activations == DType::BF16) return 0x1p-5;
  if (precision.activations == DType::F16) return 0x1p-8;
  return precision.products == F32Products::Tf32 ? 0x1p-5 : 1e-4;
}

}  // namespace parconv
