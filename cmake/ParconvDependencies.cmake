# SPDX-License-Identifier: Apache-2.0
# Finds third-party libraries. Each is used by one module only (see docs/design.md), which links its target.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# OpenMP: linked only. The one file that uses its directives gets the compiler's option, since precompiled headers do not fit sources with it.
find_package(OpenMP REQUIRED COMPONENTS CXX)
add_library(parconv_openmp INTERFACE)
target_link_libraries(parconv_openmp INTERFACE ${OpenMP_CXX_LIBRARIES})

# With several MPIs installed, Debian suffixes commands by MPI: mpicc.mpich goes with mpiexec.mpich.
if(MPI_C_COMPILER MATCHES "\\.(openmpi|mpich)$")
  find_program(MPIEXEC_EXECUTABLE mpiexec${CMAKE_MATCH_0})
endif()
find_package(MPI REQUIRED COMPONENTS C)

# Parallel HDF5. Debian installs a serial library and one per MPI side by side; select the one of the MPI found above.
if(MPI_C_LIBRARIES MATCHES "/usr/lib/[^;]*(openmpi|mpich)")
  set(parconv_mpi ${CMAKE_MATCH_1})
endif()
if(NOT HDF5_ROOT AND parconv_mpi AND EXISTS /usr/include/hdf5/${parconv_mpi}/hdf5.h)
  find_path(PARCONV_HDF5_INCLUDE hdf5.h PATHS /usr/include/hdf5/${parconv_mpi} NO_DEFAULT_PATH)
  find_library(PARCONV_HDF5_LIBRARY NAMES hdf5_${parconv_mpi} hdf5 PATH_SUFFIXES hdf5/${parconv_mpi})
  add_library(parconv_hdf5 INTERFACE)
  target_include_directories(parconv_hdf5 SYSTEM INTERFACE ${PARCONV_HDF5_INCLUDE})
  target_link_libraries(parconv_hdf5 INTERFACE ${PARCONV_HDF5_LIBRARY} MPI::MPI_C)
else()
  set(HDF5_PREFER_PARALLEL ON)
  find_package(HDF5 REQUIRED COMPONENTS C)
  if(NOT HDF5_IS_PARALLEL)
    message(FATAL_ERROR "parconv needs a parallel HDF5 (built with MPI); found a serial one in ${HDF5_INCLUDE_DIRS}. "
                        "Install libhdf5-openmpi-dev (libhdf5-mpich-dev for MPICH), load your cluster's parallel module, or set HDF5_ROOT.")
  endif()
  add_library(parconv_hdf5 INTERFACE)
  target_include_directories(parconv_hdf5 SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS})
  target_compile_definitions(parconv_hdf5 INTERFACE ${HDF5_DEFINITIONS})
  target_link_libraries(parconv_hdf5 INTERFACE ${HDF5_LIBRARIES} MPI::MPI_C)
endif()

# oneDNN, for --backend onednn. Debian's CMake package requires OpenCL headers, which a CPU build does not need; the library and its header suffice.
set(PARCONV_ONEDNN AUTO CACHE STRING "The backend onednn: AUTO (if oneDNN is found), ON or OFF")
set_property(CACHE PARCONV_ONEDNN PROPERTY STRINGS AUTO ON OFF)
set(PARCONV_HAVE_ONEDNN OFF)
if(NOT PARCONV_ONEDNN STREQUAL "OFF")
  find_path(PARCONV_ONEDNN_INCLUDE oneapi/dnnl/dnnl.hpp)
  find_library(PARCONV_ONEDNN_LIBRARY NAMES dnnl)
  if(PARCONV_ONEDNN_INCLUDE AND PARCONV_ONEDNN_LIBRARY)
    set(PARCONV_HAVE_ONEDNN ON)
    add_library(parconv_onednn INTERFACE)
    target_include_directories(parconv_onednn SYSTEM INTERFACE ${PARCONV_ONEDNN_INCLUDE})
    target_link_libraries(parconv_onednn INTERFACE ${PARCONV_ONEDNN_LIBRARY})
  elseif(PARCONV_ONEDNN STREQUAL "ON")
    message(FATAL_ERROR "oneDNN was not found. Install libdnnl-dev (Debian), add its prefix to CMAKE_PREFIX_PATH, or use -DPARCONV_ONEDNN=OFF.")
  else()
    message(STATUS "oneDNN was not found: no --backend onednn")
  endif()
endif()

# ONNX: the protobuf classes, and the operators that it defines by functions.
find_package(Protobuf REQUIRED)
find_path(PARCONV_ONNX_INCLUDE onnx/onnx_pb.h)
find_library(PARCONV_ONNX_LIBRARY NAMES onnx_proto)
find_library(PARCONV_ONNX_OPERATORS_LIBRARY NAMES onnx)
if(NOT PARCONV_ONNX_INCLUDE OR NOT PARCONV_ONNX_LIBRARY OR NOT PARCONV_ONNX_OPERATORS_LIBRARY)
  message(FATAL_ERROR "The ONNX libraries were not found. Install libonnx-dev (Debian), or add the prefix of an ONNX "
                      "installation to CMAKE_PREFIX_PATH.")
endif()
add_library(parconv_onnx_proto INTERFACE)
target_include_directories(parconv_onnx_proto SYSTEM INTERFACE ${PARCONV_ONNX_INCLUDE})
target_compile_definitions(parconv_onnx_proto INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
target_link_libraries(parconv_onnx_proto INTERFACE ${PARCONV_ONNX_OPERATORS_LIBRARY} ${PARCONV_ONNX_LIBRARY} protobuf::libprotobuf)

find_path(PARCONV_XXHASH_INCLUDE xxhash.h REQUIRED)
find_library(PARCONV_XXHASH_LIBRARY NAMES xxhash REQUIRED)
add_library(parconv_xxhash INTERFACE)
target_include_directories(parconv_xxhash SYSTEM INTERFACE ${PARCONV_XXHASH_INCLUDE})
target_link_libraries(parconv_xxhash INTERFACE ${PARCONV_XXHASH_LIBRARY})

find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
if(PARCONV_BUILD_APPS)
  find_package(CLI11 REQUIRED)
  find_package(spdlog REQUIRED)
  find_package(OpenSSL REQUIRED COMPONENTS Crypto)
endif()
if(PARCONV_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
