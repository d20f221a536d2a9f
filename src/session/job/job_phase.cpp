// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/job/job_phase.hpp"

#include <array>

namespace parconv {
namespace {

constexpr std::array names{"starting",
                           "choosing devices",
                           "reading the model",
                           "opening the input",
                           "planning",
                           "checking the programs",
                           "creating the output",
                           "preparing",
                           "verifying",
                           "running",
                           "recording the progress",
                           "finishing the output",
                           "reporting",
                           "ending"};

}  // namespace

std::string name_of(JobPhase phase) { return names[static_cast<std::size_t>(phase)]; }

}  // namespace parconv
