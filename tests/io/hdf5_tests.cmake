# Tests of HDF5 input and output; they write and read files with the library itself.
add_parconv_test(hdf5_source_test LINK parconv::io parconv_hdf5)
add_parconv_test(hdf5_bad_input_test LINK parconv::io parconv_hdf5)
add_parconv_test(hdf5_pieces_test LINK parconv::io parconv_hdf5)
target_include_directories(hdf5_pieces_test PRIVATE ${PROJECT_SOURCE_DIR}/src)
