// SPDX-License-Identifier: Apache-2.0
// A small application that fails on rank 1 in the way named by its argument, while the other ranks exchange messages with it
// endlessly. CTest compares the exit status of the job.
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <map>
#include <string>

#include "parconv/comm/coordinated.hpp"
#include "parconv/comm/mpi/mpi_communicator.hpp"
#include "parconv/comm/watchdog.hpp"
#include "support/fakes/faulty_communicator.hpp"

namespace {

using namespace parconv;
using test::Fault;
using test::FaultPlan;
using test::FaultPoint;
using test::make_faulty_communicator;

FaultPlan plan_of(const std::string& name, int rank) {
  const std::map<std::string, Fault> faults{
      {"throw", Fault::Throw}, {"exit", Fault::Exit}, {"hang", Fault::Hang}, {"kill", Fault::Kill}};
  const auto found = faults.find(name);
  if (rank != 1 || found == faults.end()) return {};
  return {.fault = found->second, .at = FaultPoint::Finish, .call = 20};
}

void exchange_for_ever(Communicator& communicator, Watchdog& watchdog) {
  const int next = (communicator.rank() + 1) % communicator.size();
  const int previous = (communicator.rank() + communicator.size() - 1) % communicator.size();
  std::byte sent{1};
  std::byte received{};
  const SendMessage send{next, &sent, 1};
  const ReceiveMessage receive{previous, &received, 1};
  const auto exchange = communicator.prepare(0, {&send, 1}, {&receive, 1});
  while (true) {
    exchange->start();
    exchange->finish();
    watchdog.kick();
  }
}

void run(const std::string& fault) {
  const MpiEnvironment mpi;
  Control control(mpi);
  Watchdog watchdog([](const std::string& phase, double seconds) {
    std::fprintf(stderr, "%s took more than %g s\n", phase.c_str(), seconds);
    ::_exit(static_cast<int>(ExitCode::Communication));
  });
  coordinated(control, "checking", [&] {
    if (fault == "refuse" && control.rank() == 1) throw Error(ExitCode::BadData, "refused");
  });
  const WatchdogPhase phase(watchdog, "exchanging", 1.0);
  const auto communicator = make_faulty_communicator(make_mpi_communicator(control), plan_of(fault, control.rank()));
  exchange_for_ever(*communicator, watchdog);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? argv[1] : "");
  } catch (...) {
    const Error error = to_error(std::current_exception());
    std::fprintf(stderr, "error: %s\n", error.what());
    MpiEnvironment::abort(static_cast<int>(error.code()));
  }
}
