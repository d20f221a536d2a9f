# SPDX-License-Identifier: Apache-2.0
# Compares the peak memory per rank with that of a single rank, and fails if more than PERCENT of it remains:
#   cmake -D PROGRAM=engine_memory -D "MPIRUN=mpirun;-np" -D RANKS=4 -D SIZE=2048 -D SPLIT=h -D PERCENT=35 -P memory_ratio.cmake
# Fixed costs, measured with a tiny image, are subtracted from both.

function(measure ranks size split result)
  execute_process(COMMAND ${MPIRUN} ${ranks} ${PROGRAM} ${size} ${split} OUTPUT_VARIABLE output ERROR_VARIABLE errors
                  RESULT_VARIABLE status)
  if(NOT status EQUAL 0 OR NOT output MATCHES "peak_kib=([0-9]+)")
    message(FATAL_ERROR "${ranks} ranks at ${size} end with ${status}: ${output}${errors}")
  endif()
  message("${ranks} ranks, ${size} x ${size}, split ${split}: ${CMAKE_MATCH_1} KiB")
  set(${result} ${CMAKE_MATCH_1} PARENT_SCOPE)
endfunction()

measure(1 32 1 tiny_alone)
measure(${RANKS} 32 ${SPLIT} tiny_shared)
measure(1 ${SIZE} 1 alone)
measure(${RANKS} ${SIZE} ${SPLIT} shared)

# A single rank needs at least two activations of one image.
math(EXPR least "2 * 64 * ${SIZE} * ${SIZE} * 4 / 1024")
if(alone LESS least)
  message(FATAL_ERROR "one rank used ${alone} KiB only, less than ${least} KiB: the measurement is wrong")
endif()

math(EXPR alone "${alone} - ${tiny_alone}")
math(EXPR shared "${shared} - ${tiny_shared}")
math(EXPR per_mille "1000 * ${shared} / ${alone}")
message("${shared} of ${alone} KiB: ${per_mille} per mille")
math(EXPR limit "10 * ${PERCENT}")
if(per_mille GREATER_EQUAL limit)
  message(FATAL_ERROR "a rank of ${RANKS} needs ${per_mille} per mille of one rank's memory, ${limit} are allowed")
endif()
