# SPDX-License-Identifier: Apache-2.0
# Runs a program and compares its exit status, which CTest alone cannot:
#   cmake -D EXIT=76 [-D MATCH=regex] [-D SECONDS=n] -P expect_exit.cmake -- program arguments...
# MATCH must occur in stdout or stderr. SECONDS (default 60) is the time limit.
if(NOT SECONDS)
  set(SECONDS 60)
endif()
set(command "")
set(is_command FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(is_command)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(is_command TRUE)
  endif()
endforeach()

execute_process(COMMAND ${command} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output TIMEOUT ${SECONDS})
message("${output}")
if(NOT "${status}" STREQUAL "${EXIT}")
  message(FATAL_ERROR "exit status ${status}, expected ${EXIT}")
endif()
if(MATCH AND NOT output MATCHES "${MATCH}")
  message(FATAL_ERROR "the output does not match \"${MATCH}\"")
endif()
