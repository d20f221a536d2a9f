// SPDX-License-Identifier: Apache-2.0
// Correct programs for fault injection.
#pragma once

#include <vector>

#include "parconv/plan/plan.hpp"
#include "parconv/program/compile.hpp"
#include "support/random.hpp"

namespace parconv::test {

struct MutationCase {
  Network network{};
  Plan plan{};
  CompileOptions options{};
  std::vector<Program> programs{};
};

/// Number `seed` of an endless list of small networks on 2 to 6 ranks, in turn: with residuals, a Concat and global pooling under
/// every named split; with skips over stages; random graphs on random plans; branches on ranks of their own.
MutationCase mutation_case(std::uint64_t seed);

/// Features that a set of cases needs so that every mutation has a site.
struct Features {
  bool has_stages = false;
  bool has_divided_sums = false;
  bool has_concat = false;
  bool has_residual = false;
  bool has_margins = false;
  bool has_several_slots = false;
};
Features features_of(const MutationCase& mutation_case);

}  // namespace parconv::test
