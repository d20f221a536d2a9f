// From a plan to programs. Pure.
#pragma once

#include "parconv/program/program.hpp"

namespace parconv {

/// The program of one rank.
Program compile(const Network& network, const Layout& layout, int rank);

/// The programs of all ranks.
std::vector<Program> compile_all(const Network& network, const Layout& layout);

}  // namespace parconv
