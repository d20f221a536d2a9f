# SPDX-License-Identifier: Apache-2.0
# Functions for targets: warnings, sanitizers, one static library per module, tests at several rank counts.

add_library(parconv_options INTERFACE)
# nvcc passes host compiler options only through -Xcompiler.
target_compile_options(parconv_options INTERFACE
  "$<$<COMPILE_LANGUAGE:C,CXX>:-Wall;-Wextra;-Wconversion;-Wshadow;-Wnon-virtual-dtor;-Wold-style-cast>"
  "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>")
# Multiply-adds are fused where the code says so: whether a compiler fuses depends on an element's position in a vector, so results would depend on
# the split.
target_compile_options(parconv_options INTERFACE "$<$<COMPILE_LANGUAGE:C,CXX>:-ffp-contract=off>"
                                                 "$<$<COMPILE_LANGUAGE:CUDA>:-fmad=false;-Xcompiler=-ffp-contract=off>")
if(PARCONV_WARNINGS_AS_ERRORS)
  target_compile_options(parconv_options INTERFACE "$<$<COMPILE_LANGUAGE:C,CXX>:-Werror>"
                                                   "$<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xcompiler=-Werror>")
endif()
if(PARCONV_SANITIZE)
  target_compile_options(parconv_options INTERFACE
                         "$<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=${PARCONV_SANITIZE};-fno-omit-frame-pointer>")
  target_link_options(parconv_options INTERFACE -fsanitize=${PARCONV_SANITIZE})
  # MPI unloads its plugins before leaks are reported, which would leave the reports without names.
  if(PARCONV_SANITIZE MATCHES "address" AND NOT PARCONV_SANITIZE MATCHES "fuzzer")
    set(is_program "$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>")
    target_sources(parconv_options INTERFACE "$<${is_program}:${PROJECT_SOURCE_DIR}/tests/sanitizers/keep_plugins.cpp>")
    target_link_options(parconv_options INTERFACE "$<${is_program}:-Wl,--export-dynamic-symbol=dlclose>")
  endif()
endif()

include(ParconvPrecompiled)
parconv_precompiled(parconv_precompiled_for_modules HEADERS ${PARCONV_COMMON_HEADERS})
parconv_precompiled(parconv_precompiled_for_programs PROGRAM HEADERS ${PARCONV_COMMON_HEADERS})

# parconv_include_roots(NAME PUBLIC_ROOT variable PRIVATE_ROOT variable): build folders with links to include/parconv/NAME and src/NAME only. Each
# module has its own roots, so the compiler finds the headers of linked modules and no others.
function(parconv_include_roots name)
  cmake_parse_arguments(ARG "" "PUBLIC_ROOT;PRIVATE_ROOT" "" ${ARGN})
  set(public ${PROJECT_BINARY_DIR}/include_roots/${name}/public)
  set(private ${PROJECT_BINARY_DIR}/include_roots/${name}/private)
  file(MAKE_DIRECTORY ${public}/parconv ${private})
  if(EXISTS ${PROJECT_SOURCE_DIR}/include/parconv/${name})
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/include/parconv/${name} ${public}/parconv/${name} SYMBOLIC)
  endif()
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src/${name} ${private}/${name} SYMBOLIC)
  set(${ARG_PUBLIC_ROOT} ${public} PARENT_SCOPE)
  set(${ARG_PRIVATE_ROOT} ${private} PARENT_SCOPE)
endfunction()

# parconv_module(NAME [INTERNAL] [PUBLIC target...] [PRIVATE target...] [CUDA target...]): the static library parconv_NAME of all sources in src/NAME.
# PUBLIC lists modules used in its headers; PRIVATE lists modules and libraries used in its sources only. An INTERNAL module installs no headers;
# modules that link it see those in src/NAME. CUDA lists targets linked in GPU builds, which alone compile the folders cuda, cudnn and nccl and define
# PARCONV_HAVE_CUDA; other builds compile the folders no_cuda instead. Builds without oneDNN leave out the folders onednn.
function(parconv_module name)
  cmake_parse_arguments(ARG "INTERNAL" "" "PUBLIC;PRIVATE;CUDA" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp ${PROJECT_SOURCE_DIR}/src/${name}/*.cu)
  if(PARCONV_HAVE_CUDA)
    list(FILTER sources EXCLUDE REGEX "/no_cuda/")
  else()
    list(FILTER sources EXCLUDE REGEX "/(cuda|cudnn|nccl)/")
  endif()
  if(NOT PARCONV_HAVE_ONEDNN)
    list(FILTER sources EXCLUDE REGEX "/onednn/")
  endif()
  add_library(parconv_${name} STATIC ${sources})
  add_library(parconv::${name} ALIAS parconv_${name})
  target_compile_features(parconv_${name} PUBLIC cxx_std_20)
  parconv_include_roots(${name} PUBLIC_ROOT public PRIVATE_ROOT private)
  target_include_directories(parconv_${name} PUBLIC $<BUILD_INTERFACE:${public}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  if(ARG_INTERNAL)
    target_include_directories(parconv_${name} PUBLIC $<BUILD_INTERFACE:${private}>)
  else()
    target_include_directories(parconv_${name} PRIVATE ${private})
  endif()
  set_property(TARGET parconv_${name} PROPERTY PARCONV_PRIVATE_ROOT ${private})
  target_link_libraries(parconv_${name} PUBLIC ${ARG_PUBLIC} PRIVATE $<BUILD_INTERFACE:parconv_options> ${ARG_PRIVATE})
  parconv_use_precompiled(parconv_${name} parconv_precompiled_for_modules)
  if(PARCONV_HAVE_CUDA AND ARG_CUDA)
    target_link_libraries(parconv_${name} PRIVATE ${ARG_CUDA})
    target_compile_definitions(parconv_${name} PRIVATE PARCONV_HAVE_CUDA)
  endif()
  set_property(GLOBAL APPEND PROPERTY PARCONV_MODULES parconv_${name})
endfunction()

# parconv_see_private_headers(TARGET module...): makes private headers of these modules visible to a test or benchmark.
function(parconv_see_private_headers target)
  foreach(name IN LISTS ARGN)
    target_include_directories(${target} PRIVATE $<TARGET_PROPERTY:parconv_${name},PARCONV_PRIVATE_ROOT>)
  endforeach()
endfunction()

# add_parconv_test(NAME [SOURCES file...] [LINK target...] [PRIVATE_HEADERS module...] [NP n...] [LABELS label...] [TIMEOUT seconds] [ARGS arg...])
# One test program: NAME, or with NP, NAME.npN under mpirun for each N. SOURCES default to NAME.cpp, here or in a subfolder. PRIVATE_HEADERS lists
# modules whose private headers the test includes. The label nccl sets the environment for several ranks on one GPU. A test with the label gpu in
# which a case is skipped for lack of a GPU is reported as skipped. Tests with the label threads start threads of ours, or run code that does; the
# target parconv_threads_tests builds them, and the thread sanitizer runs them alone.
function(add_parconv_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;PRIVATE_HEADERS;NP;LABELS;ARGS" ${ARGN})
  if(NOT PARCONV_BUILD_TESTS)
    return()
  endif()
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS ${name}.cpp */${name}.cpp)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(PARCONV_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 10")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE parconv_options ${ARG_LINK})
  parconv_see_private_headers(${name} ${ARG_PRIVATE_HEADERS})
  target_compile_options(${name} PRIVATE ${PARCONV_TEST_OPTIONS})
  parconv_use_precompiled(${name} parconv_precompiled_for_tests)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/bin)
  if(nccl IN_LIST ARG_LABELS)
    list(APPEND PARCONV_TEST_ENVIRONMENT ${PARCONV_NCCL_ENVIRONMENT})
  endif()
  if(gpu IN_LIST ARG_LABELS)
    set(skip SKIP_REGULAR_EXPRESSION "  SKIPPED ")
  endif()
  if(threads IN_LIST ARG_LABELS)
    add_dependencies(parconv_threads_tests ${name})
  endif()
  if(NOT ARG_NP)
    target_link_libraries(${name} PRIVATE GTest::gtest_main GTest::gmock)
    add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "unit;${ARG_LABELS}" ${skip})
    return()
  endif()
  target_link_libraries(${name} PRIVATE parconv_test_mpi_main)
  foreach(np IN LISTS ARG_NP)
    add_test(NAME ${name}.np${np} COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${np} ${MPIEXEC_PREFLAGS}
                                          $<TARGET_FILE:${name}> ${MPIEXEC_POSTFLAGS} ${ARG_ARGS})
    set_tests_properties(${name}.np${np} PROPERTIES PROCESSORS ${np} TIMEOUT ${ARG_TIMEOUT} LABELS "mpi;${ARG_LABELS}" ${skip}
                         ENVIRONMENT "${PARCONV_TEST_ENVIRONMENT}")
  endforeach()
endfunction()
