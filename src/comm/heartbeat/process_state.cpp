// SPDX-License-Identifier: Apache-2.0
#include "comm/heartbeat/process_state.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

namespace parconv {
namespace {

/// The beginning of a small file; empty if it cannot be read.
std::string text_of_file(const std::string& path) {
  std::array<char, 256> text{};
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t size = ::read(file, text.data(), text.size());
  ::close(file);
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

bool exists(index_t pid) { return ::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH; }

ProcessState state_of(char letter) {
  if (letter == 'Z' || letter == 'X' || letter == 'x') return ProcessState::Gone;
  return letter == 'T' || letter == 't' ? ProcessState::Stopped : ProcessState::Alive;
}

}  // namespace

ProcessState process_state(index_t pid) {
  const std::string stat = text_of_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');  // a program's name may contain parentheses
  if (name_end != std::string::npos && name_end + 2 < stat.size()) return state_of(stat[name_end + 2]);
  return exists(pid) ? ProcessState::Alive : ProcessState::Gone;
}

}  // namespace parconv
