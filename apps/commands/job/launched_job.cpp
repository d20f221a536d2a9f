// SPDX-License-Identifier: Apache-2.0
#include "launched_job.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "launcher.hpp"
#include "parconv/comm/mpi/mpi_environment.hpp"

namespace parconv::app {
namespace {

using std::chrono::milliseconds;

/// Time that a silent rank waits to be ended by the printing rank. The printing rank stays alive as long, since its name is free
/// again when it ends, and other ranks must find it taken.
constexpr milliseconds silence{8000};
/// Time in which launchers pass the message on: srun -K may lose what a rank printed just before it ended.
constexpr milliseconds pause_after_error{300};
/// Time that a launcher has to end the ranks beside one that died.
constexpr milliseconds pause_after_death{5000};
/// Time that a rank waits before printing after it lost another rank: if that rank has printed and ended, the launcher ends this
/// one soon.
constexpr milliseconds pause_after_loss{1000};
constexpr double ending_seconds = 30;
/// More than the heap of the C library takes at a time.
constexpr std::size_t reserve_bytes = std::size_t{1} << 20;

std::string place_text(const JobPlace& place) {
  const std::string host = place.host.empty() ? std::string() : " on " + place.host;
  return fmt::format("rank {}{}, while {}", place.rank, host, place.phase);
}

/// True if the exit of this process ends the job, without the banner of MPI_ABORT: that of the only rank, and under mpirun of
/// Open MPI. Asked before MPI_Init, which sets variables of launchers.
bool exit_ends_job() { return !is_launched() || std::getenv("OMPI_COMM_WORLD_RANK") != nullptr; }

void print_not_started(double seconds) {
  print_error(Error(ExitCode::Communication, fmt::format("MPI has not started within {:.3g} s", seconds),
                    "A process of the job is missing or stopped before MPI_Init, or the hosts do not reach each other."),
              fmt::format("process {}, in MPI_Init, which waits for all processes that the launcher started", launched_rank()));
}

std::string cause_of(const Pulse& dead) {
  if (dead.signal != 0) return fmt::format("killed by {}", signal_name(dead.signal));
  return "killed by SIGKILL, or ended by a library";
}

}  // namespace

LaunchedJob::LaunchedJob(double timeout_seconds)
    : timeout_seconds_(timeout_seconds),
      exit_ends_job_(exit_ends_job()),
      reserve_(reserve_bytes),
      termination_([this] { before_termination(); }),
      heartbeat_([this](int rank) { end_after_death(rank); }),
      watchdog_([this](const std::string&, double seconds) { expire(seconds); }),
      last_resort_([this](const std::exception_ptr& error) { end(error); }, [this] { return may_speak_without_memory(); }) {
  watchdog_.arm("starting MPI", timeout_seconds_);
}

LaunchedJob::~LaunchedJob() {
  if (!has_finished_) return;
  heartbeat_.leave();
  if (fault_.is_due(launched_rank(), JobPhase::End, 1)) raise_fault(fault_.kind);
}

JobOptions LaunchedJob::options() {
  const auto raise_if_due = [this](JobPhase phase, index_t ticks) {
    enter(phase);
    if (fault_.is_due(context_->rank(), phase, ticks)) raise_fault(fault_.kind);
  };
  return {.timeout_seconds = timeout_seconds_,
          .hooks = {.on_progress = raise_if_due,
                    .stop_reason = [this] { return stop_requests_.reason(); },
                    .on_lone_failure = [this](const std::exception_ptr& error, JobPhase) { end(error); },
                    .on_expiry = [this](const std::string&, double seconds) { expire(seconds); }},
          .heartbeat = &heartbeat_};
}

/// Libraries register functions for exit() when they are first used.
void LaunchedJob::enter(JobPhase phase) {
  const std::uint32_t bit = std::uint32_t{1} << static_cast<unsigned>(phase);
  if ((entered_phases_ & bit) == 0) LastResort::come_first();
  entered_phases_ |= bit;
}

void LaunchedJob::start(const MpiEnvironment& environment) {
  signals_.start(&heartbeat_.pulse(), &voice_);
  Control control(environment);
  voice_.join(control);
  {
    const std::lock_guard lock(mutex_);
    host_names_ = control.host_names();
  }
  heartbeat_.connect(control);
  auto context = std::make_unique<JobContext>(std::move(control), options());
  {
    const std::lock_guard lock(mutex_);
    context_ = std::move(context);
  }
  context_->watchdog().arm(name_of(JobPhase::Start), timeout_seconds_);  // also between the phases
  watchdog_.disarm();
  fault_ = coordinated(context_->control(), name_of(JobPhase::Start), fault_from_environment);
  context_->together(JobPhase::Start, [] {});
}

void LaunchedJob::finish(ExitCode code) {
  decided_code_ = static_cast<int>(code);
  context_->together(JobPhase::End, [] {});
  watchdog_.arm(name_of(JobPhase::End), timeout_seconds_);
  std::unique_ptr<JobContext> ending;
  {
    const std::lock_guard lock(mutex_);
    ending = std::move(context_);
  }
  ending.reset();  // without the lock: its watchdog may be reporting
  heartbeat_.pulse().set(Activity::Waiting);
  has_finished_ = true;
}

bool LaunchedJob::alters_input() const {
  return fault_.kind == FaultKind::Wrong && fault_.rank == context_->rank() && fault_.phase == JobPhase::Verify;
}

bool LaunchedJob::is_connected() const {
  const std::lock_guard lock(mutex_);
  return !host_names_.empty();
}

void LaunchedJob::remove_files() noexcept {
  const std::lock_guard lock(mutex_);
  if (!context_) return;
  for (const std::string& path : context_->partial_files()) ::unlink(path.c_str());
}

bool LaunchedJob::may_speak_without_memory() noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock && context_)
    for (const std::string& path : context_->partial_files()) ::unlink(path.c_str());
  return voice_.may_speak_at_once();
}

void LaunchedJob::leave(ExitCode code) {
  heartbeat_.pulse().end();
  ::_exit(static_cast<int>(code));
}

void LaunchedJob::print_kept() {
  const std::lock_guard lock(mutex_);
  if (context_ && !context_->kept_note().empty()) fmt::print(stderr, "  kept: {}\n", context_->kept_note());
}

std::string LaunchedJob::place_of(int rank) const {
  const Pulse pulse = heartbeat_.pulse_of(rank);
  const auto phase = static_cast<JobPhase>(pulse.phase);
  const std::lock_guard lock(mutex_);
  std::string text = place_text({.rank = rank, .host = host_names_[static_cast<std::size_t>(rank)], .phase = name_of(phase)});
  if (phase != JobPhase::Run || pulse.node < 0 || !context_) return text;
  return text + fmt::format(": layer '{}' of micro-batch {}", context_->layer_name(pulse.node), pulse.micro_batch);
}

void LaunchedJob::end(const std::exception_ptr& exception) noexcept {
  LastResort::begin_end();
  heartbeat_.pulse().end();
  std::vector<char>().swap(reserve_);
  watchdog_.arm("ending after an error", ending_seconds);
  const Error error = to_error(exception);
  decided_code_ = static_cast<int>(error.code());
  bool is_agreed = false;
  JobPlace place{.rank = launched_rank(), .phase = name_of(static_cast<JobPhase>(heartbeat_.pulse().load().phase))};
  if (context_) {
    context_->watchdog().disarm();
    place.rank = context_->rank();
    place.host = context_->control().host_name();
  }
  try {
    std::rethrow_exception(exception);
  } catch (const JobError& agreed) {
    is_agreed = true;
    place = agreed.place();
  } catch (...) {
  }
  if (!is_agreed && error.code() == ExitCode::Communication) std::this_thread::sleep_for(pause_after_loss);
  if (is_agreed && context_ ? context_->is_root() : voice_.may_speak()) {
    remove_files();
    print_error(error, place_text(place));
    print_kept();
    stop_requests_.obey();
    std::this_thread::sleep_for(is_agreed && exit_ends_job_ ? milliseconds(0) : pause_after_error);
    if (!is_agreed) remove_files();  // those that rank 0 was creating meanwhile
  } else {
    std::this_thread::sleep_for(silence);
  }
  if (exit_ends_job_) leave(error.code());
  MpiEnvironment::abort(static_cast<int>(error.code()));
}

Error LaunchedJob::stalled(double seconds, const Diagnosis& diagnosis) const {
  std::string text = fmt::format("no progress for {:.3g} s", seconds);
  if (diagnosis.symptom != Symptom::None) text += fmt::format(": rank {} {}", diagnosis.rank, text_of(diagnosis.symptom));
  return Error(ExitCode::Communication, text,
               diagnosis.symptom == Symptom::Busy
                   ? "Check that rank's host, disk and file system. --timeout raises the limit."
                   : "Check the hosts of the job, and the network between them. --timeout raises the limit.");
}

void LaunchedJob::print_stalled(double seconds, const Diagnosis& diagnosis) {
  remove_files();
  const bool is_known = diagnosis.symptom != Symptom::None;
  print_error(stalled(seconds, diagnosis), is_known ? place_of(diagnosis.rank) : std::string());
  print_kept();
}

void LaunchedJob::expire(double seconds) noexcept {
  LastResort::take_over();
  decided_code_ = static_cast<int>(ExitCode::Communication);
  const Diagnosis diagnosis = heartbeat_.diagnose();  // before other ranks end
  const bool is_reported = heartbeat_.others_have_reported(static_cast<int>(JobPhase::End));
  if (!is_reported && voice_.may_speak_of_hang(diagnosis.symptom == Symptom::None ? -1 : diagnosis.rank)) {
    if (is_connected())
      print_stalled(seconds, diagnosis);
    else
      print_not_started(seconds);
    std::this_thread::sleep_for(voice_.speech());
  } else {
    std::this_thread::sleep_for(silence);
  }
  leave(ExitCode::Communication);
}

void LaunchedJob::report_death(int rank) const {
  if (!voice_.may_speak_at_once()) return;
  print_error(Error(ExitCode::Communication, fmt::format("rank {} has died: {}", rank, cause_of(heartbeat_.pulse_of(rank))),
                    "The kernel kills processes when memory runs out, and Slurm at limits of the job: see their logs."),
              place_of(rank));
}

void LaunchedJob::end_after_death(int rank) noexcept {
  LastResort::take_over();
  report_death(rank);
  std::this_thread::sleep_for(pause_after_death);
  leave(ExitCode::Communication);
}

void LaunchedJob::before_termination() {
  if (const std::optional<int> dead = heartbeat_.find_death())
    report_death(*dead);
  else if (const int code = decided_code_; code >= 0)
    leave(static_cast<ExitCode>(code));
  heartbeat_.pulse().note_signal(SIGTERM);
  heartbeat_.pulse().end();
}

}  // namespace parconv::app
