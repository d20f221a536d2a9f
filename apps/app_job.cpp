#include "app_job.hpp"

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

#include "parconv/comm/mpi_environment.hpp"

namespace parconv::app {
namespace {

using std::chrono::milliseconds;

/// How long a silent rank waits to be ended by the one that speaks, and how long that one lets others find out that they are to
/// be silent, since its name is free again when it ends.
constexpr milliseconds silence{8000};
constexpr milliseconds pause_after_error{300};
constexpr milliseconds pause_after_time_out{2000};
/// How long a rank that lost another one waits before it speaks: the other one may have spoken and ended, which ends this one
/// soon.
constexpr milliseconds pause_after_loss{1000};
constexpr double ending_seconds = 30;

/// A name that no other job on these hosts has.
std::string job_name(Control& control) {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return control.broadcast(fmt::format("parconv-{}-{}", ::getpid(), now));
}

/// Takes a name that only one process of the host can have, until that process ends. Nothing is left behind: it is the name of a
/// socket that is in no file system.
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

/// Which of the job's hosts this is, counted in the order of their ranks.
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
  if (!error.hint().empty()) text += fmt::format("  to do: {}\n", error.hint());
  std::fflush(stdout);
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

AppJob::AppJob(const MpiEnvironment& environment, double timeout_seconds)
    : control_(environment),
      name_(job_name(control_)),
      timeout_seconds_(timeout_seconds),
      watchdog_([this](const std::string& phase, double seconds) { expire(phase, seconds); }) {}

void AppJob::read_fault() { fault_ = coordinated(control_, "starting", fault_from_environment); }

void AppJob::tick(index_t ticks_done) {
  watchdog_.kick();
  raise_if_due(Phase::Run, ticks_done);
}

void AppJob::raise_if_due(Phase phase, index_t tick) {
  if (fault_.is_due(rank(), phase, tick)) raise_fault(fault_.kind);
}

void AppJob::remove_files() noexcept {
  for (const std::string& path : partial_files_) ::unlink(path.c_str());
}

bool AppJob::may_speak() {
  std::this_thread::sleep_for(std::min(milliseconds(400) * host_index(control_), milliseconds(2000)));
  return take_name(name_);
}

void AppJob::end(const std::exception_ptr& exception, const std::string& phase) {
  watchdog_.arm("ending after an error", ending_seconds);
  const Error error = to_error(exception);
  bool is_agreed = false;
  JobPlace place{.rank = rank(), .host = control_.host_name(), .phase = phase};
  try {
    std::rethrow_exception(exception);
  } catch (const JobError& agreed) {
    is_agreed = true;
    place = agreed.place();
  } catch (...) {
  }
  if (!is_agreed && error.code() == ExitCode::Communication) std::this_thread::sleep_for(pause_after_loss);
  if (is_agreed ? is_root() : may_speak()) {
    remove_files();
    print_error(error, place_text(place));
    std::this_thread::sleep_for(is_agreed ? milliseconds(0) : pause_after_error);
  } else {
    std::this_thread::sleep_for(silence);
  }
  MpiEnvironment::abort(static_cast<int>(error.code()));
}

void AppJob::expire(const std::string& phase, double seconds) {
  if (may_speak()) {
    remove_files();
    print_error(Error(ExitCode::Communication, fmt::format("no progress for {:.3g} s", seconds),
                      "Look at the other ranks: one of them hangs, or is slow. --timeout gives every phase more time."),
                place_text({.rank = rank(), .host = control_.host_name(), .phase = phase}));
    std::this_thread::sleep_for(pause_after_time_out);
  } else {
    std::this_thread::sleep_for(silence);
  }
  ::_exit(static_cast<int>(ExitCode::Communication));
}

}  // namespace parconv::app
