# How targets of parconv are made: warnings, sanitizers, one static library a module, tests at several rank counts.

add_library(parconv_options INTERFACE)
# nvcc takes options for the code of the host behind -Xcompiler only.
target_compile_options(parconv_options INTERFACE
  "$<$<COMPILE_LANGUAGE:C,CXX>:-Wall;-Wextra;-Wconversion;-Wshadow;-Wnon-virtual-dtor;-Wold-style-cast>"
  "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>")
if(PARCONV_WARNINGS_AS_ERRORS)
  target_compile_options(parconv_options INTERFACE "$<$<COMPILE_LANGUAGE:C,CXX>:-Werror>"
                                                   "$<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xcompiler=-Werror>")
endif()
if(PARCONV_SANITIZE)
  target_compile_options(parconv_options INTERFACE
                         "$<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=${PARCONV_SANITIZE};-fno-omit-frame-pointer>")
  target_link_options(parconv_options INTERFACE -fsanitize=${PARCONV_SANITIZE})
endif()

# parconv_module(NAME [PUBLIC target...] [PRIVATE target...] [CUDA target...]): static library parconv_NAME of all .cpp files under
# src/NAME. PUBLIC names modules that its headers use; PRIVATE names libraries that only its sources see. CUDA names those of a build
# for GPUs, which alone has the files cuda_*, cudnn_* and nccl_* (.cpp and .cu), and defines PARCONV_HAVE_CUDA in the module's sources.
function(parconv_module name)
  cmake_parse_arguments(ARG "" "" "PUBLIC;PRIVATE;CUDA" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp ${PROJECT_SOURCE_DIR}/src/${name}/*.cu)
  if(NOT PARCONV_HAVE_CUDA)
    list(FILTER sources EXCLUDE REGEX "/(cuda|cudnn|nccl)_[^/]*$")
  endif()
  add_library(parconv_${name} STATIC ${sources})
  add_library(parconv::${name} ALIAS parconv_${name})
  target_compile_features(parconv_${name} PUBLIC cxx_std_20)
  target_include_directories(parconv_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                                    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_include_directories(parconv_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(parconv_${name} PUBLIC ${ARG_PUBLIC} PRIVATE $<BUILD_INTERFACE:parconv_options> ${ARG_PRIVATE})
  if(PARCONV_HAVE_CUDA AND ARG_CUDA)
    target_link_libraries(parconv_${name} PRIVATE ${ARG_CUDA})
    target_compile_definitions(parconv_${name} PRIVATE PARCONV_HAVE_CUDA)
  endif()
  set_property(GLOBAL APPEND PROPERTY PARCONV_MODULES parconv_${name})
endfunction()

# add_parconv_test(NAME [SOURCES file...] [LINK target...] [NP n...] [LABELS label...] [TIMEOUT seconds] [ARGS arg...])
# One test program. Without NP: NAME, run as it is. With NP: NAME.npN under mpirun, once for each N. SOURCES default to NAME.cpp.
# A test with the label nccl gets what several ranks on one GPU need. A test with the label gpu that skips a case for want of a GPU counts as skipped.
function(add_parconv_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;NP;LABELS;ARGS" ${ARGN})
  if(NOT PARCONV_BUILD_TESTS)
    return()
  endif()
  if(NOT ARG_SOURCES)
    set(ARG_SOURCES ${name}.cpp)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE parconv_options ${ARG_LINK})
  # The libraries do the work; tests are compiled once and run for seconds.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/bin)
  if(nccl IN_LIST ARG_LABELS)
    list(APPEND PARCONV_TEST_ENVIRONMENT ${PARCONV_NCCL_ENVIRONMENT})
  endif()
  if(gpu IN_LIST ARG_LABELS)
    set(skip SKIP_REGULAR_EXPRESSION "  SKIPPED ")
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
