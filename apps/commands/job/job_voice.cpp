// SPDX-License-Identifier: Apache-2.0
#include "job_voice.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace parconv::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds turn{400};
constexpr milliseconds longest_turn{2000};

/// Names of the job in the environments of PMIx (Open MPI, Slurm), of Hydra (MPICH) and of Slurm.
constexpr std::array job_variables{"PMIX_NAMESPACE", "PMI_JOBID", "SLURM_JOB_ID"};

std::string name_from_launcher() {
  std::string name = fmt::format("parconv-start-{}", ::getuid());
  bool is_launched = false;
  for (const char* variable : job_variables)
    if (const char* value = std::getenv(variable)) {
      name += fmt::format("-{}", value);
      is_launched = true;
    }
  return is_launched ? name : fmt::format("{}-{}", name, ::getpid());
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

}  // namespace

void print_error(const Error& error, const std::string& place) {
  std::string text = fmt::format("parconv_app: error: {}\n", error.what());
  if (!place.empty()) text += fmt::format("  where: {}\n", place);
  if (!error.hint().empty()) text += fmt::format("  hint: {}\n", error.hint());
  std::fflush(stdout);
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

JobVoice::JobVoice() : name_(name_from_launcher()) {}

void JobVoice::join(Control& control) {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const std::string name = control.broadcast(fmt::format("parconv-{}-{}", ::getpid(), now));
  const std::lock_guard lock(mutex_);
  name_ = name;
  host_ = control.nodes()[static_cast<std::size_t>(control.rank())];
}

bool JobVoice::may_speak() const {
  std::unique_lock lock(mutex_);
  const int host = host_;
  lock.unlock();
  std::this_thread::sleep_for(std::min(turn * host, longest_turn));
  return may_speak_at_once();
}

bool JobVoice::may_speak_at_once() const {
  const std::lock_guard lock(mutex_);
  return take_name(name_);
}

}  // namespace parconv::app
