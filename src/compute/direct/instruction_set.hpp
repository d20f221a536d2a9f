// SPDX-License-Identifier: Apache-2.0
// The instruction sets for which the kernels of the cpu backend are compiled.
#pragma once

#include <string>

namespace parconv::direct {

/// From the plainest to the widest. Results have the same bits under all of them.
enum class InstructionSet { Portable, Avx2, Avx512 };

/// "portable", "avx2" or "avx512".
std::string name_of(InstructionSet set);

/// True if this build has kernels for `set` and this CPU executes them. Avx2 includes FMA and F16C.
bool is_supported(InstructionSet set);

/// The widest supported set, or the one that the environment variable PARCONV_ISA names. Local. Throws Error(Usage) if that
/// is no name, and Error(Unavailable) if this machine does not support it.
InstructionSet instruction_set();

}  // namespace parconv::direct
