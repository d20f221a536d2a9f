# SPDX-License-Identifier: Apache-2.0
# Fails if PROGRAM depends on the CUDA driver library. READELF is the path of readelf.
execute_process(COMMAND ${READELF} -d ${PROGRAM} OUTPUT_VARIABLE output RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR NOT output MATCHES "libc\\.so")
  message(FATAL_ERROR "what ${PROGRAM} needs could not be read: ${output}")
endif()
if(output MATCHES "libcuda\\.so")
  message(FATAL_ERROR "${PROGRAM} needs libcuda.so, so it does not start without a GPU's driver")
endif()
