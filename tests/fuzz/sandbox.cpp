// SPDX-License-Identifier: Apache-2.0
#include "fuzz/sandbox.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_memory_bounded = false;
#else
constexpr bool is_memory_bounded = true;
#endif

void set_limit(int resource, rlim_t value) {
  const rlimit limit{.rlim_cur = value, .rlim_max = value};
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
}

void write_all(int pipe, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(pipe, text.data() + done, text.size() - done);
    if (written <= 0) return;
    done += static_cast<std::size_t>(written);
  }
}

std::string read_all(int pipe) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(pipe, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

[[noreturn]] void be_child(const std::function<std::string()>& work, const SandboxLimits& limits, int pipe) {
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_CPU, static_cast<rlim_t>(limits.seconds));
  if (is_memory_bounded) set_limit(RLIMIT_DATA, static_cast<rlim_t>(limits.memory_bytes));
  ::alarm(static_cast<unsigned>(limits.seconds));
  write_all(pipe, work());
  ::_exit(0);
}

}  // namespace

SandboxResult run_in_sandbox(const std::function<std::string()>& work, const SandboxLimits& limits) {
  int ends[2];
  if (::pipe(ends) != 0) throw Error(ExitCode::Io, "no pipe");
  const pid_t child = ::fork();
  if (child < 0) throw Error(ExitCode::Io, "no process");
  if (child == 0) {
    ::close(ends[0]);
    be_child(work, limits, ends[1]);
  }
  ::close(ends[1]);
  const std::string text = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(status)) return {.text = concat("signal ", WTERMSIG(status), " (", ::strsignal(WTERMSIG(status)), ")")};
  if (WEXITSTATUS(status) != 0) return {.text = concat("exit code ", WEXITSTATUS(status))};
  return {.is_finished = true, .text = text};
}

}  // namespace parconv::test
