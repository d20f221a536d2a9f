# SPDX-License-Identifier: Apache-2.0
# Finds NCCL: the target NCCL::nccl, NCCL_FOUND and NCCL_VERSION.
#
# Searches PARCONV_NCCL_ROOT, NCCL_ROOT, NCCL_HOME, the CUDA toolkit, the default paths, and pip's packages (PARCONV_PIP_NVIDIA, see
# ParconvCuda.cmake), whose libraries have only versioned names.
set(hints ${PARCONV_NCCL_ROOT} $ENV{NCCL_HOME} ${CUDAToolkit_TARGET_DIR} ${CUDAToolkit_BIN_DIR}/..)
set(paths ${PARCONV_PIP_NVIDIA}/nccl)
find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${hints} PATHS ${paths} PATH_SUFFIXES include)
find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS ${hints} PATHS ${paths} PATH_SUFFIXES lib64 lib)
mark_as_advanced(NCCL_INCLUDE_DIR NCCL_LIBRARY)

if(NCCL_INCLUDE_DIR)
  file(STRINGS ${NCCL_INCLUDE_DIR}/nccl.h lines REGEX "#define NCCL_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9;]" "" numbers "${lines}")
  list(JOIN numbers "." NCCL_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(NCCL REQUIRED_VARS NCCL_LIBRARY NCCL_INCLUDE_DIR VERSION_VAR NCCL_VERSION)
if(NCCL_FOUND AND NOT TARGET NCCL::nccl)
  add_library(NCCL::nccl UNKNOWN IMPORTED)
  set_target_properties(NCCL::nccl PROPERTIES IMPORTED_LOCATION ${NCCL_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${NCCL_INCLUDE_DIR})
endif()
