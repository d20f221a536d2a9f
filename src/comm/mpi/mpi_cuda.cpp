// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi/mpi_check.hpp"
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif

#include "parconv/comm/device_communicators.hpp"

namespace parconv {

bool is_mpi_cuda_aware() {
#if defined(MPIX_CUDA_AWARE_SUPPORT) && MPIX_CUDA_AWARE_SUPPORT
  return MPIX_Query_cuda_support() == 1;
#else
  return false;
#endif
}

}  // namespace parconv
