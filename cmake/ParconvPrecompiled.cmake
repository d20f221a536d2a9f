# SPDX-License-Identifier: Apache-2.0
# Precompiled headers: parsing the standard library and GoogleTest takes longer than compiling most sources. Sources include what they use all the
# same, since PARCONV_PRECOMPILE may be OFF.
option(PARCONV_PRECOMPILE "Precompile the headers that most sources include" ${PROJECT_IS_TOP_LEVEL})

set(PARCONV_COMMON_HEADERS
    <algorithm> <array> <cmath> <cstddef> <cstdint> <cstring> <functional> <limits> <map> <memory> <numeric> <optional> <set> <span> <sstream> <string>
    <string_view> <tuple> <utility> <variant> <vector>)

# parconv_precompiled(NAME OPTION... HEADERS header...): the target NAME, which only precompiles HEADERS with these compiler options. PROGRAM makes
# the headers those of programs, whose code has other options than that of libraries.
function(parconv_precompiled name)
  cmake_parse_arguments(ARG "PROGRAM" "" "OPTIONS;LINK;HEADERS" ${ARGN})
  if(NOT PARCONV_PRECOMPILE)
    return()
  endif()
  set(source ${PROJECT_BINARY_DIR}/precompiled/${name}.cpp)
  if(ARG_PROGRAM)
    file(CONFIGURE OUTPUT ${source} CONTENT "int main() { return 0; }\n")
    add_executable(${name} ${source})
  else()
    file(CONFIGURE OUTPUT ${source} CONTENT "// Only the headers of ${name} are compiled.\n")
    add_library(${name} OBJECT ${source})
  endif()
  target_link_libraries(${name} PRIVATE parconv_options ${ARG_LINK})
  target_compile_options(${name} PRIVATE ${ARG_OPTIONS})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

# parconv_use_precompiled(TARGET NAME): TARGET includes the headers of parconv_precompiled(NAME ...) first.
function(parconv_use_precompiled target name)
  if(TARGET ${name})
    target_precompile_headers(${target} REUSE_FROM ${name})
    # ccache needs it.
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
  endif()
endfunction()
