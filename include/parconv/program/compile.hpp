// SPDX-License-Identifier: Apache-2.0
// Compiles plans into programs. Pure.
#pragma once

#include "parconv/program/program.hpp"

namespace parconv {

/// Compiles the program of one rank. Local and pure. Precondition: `layout` is that of `network`, 0 <= rank < layout.num_ranks.
Program compile(const Network& network, const Layout& layout, int rank);

/// Compiles the programs of all ranks, in the order of ranks. Local and pure.
std::vector<Program> compile_all(const Network& network, const Layout& layout);

}  // namespace parconv
