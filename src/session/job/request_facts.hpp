// SPDX-License-Identifier: Apache-2.0
// The options of a request that all ranks must have in common.
#pragma once

#include <vector>

#include "parconv/comm/agreement.hpp"
#include "parconv/session/request.hpp"

namespace parconv {

/// Options under the names of the command line. Left out are those that may differ: paths of files that are read, since hosts may
/// have copies, and the number of threads. Local.
std::vector<Fact> facts_of(const Request& request);

/// Those that the numbers of the results depend on, whatever the split, the backend and the machine.
std::vector<Fact> result_facts_of(const Request& request);

}  // namespace parconv
