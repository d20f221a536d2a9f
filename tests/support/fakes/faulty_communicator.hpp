// SPDX-License-Identifier: Apache-2.0
// A communicator that fails on purpose.
#pragma once

#include <memory>

#include "parconv/comm/communicator.hpp"
#include "parconv/core/types.hpp"

namespace parconv::test {

/// What goes wrong: nothing; Error(Communication) is thrown; the process ends without ending MPI; it hangs; it is
/// killed.
enum class Fault { None, Throw, Exit, Hang, Kill };

/// The calls that are counted.
enum class FaultPoint { Start, Finish };

/// One fault of one rank. A epilogue counts also where a test has completed the exchange already.
struct FaultPlan {
  Fault fault = Fault::None;
  FaultPoint at = FaultPoint::Start;
  /// The call that fails, over all exchanges of the communicator, counted from 1. The fault comes before the call is passed on.
  index_t call = 1;
  /// For Fault::Exit.
  int exit_code = 7;
};

/// Forwards everything to `inner` until the fault. Each rank has its own plan. Its exchanges must not outlive it.
std::unique_ptr<Communicator> make_faulty_communicator(std::unique_ptr<Communicator> inner, const FaultPlan& plan);

}  // namespace parconv::test
