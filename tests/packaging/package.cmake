# SPDX-License-Identifier: Apache-2.0
# Installs BUILD_DIR (configuration CONFIG) below WORK_DIR, builds packaging/example of SOURCE_DIR against it, and checks what it prints.
cmake_minimum_required(VERSION 3.22)

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    string(REPLACE ";" " " command "${ARGV}")
    message(FATAL_ERROR "${command}: ${status}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(prefix ${WORK_DIR}/prefix)
set(example ${WORK_DIR}/example)
file(REMOVE_RECURSE ${WORK_DIR})

run(${CMAKE_COMMAND} --install ${BUILD_DIR} --config ${CONFIG} --prefix ${prefix})
file(GLOB_RECURSE test_headers ${prefix}/include/*fault*)
if(test_headers)
  message(FATAL_ERROR "Headers for tests are installed: ${test_headers}")
endif()
run(${CMAKE_COMMAND} -S ${SOURCE_DIR}/packaging/example -B ${example} -G ${GENERATOR} -DCMAKE_BUILD_TYPE=${CONFIG}
    -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_COMPILER=${CXX_COMPILER} -DCMAKE_C_COMPILER=${C_COMPILER})
run(${CMAKE_COMMAND} --build ${example} --config ${CONFIG})

# 8 x 8 ones, twice summed over 3 x 3 windows: a corner is 4+6+6+9 = 25, the middle 9 * 9 = 81. Alike on one rank and split by rows.
foreach(ranks 1 3)
  run(${MPIRUN} -np ${ranks} ${example}/example)
  set(split "h=${ranks}")
  if(ranks EQUAL 1)
    set(split "1")
  endif()
  foreach(line "split ${split}\n" "25 40 45 45 45 45 40 25\n40 64 72" "45 72 81 81 81 81 72 45")
    if(NOT output MATCHES "${line}")
      message(FATAL_ERROR "The example did not print '${line}' on ${ranks} ranks but:\n${output}")
    endif()
  endforeach()
endforeach()

# For a project without C, the message must state why parconv is not found.
file(WRITE ${WORK_DIR}/without_c/CMakeLists.txt
     "cmake_minimum_required(VERSION 3.22)\nproject(without_c LANGUAGES CXX)\nfind_package(parconv REQUIRED)\n")
execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK_DIR}/without_c -B ${WORK_DIR}/without_c/build -G ${GENERATOR}
                        -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_COMPILER=${CXX_COMPILER}
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0 OR NOT output MATCHES "LANGUAGES[ \n]+C[ \n]+CXX")
  message(FATAL_ERROR "The package did not ask a project without C to enable it:\n${output}")
endif()
