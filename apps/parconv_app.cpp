// SPDX-License-Identifier: Apache-2.0
// parconv_app: the command line of parconv.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <thread>

#include "commands/command_facts.hpp"
#include "commands/commands.hpp"
#include "commands/job/job_voice.hpp"
#include "commands/job/launcher.hpp"
#include "commands/job/signals.hpp"
#include "parconv/device/resource_limits.hpp"
#include "parconv/session/machine.hpp"

namespace {

using namespace parconv;
using namespace parconv::app;

/// Local commands, run once per job by the launcher's first rank.
template <class Work>
int once(Work&& work) {
  if (launched_rank() != 0) return static_cast<int>(ExitCode::Ok);
  FatalSignalNotes signals;
  signals.start(nullptr, nullptr);
  try {
    return work();
  } catch (...) {
    const Error error = to_error(std::current_exception());
    print_error(error);
    return static_cast<int>(error.code());
  }
}

bool computes(const RunCommand& command) { return !command.is_dry_run; }
bool computes(const DemoCommand&) { return true; }

/// Each process would compute the whole job.
int refuse(const ForeignLauncher& launcher) {
  const Error error(
      ExitCode::Config,
      concat("the launcher started ", launcher.processes, " processes (", launcher.variable, "), but MPI sees one rank in each"),
      "Use the mpirun of the MPI that parconv was built with, or srun --mpi=pmix.");
  if (launcher.rank == 0) print_error(error);
  return static_cast<int>(error.code());
}

/// Two of Open MPI, which prints a text of its own and ends the process if it cannot start them, and the job's watchdog.
constexpr int threads_to_come = 3;
/// Open MPI 4 opens as many, and ends the process if it cannot.
constexpr int files_to_come = 12;

/// Commands of all ranks. An error is printed once and ends the job.
template <class Command, class Work>
int in_job(const Command& command, Work&& work) {
  const std::optional<ForeignLauncher> launcher = foreign_launcher();
  LaunchedJob job(command.timeout_seconds);
  require_threads(threads_to_come);
  require_open_files(files_to_come);
  const MpiEnvironment environment;
  try {
    job.start(environment);
    if (launcher && job.context().size() == 1 && computes(command)) return refuse(*launcher);
    job.context().require_agreement(JobPhase::Start, facts_of(command));
    const int code = work(job);
    job.finish(static_cast<ExitCode>(code));
    return code;
  } catch (...) {
    job.end(std::current_exception());
  }
}

int execute(const ExitNow& exit) {
  // Launchers end a job when the first process fails: each returns the code, one prints.
  if (launched_rank() == 0) std::fputs(exit.text.c_str(), exit.code == 0 ? stdout : stderr);
  return exit.code;
}

/// Uses the ranks and hosts of the job unless options specify others.
int dry_run_in_job(LaunchedJob& job, const RunCommand& command) {
  const Control& control = job.context().control();
  const DryRunMachine machine{.ranks = control.size(),
                              .hosts = command.dry_run.hosts > 0 ? command.dry_run.hosts : num_hosts(control),
                              .gpu = command.dry_run.gpu};
  return job.context().together(JobPhase::Plan, [&] { return job.is_root() ? print_dry_run(command, machine) : 0; });
}

int dry_run_alone(const RunCommand& command) {
  const DryRunMachine machine{
      .ranks = std::max(1, command.dry_run.ranks), .hosts = std::max(1, command.dry_run.hosts), .gpu = command.dry_run.gpu};
  return once([&] { return print_dry_run(command, machine); });
}

int execute(const RunCommand& command) {
  if (!command.is_dry_run) listen_for_stop_requests();
  if (command.is_dry_run && (command.dry_run.ranks > 0 || !is_launched())) return dry_run_alone(command);
  return in_job(command, [&](LaunchedJob& job) { return command.is_dry_run ? dry_run_in_job(job, command) : run(job, command); });
}

int execute(const InspectCommand& command) {
  return once([&] { return inspect(command); });
}

int execute(const DemoCommand& command) {
  return in_job(command, [&](LaunchedJob& job) { return demonstrate(job, command); });
}

/// For errors before the ranks are connected, such as a limit on threads. All processes of a host may have the same one; it is
/// printed once, and launchers end a job when the first process fails.
[[noreturn]] void end_unconnected(const std::exception_ptr& exception) noexcept {
  const Error error = to_error(exception);
  const JobVoice voice;
  const bool speaks = voice.may_speak_at_once();
  if (speaks) print_error(error);
  if (is_launched()) std::this_thread::sleep_for(std::chrono::milliseconds(speaks ? 300 : 2000));
  MpiEnvironment::abort(static_cast<int>(error.code()));
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond ulimit -f then fails with EFBIG
  LastResort::install();
  try {
    return std::visit([](const auto& command) { return execute(command); }, parse_command_line(argc, argv));
  } catch (...) {
    end_unconnected(std::current_exception());
  }
}
