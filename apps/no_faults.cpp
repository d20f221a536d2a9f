// SPDX-License-Identifier: Apache-2.0
// Builds without PARCONV_FAULTS: no fault injection.
#include "fault.hpp"

namespace parconv::app {

InjectedFault fault_from_environment() { return {}; }

void raise_fault(FaultKind) {}

}  // namespace parconv::app
