// The sources that are compiled for GPUs, as C++.
#include "compute/cuda_elements.cu"
#include "device/cuda_copy.cu"
