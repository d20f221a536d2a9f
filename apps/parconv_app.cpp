// parconv_app: the command line of parconv.
#include <cstdio>
#include <exception>

#include "commands.hpp"
#include "machine.hpp"

namespace {

using namespace parconv;
using namespace parconv::app;

/// Work of one process, done once for a job: by the first rank, as the launcher counts.
template <class Work>
int once(Work&& work) {
  if (launched_rank() != 0) return static_cast<int>(ExitCode::Ok);
  try {
    return work();
  } catch (...) {
    const Error error = to_error(std::current_exception());
    print_error(error);
    return static_cast<int>(error.code());
  }
}

/// Work of all ranks. What escapes is told once and ends the job.
template <class Work>
int in_job(double timeout_seconds, Work&& work) {
  const MpiEnvironment environment;
  AppJob job(environment, timeout_seconds);
  try {
    job.read_fault();
    return work(job);
  } catch (...) {
    job.end(std::current_exception());
  }
}

int execute(const ExitNow& exit) {
  // Launchers end a job when the first process fails: each returns the code, one prints.
  if (launched_rank() == 0) std::fputs(exit.text.c_str(), exit.code == 0 ? stdout : stderr);
  return exit.code;
}

int execute(const RunOptions& options) {
  if (options.is_dry_run && (options.ranks > 0 || !is_launched()))
    return once([&] { return dry_run(options, options.ranks > 0 ? options.ranks : 1); });
  return in_job(options.timeout_seconds, [&](AppJob& job) {
    if (!options.is_dry_run) return run(job, options);
    return job.together(Phase::Plan, [&] { return job.is_root() ? dry_run(options, job.size()) : 0; });
  });
}

int execute(const InspectOptions& options) {
  return once([&] { return inspect(options); });
}

int execute(const DemoOptions& options) {
  return in_job(options.timeout_seconds, [&](AppJob& job) { return demonstrate(job, options); });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return std::visit([](const auto& command) { return execute(command); }, parse_command_line(argc, argv));
  } catch (...) {
    const Error error = to_error(std::current_exception());
    print_error(error);
    MpiEnvironment::abort(static_cast<int>(error.code()));
  }
}
