// SPDX-License-Identifier: Apache-2.0
// What all ranks must have in common before they communicate otherwise.
#pragma once

#include <vector>

#include "options/command_line.hpp"
#include "parconv/comm/agreement.hpp"

namespace parconv::app {

/// The program, the command, and its options outside of the Request, which a Session compares. Local.
std::vector<Fact> facts_of(const RunCommand& command);
std::vector<Fact> facts_of(const DemoCommand& command);

/// The version, of which the bits of results may depend.
Fact fact_of_version();

}  // namespace parconv::app
