# Fails if a file of SOURCE includes a header that its place may not see. Rows: a pattern of headers, and a pattern of the files, by
# path below src, that may include them.
set(rows
    "cuda[_a-z]*\\.h|cuda_[a-z0-9_]*\\.h|nvtx3/.*"  "^(device|comm|compute)/(cuda|cudnn|nccl)_"
    "cudnn[_a-z]*\\.h(pp)?|cudnn_frontend.*"         "^compute/cudnn_"
    "nccl\\.h"                                       "^comm/nccl_"
    "mpi\\.h|mpi-ext\\.h"                            "^(comm/|io/hdf5_)"
    "hdf5\\.h"                                       "^io/hdf5_"
    "onnx/.*|google/.*"                              "^io/(onnx_|constants)"
    "oneapi/.*|dnnl.*"                               "^compute/onednn_")

function(includes_of file result)
  file(STRINGS ${file} lines REGEX "^ *# *include *[<\"]")
  list(TRANSFORM lines REPLACE "^ *# *include *[<\"]([^>\"]*)[>\"].*" "\\1")
  set(${result} "${lines}" PARENT_SCOPE)
endfunction()

# Sets `problems` to one line for each header that a file may not see.
function(check_file file below_src)
  includes_of(${file} includes)
  set(table ${rows})
  while(table)
    list(POP_FRONT table headers places)
    foreach(include IN LISTS includes)
      if(include MATCHES "^(${headers})$" AND NOT below_src MATCHES "${places}")
        list(APPEND problems "${file} includes ${include}")
      endif()
    endforeach()
  endwhile()
  set(problems "${problems}" PARENT_SCOPE)
endfunction()

set(problems "")
file(GLOB_RECURSE files ${SOURCE}/src/*.?pp ${SOURCE}/src/*.cu ${SOURCE}/src/*.cuh)
list(LENGTH files count)
if(count LESS 100)
  message(FATAL_ERROR "only ${count} files below ${SOURCE}/src")
endif()
foreach(file IN LISTS files)
  file(RELATIVE_PATH below_src ${SOURCE}/src ${file})
  check_file(${file} ${below_src})
endforeach()
file(GLOB_RECURSE files ${SOURCE}/include/*.hpp ${SOURCE}/apps/*.?pp)
foreach(file IN LISTS files)
  check_file(${file} "not below src")
endforeach()

# The check itself: a file that breaks a rule is seen.
set(sample ${CMAKE_CURRENT_BINARY_DIR}/purity_sample.cpp)
file(WRITE ${sample} "#include <cuda_runtime_api.h>\n")
set(found "${problems}")
set(problems "")
check_file(${sample} "engine/engine.cpp")
file(REMOVE ${sample})
if(NOT problems)
  message(FATAL_ERROR "the check does not see a header of CUDA in the engine")
endif()
if(found)
  list(JOIN found "\n" text)
  message(FATAL_ERROR "${text}")
endif()
