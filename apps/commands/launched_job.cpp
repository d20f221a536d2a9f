// SPDX-License-Identifier: Apache-2.0
#include "launched_job.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <set>
#include <thread>

#include "parconv/comm/mpi/mpi_environment.hpp"

namespace parconv::app {
namespace {

using std::chrono::milliseconds;

/// Time that a silent rank waits to be ended by the printing rank. The printing rank stays alive as long, since its name is free
/// again when it ends, and other ranks must find it taken.
constexpr milliseconds silence{8000};
constexpr milliseconds pause_after_error{300};
constexpr milliseconds pause_after_time_out{2000};
/// Time that a rank waits before printing after it lost another rank: if that rank has printed and ended, the launcher ends this
/// one soon.
constexpr milliseconds pause_after_loss{1000};
constexpr double ending_seconds = 30;

/// A name unique to this job on its hosts.
std::string job_name(Control& control) {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return control.broadcast(fmt::format("parconv-{}-{}", ::getpid(), now));
}

/// Claims a name that only one process of the host can hold, until that process ends. It is the name of an abstract socket, so
/// nothing remains in a file system.
bool take_name(const std::string& name) {
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return true;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::min(name.size(), sizeof(address.sun_path) - 1);
  std::memcpy(address.sun_path + 1, name.data(), length);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0 || errno != EADDRINUSE;
}

/// Index of this host among the job's hosts, in the order of their ranks.
int host_index(const Control& control) {
  std::set<std::string> before;
  for (const std::string& name : control.host_names()) {
    if (name == control.host_name()) break;
    before.insert(name);
  }
  return static_cast<int>(before.size());
}

std::string place_text(const JobPlace& place) {
  return fmt::format("rank {} on {}, while {}", place.rank, place.host, place.phase);
}

}  // namespace

void print_error(const Error& error, const std::string& place) {
  std::string text = fmt::format("parconv_app: error: {}\n", error.what());
  if (!place.empty()) text += fmt::format("  where: {}\n", place);
  if (!error.hint().empty()) text += fmt::format("  hint: {}\n", error.hint());
  std::fflush(stdout);
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

LaunchedJob::LaunchedJob(const MpiEnvironment& environment, double timeout_seconds)
    : context_(environment, options(timeout_seconds)), name_(job_name(context_.control())) {}

JobOptions LaunchedJob::options(double timeout_seconds) {
  const auto raise_if_due = [this](JobPhase phase, index_t ticks) {
    if (fault_.is_due(context_.rank(), phase, ticks)) raise_fault(fault_.kind);
  };
  return {
      .timeout_seconds = timeout_seconds,
      .hooks = {.on_progress = raise_if_due,
                .stop_reason = [this] { return stop_requests_.reason(); },
                .on_failure_in_messages = [this](const std::exception_ptr& error, JobPhase phase) { end(error, name_of(phase)); },
                .on_expiry = [this](const std::string& phase, double seconds) { expire(phase, seconds); }}};
}

void LaunchedJob::read_fault() { fault_ = coordinated(context_.control(), "starting", fault_from_environment); }

bool LaunchedJob::alters_input() const {
  return fault_.kind == FaultKind::Wrong && fault_.rank == context_.rank() && fault_.phase == JobPhase::Verify;
}

void LaunchedJob::remove_files() noexcept {
  for (const std::string& path : context_.partial_files()) ::unlink(path.c_str());
}

void LaunchedJob::print_kept() const {
  if (!context_.kept_note().empty()) fmt::print(stderr, "  kept: {}\n", context_.kept_note());
}

bool LaunchedJob::may_speak() {
  std::this_thread::sleep_for(std::min(milliseconds(400) * host_index(context_.control()), milliseconds(2000)));
  return take_name(name_);
}

void LaunchedJob::end(const std::exception_ptr& exception, const std::string& phase) {
  context_.watchdog().arm("ending after an error", ending_seconds);
  const Error error = to_error(exception);
  bool is_agreed = false;
  JobPlace place{.rank = context_.rank(), .host = context_.control().host_name(), .phase = phase};
  try {
    std::rethrow_exception(exception);
  } catch (const JobError& agreed) {
    is_agreed = true;
    place = agreed.place();
  } catch (...) {
  }
  if (!is_agreed && error.code() == ExitCode::Communication) std::this_thread::sleep_for(pause_after_loss);
  if (is_agreed ? context_.is_root() : may_speak()) {
    remove_files();
    print_error(error, place_text(place));
    print_kept();
    stop_requests_.obey();
    std::this_thread::sleep_for(is_agreed ? milliseconds(0) : pause_after_error);
  } else {
    std::this_thread::sleep_for(silence);
  }
  MpiEnvironment::abort(static_cast<int>(error.code()));
}

void LaunchedJob::expire(const std::string& phase, double seconds) {
  if (may_speak()) {
    remove_files();
    print_error(Error(ExitCode::Communication, fmt::format("no progress for {:.3g} s", seconds),
                      "Check the other ranks: one of them hangs or is slow. --timeout raises the limit."),
                place_text({.rank = context_.rank(), .host = context_.control().host_name(), .phase = phase}));
    print_kept();
    std::this_thread::sleep_for(pause_after_time_out);
  } else {
    std::this_thread::sleep_for(silence);
  }
  ::_exit(static_cast<int>(ExitCode::Communication));
}

}  // namespace parconv::app
