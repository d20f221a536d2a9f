// SPDX-License-Identifier: Apache-2.0
// Fault injection, for tests of failing jobs. Only builds with the CMake option PARCONV_FAULTS read the variable.
//
//   PARCONV_FAULT="rank=1,phase=run,kind=hang,tick=2"
//
// rank   the failing rank (0); all: every rank
// phase  start, place, read, open, plan, check, create, prepare, verify, run, record, finish, report or end (run)
// kind   throw: an error; exit: the process ends without ending MPI; hang: the process blocks forever; kill: SIGKILL;
//        stop: the process stops itself (SIGSTOP)
//        wrong: in phase verify, the input of the rank is altered, so that its results are wrong
// tick   in phase run: after this many ticks (0: before the first); in phase record: at this step of a record, see OutputFiles;
//        in phase end: 1 is after MPI_Finalize
#pragma once

#include "parconv/core/types.hpp"
#include "parconv/session/job/job_phase.hpp"

namespace parconv::app {

using Phase = JobPhase;

enum class FaultKind { None, Throw, Exit, Hang, Kill, Wrong, Stop };

inline constexpr int every_rank = -1;

struct InjectedFault {
  FaultKind kind = FaultKind::None;
  int rank = 0;
  Phase phase = Phase::Run;
  index_t tick = 0;

  bool is_due(int at_rank, Phase at_phase, index_t at_tick) const {
    return kind != FaultKind::None && (rank == at_rank || rank == every_rank) && phase == at_phase && tick == at_tick;
  }
};

/// The fault requested by the environment; none in builds without PARCONV_FAULTS. Throws Error(Config) for malformed text.
InjectedFault fault_from_environment();

/// Throws, ends, stops or kills this process; does nothing for None and Wrong.
void raise_fault(FaultKind kind);

}  // namespace parconv::app
