// SPDX-License-Identifier: Apache-2.0
// The conversions that parconv/tensor/elements.hpp declares for GPUs, by GPU instructions. Included by all sources for CUDA
// compilers; empty where a host compiler reads them.
#pragma once

#include "parconv/tensor/elements.hpp"

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace parconv::gpu {

__device__ inline float float_from_half(std::uint16_t half) { return __half2float(__ushort_as_half(half)); }
__device__ inline std::uint16_t half_from_float(float value) { return __half_as_ushort(__float2half_rn(value)); }
__device__ inline float float_from_bfloat16(std::uint16_t value) { return __bfloat162float(__ushort_as_bfloat16(value)); }
__device__ inline std::uint16_t bfloat16_from_float(float value) { return __bfloat16_as_ushort(__float2bfloat16_rn(value)); }

}  // namespace parconv::gpu
#endif
