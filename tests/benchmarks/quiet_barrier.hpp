// SPDX-License-Identifier: Apache-2.0
// A barrier that leaves the cores of waiting ranks idle.
#pragma once

#include "parconv/comm/control.hpp"

namespace parconv::bench {

/// Collective over `control`. Sleeps while waiting, so as not to disturb the ranks that are still working.
void quiet_barrier(const Control& control);

}  // namespace parconv::bench
