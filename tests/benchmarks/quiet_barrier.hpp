// A barrier whose waiting ranks leave their cores idle.
#pragma once

#include "parconv/comm/control.hpp"

namespace parconv::bench {

/// Collective over `control`. Sleeps while it waits, so that the ranks that still work are not disturbed.
void quiet_barrier(const Control& control);

}  // namespace parconv::bench
