// SPDX-License-Identifier: Apache-2.0
// A stub driver library for machines without a GPU, linked into tests in place of libcuda.so.1. Some cuDNN engines compile
// their code when a plan is created and load it into the driver; with this stub plans can be created but not executed. Every
// function reports success, except that there is no GPU.
#include <cstdint>

namespace {
constexpr int success = 0;
constexpr int no_device = 100;  // CUDA_ERROR_NO_DEVICE
constexpr int not_found = 500;  // CUDA_ERROR_NOT_FOUND
constexpr int version = 13000;
}  // namespace

// The symbols that cuDNN 9.19 looks up; it rejects a library without them.
#define PARCONV_SUCCEEDS(name) \
  int name() { return success; }

extern "C" {
PARCONV_SUCCEEDS(cuCtxGetCurrent)
PARCONV_SUCCEEDS(cuCtxGetDevice)
PARCONV_SUCCEEDS(cuCtxGetLimit)
PARCONV_SUCCEEDS(cuCtxPopCurrent)
PARCONV_SUCCEEDS(cuCtxPushCurrent)
PARCONV_SUCCEEDS(cuDeviceGet)
PARCONV_SUCCEEDS(cuDeviceGetAttribute)
PARCONV_SUCCEEDS(cuDevicePrimaryCtxRelease)
PARCONV_SUCCEEDS(cuDevicePrimaryCtxReset)
PARCONV_SUCCEEDS(cuDevicePrimaryCtxRetain)
PARCONV_SUCCEEDS(cuFuncGetAttribute)
PARCONV_SUCCEEDS(cuFuncSetAttribute)
PARCONV_SUCCEEDS(cuGetErrorName)
PARCONV_SUCCEEDS(cuGetErrorString)
PARCONV_SUCCEEDS(cuKernelGetAttribute)
PARCONV_SUCCEEDS(cuKernelSetAttribute)
PARCONV_SUCCEEDS(cuLaunchCooperativeKernel)
PARCONV_SUCCEEDS(cuLaunchKernel)
PARCONV_SUCCEEDS(cuLaunchKernelEx)
PARCONV_SUCCEEDS(cuLibraryGetKernel)
PARCONV_SUCCEEDS(cuLibraryLoadData)
PARCONV_SUCCEEDS(cuLibraryLoadFromFile)
PARCONV_SUCCEEDS(cuLibraryUnload)
PARCONV_SUCCEEDS(cuLinkAddData)
PARCONV_SUCCEEDS(cuLinkAddData_v2)
PARCONV_SUCCEEDS(cuLinkAddFile_v2)
PARCONV_SUCCEEDS(cuLinkComplete)
PARCONV_SUCCEEDS(cuLinkCreate)
PARCONV_SUCCEEDS(cuLinkCreate_v2)
PARCONV_SUCCEEDS(cuLinkDestroy)
PARCONV_SUCCEEDS(cuMemcpyDtoH_v2)
PARCONV_SUCCEEDS(cuModuleGetFunction)
PARCONV_SUCCEEDS(cuModuleGetGlobal_v2)
PARCONV_SUCCEEDS(cuModuleLoadData)
PARCONV_SUCCEEDS(cuModuleLoadDataEx)
PARCONV_SUCCEEDS(cuModuleLoadFatBinary)
PARCONV_SUCCEEDS(cuModuleUnload)
PARCONV_SUCCEEDS(cuOccupancyMaxActiveBlocksPerMultiprocessor)
PARCONV_SUCCEEDS(cuOccupancyMaxPotentialClusterSize)
PARCONV_SUCCEEDS(cuStreamGetCtx)
PARCONV_SUCCEEDS(cuStreamSynchronize)
PARCONV_SUCCEEDS(cuTensorMapEncodeTiled)

int cuInit(unsigned) { return no_device; }
int cuDeviceGetCount(int* count) {
  *count = 0;
  return success;
}
int cuDriverGetVersion(int* number) {
  *number = version;
  return success;
}
/// The CUDA runtime looks up functions through this one.
int cuGetProcAddress_v2(const char*, void** function, int, std::uint64_t, int*) {
  *function = nullptr;
  return not_found;
}
}
