// Faults on purpose, for tests of what a job does then. Never use it for anything else.
//
//   PARCONV_FAULT="rank=1,phase=run,kind=hang,tick=2"
//
// rank   who fails (0); all: every rank
// phase  place, read, open, plan, check, create, prepare, verify, run or finish (run)
// kind   throw: an error; exit: the process ends without ending MPI; hang: it stops for ever; kill: SIGKILL; wrong: in phase
// verify, the
//        input of the rank is altered, so that its results are wrong
// tick   in phase run: after this many ticks (0: before the first)
#pragma once

#include <string>

#include "parconv/core/types.hpp"

namespace parconv::app {

enum class Phase { Place, Read, Open, Plan, Check, Create, Prepare, Verify, Run, Finish };

/// "reading the model", ...
std::string name_of(Phase phase);

enum class FaultKind { None, Throw, Exit, Hang, Kill, Wrong };

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

/// The fault that the environment asks for. Throws Error(Config) for text without meaning.
InjectedFault fault_from_environment();

/// Throws, ends, stops or kills this process; does nothing for None and Wrong.
void raise_fault(FaultKind kind);

}  // namespace parconv::app
