// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <latch>
#include <vector>

#include "device/limits/cgroups.hpp"
#include "device/limits/host_files.hpp"
#include "device/limits/kernel_texts.hpp"
#include "parconv/device/resource_limits.hpp"

namespace parconv {
namespace {

/// "4096", "unlimited".
std::string text_of_limit(decltype(RLIMIT_AS) resource) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0) return "unknown";
  return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur);
}

/// The limits of the control groups on processes and threads.
std::string cgroup_thread_limits() {
  std::string text;
  for (const CgroupFolder& folder :
       cgroup_folders(text_of_file("/proc/self/cgroup"), text_of_file("/proc/self/mountinfo"), "pids"))
    if (const auto most = leading_number(text_of_file(folder.path + "/pids.max")))
      text += concat(", ", *most, " in the cgroup ", folder.path);
  return text;
}

std::string thread_limits() {
  std::string text = concat("ulimit -u is ", text_of_limit(RLIMIT_NPROC));
  if (const auto most = leading_number(text_of_file("/proc/sys/kernel/threads-max")))
    text += concat(", kernel.threads-max ", *most);
  return text + cgroup_thread_limits();
}

/// Threads that wait for each other, so that all exist at the same time.
class ThreadTrial {
 public:
  /// Returns 0, or the error of the first thread that could not be started.
  int run(int threads) {
    std::vector<pthread_t> started;
    started.reserve(static_cast<std::size_t>(threads));  // an exception would leave threads behind
    int error = 0;
    for (int thread = 0; thread < threads && error == 0; ++thread) {
      pthread_t id{};
      error = ::pthread_create(&id, nullptr, &ThreadTrial::wait, this);
      if (error == 0) started.push_back(id);
    }
    end_.count_down();
    for (const pthread_t id : started) ::pthread_join(id, nullptr);
    return error;
  }

 private:
  static void* wait(void* trial) {
    static_cast<ThreadTrial*>(trial)->end_.wait();
    return nullptr;
  }

  std::latch end_{1};
};

}  // namespace

std::optional<Error> limit_error(const std::string& action, int error_number) {
  const std::string words = concat(action, ": ", std::strerror(error_number));
  switch (error_number) {
    case EMFILE:
      return Error(ExitCode::OutOfMemory,
                   concat(words, ": the process may have ", text_of_limit(RLIMIT_NOFILE), " files open (ulimit -n)"),
                   "Raise the limit with ulimit -n in the job script.");
    case ENFILE:
      return Error(ExitCode::OutOfMemory, concat(words, " (fs.file-max)"), "Close other programs, or raise fs.file-max.");
    case ENOMEM:
      return Error(ExitCode::OutOfMemory, words, "Use more ranks, a smaller micro-batch, or hosts with more memory.");
    default:
      return std::nullopt;
  }
}

Error thread_error(const std::string& action) {
  return {ExitCode::OutOfMemory,
          concat(action, ": a limit on processes and threads, or on memory, is reached (", thread_limits(), ")"),
          "Raise the limit, or use fewer --threads or fewer ranks per host."};
}

Error library_error(int exit_code) {
  return {ExitCode::OutOfMemory,
          concat("a library ended the process with exit code ", exit_code, "; libraries do this at limits (", thread_limits(),
                 ", ulimit -n ", text_of_limit(RLIMIT_NOFILE), ", ulimit -v ", text_of_limit(RLIMIT_AS), ")"),
          "Its own message is above this one."};
}

void require_open_files(int files) {
  std::vector<int> opened;
  opened.reserve(static_cast<std::size_t>(files));
  int error = 0;
  for (int file = 0; file < files && error == 0; ++file) {
    const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
      error = errno;
    else
      opened.push_back(descriptor);
  }
  for (const int descriptor : opened) ::close(descriptor);
  if (const auto limit = limit_error(concat("cannot open ", files, " files more"), error)) throw *limit;
}

void require_threads(int threads) {
  if (ThreadTrial().run(threads) != 0) throw thread_error(concat("cannot start ", threads, " threads"));
}

}  // namespace parconv
