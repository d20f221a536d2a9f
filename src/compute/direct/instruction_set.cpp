// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/instruction_set.hpp"

#include <array>
#include <cstdlib>

#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "parconv/core/error.hpp"

namespace parconv::direct {
namespace {

constexpr std::array sets{InstructionSet::Avx512, InstructionSet::Avx2, InstructionSet::Portable};

#ifdef __x86_64__
/// Clang before 18 does not know this name in __builtin_cpu_supports. The registers are those of AVX.
bool has_f16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

}  // namespace

std::string name_of(InstructionSet set) {
  switch (set) {
    case InstructionSet::Portable:
      return "portable";
    case InstructionSet::Avx2:
      return "avx2";
    case InstructionSet::Avx512:
      return "avx512";
  }
  return "";
}

bool is_supported(InstructionSet set) {
#ifdef __x86_64__
  if (set == InstructionSet::Avx512) return __builtin_cpu_supports("avx512f");
  if (set == InstructionSet::Avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
#endif
  return set == InstructionSet::Portable;
}

InstructionSet instruction_set() {
  const char* const asked = std::getenv("PARCONV_ISA");
  if (asked == nullptr || *asked == '\0') {
    for (const InstructionSet set : sets)
      if (is_supported(set)) return set;
  }
  for (const InstructionSet set : sets) {
    if (asked != name_of(set)) continue;
    if (is_supported(set)) return set;
    throw Error(ExitCode::Unavailable, concat("PARCONV_ISA=", asked, ": this CPU does not execute these instructions"),
                "Unset PARCONV_ISA, or set it to portable.");
  }
  throw Error(ExitCode::Usage, concat("PARCONV_ISA=", asked, " is no instruction set"), "Set it to avx512, avx2 or portable.");
}

}  // namespace parconv::direct
