// SPDX-License-Identifier: Apache-2.0
#include "parconv/program/compile.hpp"

#include "program/compile/rank_compiler.hpp"

namespace parconv {

Program compile(const Network& network, const Layout& layout, int rank) { return RankCompiler(network, layout, rank).build(); }

std::vector<Program> compile_all(const Network& network, const Layout& layout) {
  std::vector<Program> programs;
  for (int rank = 0; rank < layout.num_ranks; ++rank) programs.push_back(compile(network, layout, rank));
  return programs;
}

}  // namespace parconv
