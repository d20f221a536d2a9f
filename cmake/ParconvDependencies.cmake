# Finds what parconv is built on. Each library is used by one module only (see docs/design.md), so the targets here are linked there.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(MPI REQUIRED COMPONENTS C)

# Parallel HDF5. Debian keeps the serial and the parallel library side by side: ask for the parallel one first.
if(NOT HDF5_ROOT AND EXISTS /usr/include/hdf5/openmpi/hdf5.h)
  find_path(PARCONV_HDF5_INCLUDE hdf5.h PATHS /usr/include/hdf5/openmpi NO_DEFAULT_PATH)
  find_library(PARCONV_HDF5_LIBRARY NAMES hdf5_openmpi hdf5 PATH_SUFFIXES hdf5/openmpi)
  add_library(parconv_hdf5 INTERFACE)
  target_include_directories(parconv_hdf5 SYSTEM INTERFACE ${PARCONV_HDF5_INCLUDE})
  target_link_libraries(parconv_hdf5 INTERFACE ${PARCONV_HDF5_LIBRARY} MPI::MPI_C)
else()
  set(HDF5_PREFER_PARALLEL ON)
  find_package(HDF5 REQUIRED COMPONENTS C)
  if(NOT HDF5_IS_PARALLEL)
    message(FATAL_ERROR "parconv needs a parallel HDF5 (built with MPI); found a serial one in ${HDF5_INCLUDE_DIRS}. "
                        "Install libhdf5-openmpi-dev, load your cluster's parallel module, or set HDF5_ROOT.")
  endif()
  add_library(parconv_hdf5 INTERFACE)
  target_include_directories(parconv_hdf5 SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS})
  target_compile_definitions(parconv_hdf5 INTERFACE ${HDF5_DEFINITIONS})
  target_link_libraries(parconv_hdf5 INTERFACE ${HDF5_LIBRARIES} MPI::MPI_C)
endif()

# oneDNN. Debian's CMake package needs OpenCL headers that a CPU build does not; the library and its header are enough.
find_path(PARCONV_ONEDNN_INCLUDE oneapi/dnnl/dnnl.hpp)
find_library(PARCONV_ONEDNN_LIBRARY NAMES dnnl)
if(NOT PARCONV_ONEDNN_INCLUDE OR NOT PARCONV_ONEDNN_LIBRARY)
  message(FATAL_ERROR "oneDNN was not found. Install libdnnl-dev (Debian), or add its prefix to CMAKE_PREFIX_PATH.")
endif()
add_library(parconv_onednn INTERFACE)
target_include_directories(parconv_onednn SYSTEM INTERFACE ${PARCONV_ONEDNN_INCLUDE})
target_link_libraries(parconv_onednn INTERFACE ${PARCONV_ONEDNN_LIBRARY})

# ONNX: the protobuf classes only.
find_package(Protobuf REQUIRED)
find_path(PARCONV_ONNX_INCLUDE onnx/onnx_pb.h)
find_library(PARCONV_ONNX_LIBRARY NAMES onnx_proto)
if(NOT PARCONV_ONNX_INCLUDE OR NOT PARCONV_ONNX_LIBRARY)
  message(FATAL_ERROR "The ONNX protobuf classes were not found. Install libonnx-dev (Debian), or add the prefix of an ONNX "
                      "installation to CMAKE_PREFIX_PATH.")
endif()
add_library(parconv_onnx_proto INTERFACE)
target_include_directories(parconv_onnx_proto SYSTEM INTERFACE ${PARCONV_ONNX_INCLUDE})
target_compile_definitions(parconv_onnx_proto INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
target_link_libraries(parconv_onnx_proto INTERFACE ${PARCONV_ONNX_LIBRARY} protobuf::libprotobuf)

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
endif()
if(PARCONV_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
