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
#include <span>
#include <thread>

namespace parconv::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds turn{400};
constexpr milliseconds longest_turn{2000};
constexpr milliseconds speech_of_only_host{2000};
constexpr milliseconds speech_of_several{1000};
/// From one host's report of a hang to that of the second one, and to those of all others: its speech, and the time that the
/// launcher takes to end the job.
constexpr milliseconds pause_before_second{2500};
constexpr milliseconds pause_before_others{4000};

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

/// The number of hosts that report a hang before `host`: the host of the hanging rank, unless no other rank is there, and those
/// with lower numbers.
int hosts_before(int host, int hanging_rank, std::span<const int> host_of_rank) {
  if (hanging_rank < 0 || host_of_rank.empty()) return host;
  const int hanging = host_of_rank[static_cast<std::size_t>(hanging_rank)];
  const bool knows_best = std::ranges::count(host_of_rank, hanging) > 1;
  if (host == hanging) return knows_best ? 0 : *std::ranges::max_element(host_of_rank);
  return host - (hanging < host ? 1 : 0) + (knows_best ? 1 : 0);
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
  hosts_ = control.nodes();
  host_ = hosts_[static_cast<std::size_t>(control.rank())];
}

bool JobVoice::may_speak() const {
  std::unique_lock lock(mutex_);
  const int host = host_;
  lock.unlock();
  std::this_thread::sleep_for(std::min(turn * host, longest_turn));
  return may_speak_at_once();
}

bool JobVoice::may_speak_of_hang(int hanging_rank) const {
  std::unique_lock lock(mutex_);
  const int before = hosts_before(host_, hanging_rank, hosts_);
  lock.unlock();
  if (before > 0) std::this_thread::sleep_for(before == 1 ? pause_before_second : pause_before_others);
  return may_speak_at_once();
}

milliseconds JobVoice::speech() const {
  const std::lock_guard lock(mutex_);
  const bool has_others = std::ranges::any_of(hosts_, [this](int host) { return host != host_; });
  return has_others ? speech_of_several : speech_of_only_host;
}

bool JobVoice::may_speak_at_once() const {
  const std::lock_guard lock(mutex_);
  return take_name(name_);
}

}  // namespace parconv::app
