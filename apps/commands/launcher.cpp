// SPDX-License-Identifier: Apache-2.0
#include "launcher.hpp"

#include <array>
#include <cstdlib>

namespace parconv::app {
namespace {

/// Ranks in the environments of Open MPI, PMIx, MPICH, MVAPICH and Slurm; the launcher closest to the process first.
constexpr std::array rank_variables{"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID"};

const char* launched_rank_text() {
  for (const char* name : rank_variables)
    if (const char* text = std::getenv(name)) return text;
  return nullptr;
}

}  // namespace

int launched_rank() {
  const char* text = launched_rank_text();
  return text == nullptr ? 0 : std::atoi(text);
}

bool is_launched() { return launched_rank_text() != nullptr; }

}  // namespace parconv::app
