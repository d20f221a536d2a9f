// Functions that are compiled for the host and, by a CUDA compiler, for GPUs as well: index arithmetic and formulas, which are
// tested on the host.
#pragma once

#define PARCONV_ALWAYS_INLINE __attribute__((always_inline))
#if defined(__CUDACC__)
#define PARCONV_HOST_DEVICE __host__ __device__
#define PARCONV_OUT_OF_LINE __noinline__
#else
#define PARCONV_HOST_DEVICE
#define PARCONV_OUT_OF_LINE
#endif
