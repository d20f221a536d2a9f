# SPDX-License-Identifier: Apache-2.0
# Detects GPU support: a CUDA compiler, the CUDA runtime, cuDNN and NCCL. Sets PARCONV_HAVE_CUDA. The driver library is never linked, since programs
# must start on machines without a GPU.
set(PARCONV_CUDA AUTO CACHE STRING "Support NVIDIA GPUs: AUTO (if all that it takes is found), ON or OFF")
set_property(CACHE PARCONV_CUDA PROPERTY STRINGS AUTO ON OFF)
set(PARCONV_CUDNN_ROOT "" CACHE PATH "Where cuDNN is, if not in the CUDA toolkit")
set(PARCONV_NCCL_ROOT "" CACHE PATH "Where NCCL is, if not in the CUDA toolkit")
set(PARCONV_HAVE_CUDA OFF)
if(NOT PARCONV_CUDA)
  message(STATUS "GPU support: off (PARCONV_CUDA=${PARCONV_CUDA})")
  return()
endif()

# pip's nvidia-* packages install include/ and lib/ under site-packages/nvidia/<library>.
find_program(PARCONV_PYTHON_FOR_PIP NAMES python3 python)
mark_as_advanced(PARCONV_PYTHON_FOR_PIP)
if(PARCONV_PYTHON_FOR_PIP)
  execute_process(COMMAND ${PARCONV_PYTHON_FOR_PIP} -c
                          "import importlib.util as u; print(list(u.find_spec('nvidia').submodule_search_locations)[0])"
                  OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
set(PARCONV_PIP_NVIDIA "${folder}" CACHE PATH "Where pip keeps NVIDIA's libraries")
mark_as_advanced(PARCONV_PIP_NVIDIA)

find_package(CUDAToolkit 12.0 QUIET)
find_package(cuDNN 9.0 QUIET)
find_package(NCCL 2.18 QUIET)
if(CUDAToolkit_FOUND AND NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
endif()
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES "80;90" CACHE STRING "GPU architectures to compile for")
endif()
include(CheckLanguage)
check_language(CUDA)

set(missing "")
foreach(part CUDAToolkit_FOUND cuDNN_FOUND NCCL_FOUND CMAKE_CUDA_COMPILER)
  if(NOT ${part})
    string(REGEX REPLACE "_FOUND$" "" name ${part})
    list(APPEND missing ${name})
  endif()
endforeach()
list(JOIN missing ", " missing)
if(missing AND PARCONV_CUDA STREQUAL "AUTO")
  message(STATUS "GPU support: off (not found: ${missing})")
  return()
elseif(missing)
  message(FATAL_ERROR "PARCONV_CUDA=ON needs the CUDA toolkit 12 or newer, cuDNN 9 and NCCL 2.18 or newer; not found: ${missing}. Set "
                      "CUDAToolkit_ROOT, PARCONV_CUDNN_ROOT and PARCONV_NCCL_ROOT, or PARCONV_CUDA=OFF.")
endif()

set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake before 3.26 does not know C++20 for nvcc
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  list(APPEND CMAKE_CUDA_COMPILE_FEATURES cuda_std_20)
endif()
set(CMAKE_CUDA_STANDARD 20)
set(PARCONV_HAVE_CUDA ON)
message(STATUS "GPU support: CUDA ${CUDAToolkit_VERSION}, cuDNN ${cuDNN_VERSION}, NCCL ${NCCL_VERSION}, architectures "
               "${CMAKE_CUDA_ARCHITECTURES}")
