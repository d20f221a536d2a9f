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
run(${CMAKE_COMMAND} -S ${SOURCE_DIR}/packaging/example -B ${example} -G ${GENERATOR} -DCMAKE_BUILD_TYPE=${CONFIG}
    -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_COMPILER=${CXX_COMPILER} -DCMAKE_C_COMPILER=${C_COMPILER})
run(${CMAKE_COMMAND} --build ${example} --config ${CONFIG})
run(${example}/halo_example)

# 56 rows in blocks of 14; 28 outputs in blocks of 7, of which rank 1 makes [7, 14) from rows [2*7 - 1, 2*13 - 1 + 3).
foreach(line
        "split h=4 of 1x64x1x56x56"
        "rank 1 owns [^\n]*h\\[14,28\\)[^\n]* needs [^\n]*h\\[13,28\\)"
        "rank 0 sends [^\n]*h\\[13,14\\)[^\n]* to rank 1"
        "rank 2 sends [^\n]*h\\[41,42\\)[^\n]* to rank 3")
  if(NOT output MATCHES "${line}")
    message(FATAL_ERROR "The example did not print '${line}' but:\n${output}")
  endif()
endforeach()

# Eight rows of sums over two rows of windows, from four ranks.
run(${MPIRUN} -np 4 ${example}/run_network)
foreach(line "split h=4" "25 40 45")
  if(NOT output MATCHES "${line}")
    message(FATAL_ERROR "The network example did not print '${line}' but:\n${output}")
  endif()
endforeach()

# A project without C must be told why parconv is not found.
file(WRITE ${WORK_DIR}/without_c/CMakeLists.txt
     "cmake_minimum_required(VERSION 3.22)\nproject(without_c LANGUAGES CXX)\nfind_package(parconv REQUIRED)\n")
execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK_DIR}/without_c -B ${WORK_DIR}/without_c/build -G ${GENERATOR}
                        -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_COMPILER=${CXX_COMPILER}
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0 OR NOT output MATCHES "LANGUAGES[ \n]+C[ \n]+CXX")
  message(FATAL_ERROR "A project without C was not told to enable it:\n${output}")
endif()
