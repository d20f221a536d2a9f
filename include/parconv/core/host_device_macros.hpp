// SPDX-License-Identifier: Apache-2.0
// Qualifiers of functions compiled for the host and, under a CUDA compiler, also for the device: index arithmetic and element
// formulas, which are tested on the host.
#pragma once

#define PARCONV_ALWAYS_INLINE __attribute__((always_inline))
#if defined(__CUDACC__)
#define PARCONV_HOST_DEVICE __host__ __device__
#define PARCONV_OUT_OF_LINE __noinline__
#else
#define PARCONV_HOST_DEVICE
#define PARCONV_OUT_OF_LINE
#endif
/// Formulas of elements: inlined into loops compiled for several instruction sets.
#define PARCONV_FORMULA PARCONV_HOST_DEVICE PARCONV_ALWAYS_INLINE inline
