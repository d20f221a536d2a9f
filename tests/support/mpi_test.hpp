// SPDX-License-Identifier: Apache-2.0
// Support for tests under mpirun.
#pragma once

#include "parconv/comm/control.hpp"

namespace parconv::test {

/// All ranks of the test program, on a communicator that the harness itself does not use. Valid inside tests.
Control& control();

inline int rank() { return control().rank(); }
inline int num_ranks() { return control().size(); }

}  // namespace parconv::test
