# SPDX-License-Identifier: Apache-2.0
# Install rules. find_package(parconv) provides parconv::parconv, and each module as parconv::<module>.
include(CMakePackageConfigHelpers)

option(PARCONV_INSTALL "Make the install rules" ${PROJECT_IS_TOP_LEVEL})
if(NOT PARCONV_INSTALL)
  return()
endif()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/parconv)
get_property(modules GLOBAL PROPERTY PARCONV_MODULES)
foreach(target IN LISTS modules)
  string(REGEX REPLACE "^parconv_" "" name ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
endforeach()

# Modules are static libraries, so their dependencies are part of the link interface; the targets with the paths are exported too.
set(libraries parconv_hdf5 parconv_openmp parconv_onnx_proto parconv_xxhash)
if(PARCONV_HAVE_ONEDNN)
  list(APPEND libraries parconv_onednn)
endif()
foreach(target IN LISTS libraries)
  string(REGEX REPLACE "^parconv_" "library_" name ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
endforeach()

install(TARGETS parconv ${modules} ${libraries} EXPORT parconvTargets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(EXPORT parconvTargets NAMESPACE parconv:: DESTINATION ${package_folder})
if(TARGET parconv_app)
  install(TARGETS parconv_app)
endif()

# CMake's FindHDF5 may return targets, which a client project has to find again.
if(NOT PARCONV_HDF5_LIBRARY)
  set(parconv_find_hdf5 "find_dependency(HDF5 COMPONENTS C)")
endif()
if(PARCONV_HAVE_CUDA)
  set(parconv_find_cuda "find_dependency(CUDAToolkit)\nfind_dependency(cuDNN)\nfind_dependency(NCCL)")
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/FindcuDNN.cmake ${PROJECT_SOURCE_DIR}/cmake/FindNCCL.cmake DESTINATION ${package_folder})
endif()
configure_package_config_file(${PROJECT_SOURCE_DIR}/packaging/parconvConfig.cmake.in ${PROJECT_BINARY_DIR}/parconvConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/parconvConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/parconvConfig.cmake ${PROJECT_BINARY_DIR}/parconvConfigVersion.cmake
        DESTINATION ${package_folder})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
