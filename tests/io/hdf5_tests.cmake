# Tests of HDF5 input and output; they write and read files with the library itself.
foreach(name hdf5_source_test hdf5_bad_input_test hdf5_pieces_test hdf5_chunk_test)
  add_parconv_test(${name} LINK parconv::io parconv_hdf5)
endforeach()
target_include_directories(hdf5_pieces_test PRIVATE ${PROJECT_SOURCE_DIR}/src)

add_parconv_test(hdf5_sink_test NP 1 2 3 4 LINK parconv::io parconv_hdf5 parconv_xxhash GTest::gmock)
target_compile_definitions(hdf5_sink_test PRIVATE PARCONV_TEST_PYTHON="/usr/bin/python3"
                                                  PARCONV_TEST_SCRIPT="${CMAKE_CURRENT_SOURCE_DIR}/hdf5_read_output.py")

# On a small disk of its own.
add_parconv_test(hdf5_disk_full_test NP 1 LINK parconv::io parconv_hdf5)
add_test(NAME hdf5_disk_full_small_disk.np2
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/hdf5_disk_full.sh ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} 2 ${MPIEXEC_PREFLAGS}
                 $<TARGET_FILE:hdf5_disk_full_test>)
set_tests_properties(hdf5_disk_full_small_disk.np2 PROPERTIES PROCESSORS 2 TIMEOUT 120 LABELS mpi
                     ENVIRONMENT "${PARCONV_TEST_ENVIRONMENT}")
