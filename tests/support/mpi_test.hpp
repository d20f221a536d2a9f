// What tests under mpirun share.
#pragma once

#include "parconv/comm/control.hpp"

namespace parconv::test {

/// All ranks of the test program, on a communicator that the harness does not use itself. Valid inside tests.
Control& control();

inline int rank() { return control().rank(); }
inline int num_ranks() { return control().size(); }

}  // namespace parconv::test
