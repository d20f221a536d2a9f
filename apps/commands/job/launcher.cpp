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

/// Numbers of processes in the environments of MPICH, PALS, MVAPICH and Slurm.
constexpr std::array size_variables{"PMI_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"};

}  // namespace

int launched_rank() {
  const char* text = launched_rank_text();
  return text == nullptr ? 0 : std::atoi(text);
}

bool is_launched() { return launched_rank_text() != nullptr; }

std::optional<ForeignLauncher> foreign_launcher() {
  if (std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr || std::getenv("PMIX_RANK") != nullptr) return std::nullopt;
  for (const char* name : size_variables) {
    const char* text = std::getenv(name);
    const int processes = text == nullptr ? 0 : std::atoi(text);
    if (processes > 1) return ForeignLauncher{.variable = name, .processes = processes, .rank = launched_rank()};
  }
  return std::nullopt;
}

}  // namespace parconv::app
