// SPDX-License-Identifier: Apache-2.0
// 16-bit floating-point conversions by GPU instructions, bitwise equal to parconv/tensor/half.hpp. For CUDA compilers only.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace parconv {

struct CudaHalf {
  using Bits = __half;
  static __device__ float number(Bits bits) { return __half2float(bits); }
  static __device__ Bits bits(float number) { return __float2half_rn(number); }
};

struct CudaBfloat16 {
  using Bits = __nv_bfloat16;
  static __device__ float number(Bits bits) { return __bfloat162float(bits); }
  static __device__ Bits bits(float number) { return __float2bfloat16_rn(number); }
};

}  // namespace parconv
