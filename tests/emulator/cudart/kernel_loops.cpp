// SPDX-License-Identifier: Apache-2.0
// The kernel sources, compiled as C++.
#include "emulator/cudart/device_code.hpp"
//
#include "compute/cuda/cuda_elements.cu"
#include "cuda/cuda_copy.cu"
