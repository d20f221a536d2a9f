# SPDX-License-Identifier: Apache-2.0
# Fails if the proof of programs uses code of what it proves: headers of the compiler and of memory assignment, or what they find
# out about accesses and lifetimes.
set(headers "program/(arena|rank_compiler|lifetime_index|compile/[a-z_]*)\\.hpp|parconv/program/(compile|layout|placement)\\.hpp")
set(names "accesses_of|lifetimes_of|slots_needed|assign_memory|RankCompiler|LifetimeIndex")

file(GLOB files ${SOURCE}/src/program/verify/*.?pp)
list(APPEND files ${SOURCE}/include/parconv/program/proof.hpp)
list(LENGTH files count)
if(count LESS 15)
  message(FATAL_ERROR "only ${count} files of the proof")
endif()
function(check_text name text)
  if(text MATCHES "# *include *[<\"](${headers})" OR text MATCHES "(^|[^a-zA-Z_])(${names})[^a-zA-Z_]")
    set(problem "${name}: ${CMAKE_MATCH_0}" PARENT_SCOPE)
  endif()
endfunction()

# The check itself.
foreach(sample "#include \"program/arena.hpp\"\n" "for (const Access& a : accesses_of(program, step))")
  set(problem "")
  check_text("sample" "${sample}")
  if(problem STREQUAL "")
    message(FATAL_ERROR "the check does not see ${sample}")
  endif()
endforeach()

foreach(file IN LISTS files)
  set(problem "")
  file(READ ${file} text)
  check_text(${file} "${text}")
  if(NOT problem STREQUAL "")
    message(FATAL_ERROR "the proof uses what it proves: ${problem}")
  endif()
endforeach()
