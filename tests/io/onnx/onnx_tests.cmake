# SPDX-License-Identifier: Apache-2.0
# Tests of the ONNX reader.
foreach(test onnx_operators_test onnx_refusals_test onnx_file_test onnx_graph_test onnx_inputs_test onnx_constants_test
             onnx_networks_test onnx_conv_transpose_test onnx_fold_test onnx_types_test onnx_hostile_test onnx_parts_test)
  add_parconv_test(${test} SOURCES ${CMAKE_CURRENT_LIST_DIR}/${test}.cpp LINK parconv_io parconv_onnx_writer)
endforeach()
add_parconv_test(onnx_memory_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/onnx_memory_test.cpp LINK parconv_io parconv_onnx_writer
                 LABELS slow)
foreach(test size_search_test onnx_fit_test)
  add_parconv_test(${test} SOURCES ${CMAKE_CURRENT_LIST_DIR}/${test}.cpp LINK parconv_io parconv_onnx_writer PRIVATE_HEADERS io)
endforeach()
add_parconv_test(operators_page_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/operators_page_test.cpp
                 LINK parconv_io parconv_onnx_proto PRIVATE_HEADERS io)
if(TARGET operators_page_test)
  target_compile_definitions(operators_page_test PRIVATE PARCONV_DOCS="${PROJECT_SOURCE_DIR}/docs")
endif()
