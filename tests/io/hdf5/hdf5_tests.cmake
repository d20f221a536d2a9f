# SPDX-License-Identifier: Apache-2.0
# Tests of HDF5 input and output, with files written and read by the HDF5 library directly.
foreach(name hdf5_bad_input_test hdf5_hyperslabs_test hdf5_chunk_test)
  add_parconv_test(${name} LINK parconv::io parconv_hdf5 PRIVATE_HEADERS io)
endforeach()
foreach(name hdf5_source_test hdf5_threads_test)
  add_parconv_test(${name} LINK parconv::io parconv_hdf5 PRIVATE_HEADERS io LABELS threads)
endforeach()

add_parconv_test(hdf5_sink_test NP 1 2 3 4 LINK parconv::io parconv_hdf5 parconv_xxhash GTest::gmock PRIVATE_HEADERS io LABELS threads)
target_compile_definitions(hdf5_sink_test PRIVATE PARCONV_TEST_PYTHON="/usr/bin/python3"
                                                  PARCONV_TEST_SCRIPT="${CMAKE_CURRENT_LIST_DIR}/hdf5_read_output.py")

# On a small disk.
add_parconv_test(hdf5_disk_full_test NP 1 LINK parconv::io parconv_hdf5)
add_test(NAME hdf5_disk_full_small_disk.np2
         COMMAND ${CMAKE_CURRENT_LIST_DIR}/hdf5_disk_full.sh ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} 2 ${MPIEXEC_PREFLAGS}
                 $<TARGET_FILE:hdf5_disk_full_test>)
set_tests_properties(hdf5_disk_full_small_disk.np2 PROPERTIES PROCESSORS 2 TIMEOUT 120 LABELS mpi
                     ENVIRONMENT "${PARCONV_TEST_ENVIRONMENT}")
