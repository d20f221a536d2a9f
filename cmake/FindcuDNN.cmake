# SPDX-License-Identifier: Apache-2.0
# Finds cuDNN: the target cuDNN::cudnn, cuDNN_FOUND and cuDNN_VERSION.
#
# Searches PARCONV_CUDNN_ROOT, cuDNN_ROOT, CUDNN_PATH, the CUDA toolkit, the default paths, and pip's packages (PARCONV_PIP_NVIDIA, see
# ParconvCuda.cmake), whose libraries have only versioned names.
set(hints ${PARCONV_CUDNN_ROOT} $ENV{CUDNN_PATH} ${CUDAToolkit_TARGET_DIR} ${CUDAToolkit_BIN_DIR}/..)
set(paths ${PARCONV_PIP_NVIDIA}/cudnn)
find_path(cuDNN_INCLUDE_DIR cudnn.h HINTS ${hints} PATHS ${paths} PATH_SUFFIXES include)
find_library(cuDNN_LIBRARY NAMES cudnn libcudnn.so.9 HINTS ${hints} PATHS ${paths} PATH_SUFFIXES lib64 lib)
mark_as_advanced(cuDNN_INCLUDE_DIR cuDNN_LIBRARY)

if(cuDNN_INCLUDE_DIR AND EXISTS ${cuDNN_INCLUDE_DIR}/cudnn_version.h)
  file(STRINGS ${cuDNN_INCLUDE_DIR}/cudnn_version.h lines REGEX "#define CUDNN_(MAJOR|MINOR|PATCHLEVEL) ")
  string(REGEX REPLACE "[^0-9;]" "" numbers "${lines}")
  list(JOIN numbers "." cuDNN_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(cuDNN REQUIRED_VARS cuDNN_LIBRARY cuDNN_INCLUDE_DIR VERSION_VAR cuDNN_VERSION)
if(cuDNN_FOUND AND NOT TARGET cuDNN::cudnn)
  add_library(cuDNN::cudnn UNKNOWN IMPORTED)
  set_target_properties(cuDNN::cudnn PROPERTIES IMPORTED_LOCATION ${cuDNN_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${cuDNN_INCLUDE_DIR})
endif()
