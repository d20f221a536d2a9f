// SPDX-License-Identifier: Apache-2.0
// The cost of the checks of a job: agreement of the ranks, digests of model and inputs, heartbeats, deadlines, requests to stop,
// the memory check, records. Two sessions of the same job, one with the checks and one without, run in turns.
//   mpirun -np N parconv_check_bench MODEL.onnx INPUT.h5 [--seconds S] [--rounds N] [--split SPEC] [--folder DIR]
// Prints a table on rank 0. Every time is that of the slowest rank.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>

#include "benchmarks/checked_job.hpp"
#include "benchmarks/measuring.hpp"
#include "parconv/session/devices/host_memory.hpp"
#include "parconv/session/files/output_files.hpp"
#include "support/no_sink.hpp"

namespace parconv::bench {
namespace {

using test::NoSink;
using Clock = std::chrono::steady_clock;

constexpr const char* usage = "parconv_check_bench MODEL INPUT [--seconds S] [--rounds N] [--split SPEC] [--folder DIR]";

struct Options {
  Request request{.threads = 1};
  double seconds = 10;  ///< of each kind of run, over all rounds
  int rounds = 10;
  std::string folder = std::filesystem::temp_directory_path().string();
};

Options parse(std::span<char* const> arguments) {
  Options options;
  if (arguments.size() < 3 || arguments.size() % 2 != 1)
    throw Error(ExitCode::Usage, "MODEL, INPUT and options with values", usage);
  options.request.model = arguments[1];
  options.request.inputs.file = arguments[2];
  for (std::size_t k = 3; k < arguments.size(); k += 2) {
    const std::string option = arguments[k];
    if (option == "--seconds")
      options.seconds = number_of<double>(arguments[k + 1], option);
    else if (option == "--rounds")
      options.rounds = std::max(5, number_of<int>(arguments[k + 1], option));
    else if (option == "--split")
      options.request.split = arguments[k + 1];
    else if (option == "--folder")
      options.folder = arguments[k + 1];
    else
      throw Error(ExitCode::Usage, concat("unknown option ", option), usage);
  }
  return options;
}

/// Seconds of the slowest rank.
template <class Work>
double seconds_of(Control& control, Work&& work) {
  control.barrier();
  const auto begin = Clock::now();
  work();
  return control.max(std::chrono::duration<double>(Clock::now() - begin).count());
}

/// The same measurement with checks and without them, in turns.
struct Pair {
  std::vector<double> with{};
  std::vector<double> without{};

  std::vector<double>& of(Checks checks) { return checks == Checks::On ? with : without; }
  std::string row(const char* name) const {
    const Timing on = timing_of(with), off = timing_of(without);
    const auto difference = [](double a, double b) {
      return fmt::format("{:+.2f} ms ({:+.3f} %)", (a - b) * 1e3, (a / b - 1) * 100);
    };
    return fmt::format("{:<22} {:>10.2f} {:>10.2f} {:>26} {:>26}\n", name, on.median_seconds * 1e3, off.median_seconds * 1e3,
                       difference(on.median_seconds, off.median_seconds), difference(on.min_seconds, off.min_seconds));
  }
};

constexpr std::array both{Checks::Off, Checks::On};

/// Every other round begins with the checks, so that drift of the clock meets both.
std::array<Checks, 2> order_of(int round) { return round % 2 == 0 ? both : std::array{Checks::On, Checks::Off}; }

/// From the connection of the ranks to compiled programs, and from the end of the run to the end of the job.
void measure_start_and_end(const MpiEnvironment& environment, Control& control, const Options& options, std::string& text) {
  Pair start, end;
  for (int round = -1; round < options.rounds; ++round) {
    if (round == 0) start = end = {};
    for (const Checks checks : order_of(round)) {
      std::optional<CheckedJob> job;
      start.of(checks).push_back(seconds_of(control, [&] { job.emplace(environment, options.request, checks); }));
      end.of(checks).push_back(seconds_of(control, [&] {
        job->end();
        job.reset();
      }));
    }
  }
  text += start.row("start");
  text += end.row("end");
}

std::string row(const char* what, const std::vector<double>& seconds) {
  const Timing timing = timing_of(seconds);
  return fmt::format("{:<22} {:>10.2f} ms, at the least {:.2f} ms\n", what, timing.median_seconds * 1e3,
                     timing.min_seconds * 1e3);
}

/// Part of both starts, since a session always does it.
void measure_memory_check(CheckedJob& job, Control& control, const Options& options, std::string& text) {
  std::vector<double> seconds;
  for (int round = 0; round < options.rounds; ++round)
    seconds.push_back(seconds_of(control, [&] { require_host_memory(job.context(), {}); }));
  text += row("memory check", seconds);
}

std::vector<NoSink> sinks_of(const Session& session) {
  std::vector<NoSink> sinks;
  for (const ValueId output : session.setup().network.outputs) sinks.emplace_back(output_extents(session.setup(), output));
  return sinks;
}

/// Runs all samples `repeats` times.
double run(CheckedJob& job, Control& control, std::span<DataSink* const> sinks, int repeats) {
  return seconds_of(control, [&] {
    for (int repeat = 0; repeat < repeats; ++repeat) job.session().run(sinks);
  });
}

void measure_runs(const MpiEnvironment& environment, Control& control, const Options& options, std::string& text) {
  CheckedJob with(environment, options.request, Checks::On), without(environment, options.request, Checks::Off);
  std::vector<NoSink> sinks = sinks_of(with.session());
  std::vector<DataSink*> list;
  for (NoSink& sink : sinks) list.push_back(&sink);
  run(with, control, list, 1);
  const double once = run(without, control, list, 1);
  const int repeats = std::max(1, static_cast<int>(options.seconds / options.rounds / once));
  Pair pair;
  for (int round = 0; round < options.rounds; ++round)
    for (const Checks checks : order_of(round))
      pair.of(checks).push_back(run(checks == Checks::On ? with : without, control, list, repeats));
  text += pair.row("run");
  text += fmt::format("{:<22} {} rounds of {} runs of all samples: {:.1f} s with checks\n", "", options.rounds, repeats,
                      timing_of(pair.with).median_seconds * options.rounds);
}

/// The sync of a file that one 4 KiB block was appended to.
double sync_seconds(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  PARCONV_EXPECT(file >= 0, path);
  const std::vector<char> block(4096);
  PARCONV_EXPECT(::write(file, block.data(), block.size()) == std::ssize(block), path);
  const auto begin = Clock::now();
  ::fsync(file);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  ::close(file);
  return seconds;
}

/// Times of one record after each sample: the sync of the data, all that OutputFiles::record does after it, and a sync of a file
/// like the record's, which is a part of the latter.
void measure_records(const MpiEnvironment& environment, Control& control, const Options& options, std::string& text) {
  CheckedJob job(environment, options.request, Checks::On);
  measure_memory_check(job, control, options, text);
  Request request = options.request;
  const std::string name = concat("parconv_check_bench-", control.broadcast(std::to_string(::getpid())));
  request.output_file = concat(options.folder, "/", name, ".h5");
  const std::string plain = concat(options.folder, "/", name, ".record");
  std::vector<double> data, record, append;
  {
    OutputFiles files(job.context(), {.request = request, .setup = job.session().setup()});
    Session& session = job.session();
    for (const RunBlock& block : session.blocks())
      for (index_t k = 0; k < block.micro_batches; ++k) {
        const index_t first = block.first_sample + k * block.micro_batch;
        session.run(files.sinks(), {.first_sample = first, .micro_batches = 1, .micro_batch = block.micro_batch});
        data.push_back(seconds_of(control, [&] {
          for (DataSink* const sink : files.sinks()) dynamic_cast<Hdf5Sink&>(*sink).sync();
        }));
        record.push_back(seconds_of(control, [&] { files.record(first + block.micro_batch); }));
        append.push_back(control.max(control.rank() == 0 ? sync_seconds(plain) : 0.0));
      }
    files.suspend();
    files.abandon();
  }
  if (control.rank() == 0) std::filesystem::remove(plain);
  text += fmt::format("{} records\n", record.size());
  text += row("  sync of the data", data) + row("  record without it", record) + row("  of which a sync", append);
}

void run(const Options& options) {
  const MpiEnvironment environment;
  Control control(environment);
  std::string text = fmt::format("{} on {} ranks, revision {}, load {:.1f}\n{:<22} {:>10} {:>10} {:>26} {:>26}\n",
                                 options.request.model, control.size(), PARCONV_BENCH_REVISION, load_average(), "milliseconds",
                                 "with", "without", "difference of medians", "of minima");
  measure_start_and_end(environment, control, options, text);
  measure_runs(environment, control, options, text);
  measure_records(environment, control, options, text);
  if (control.rank() == 0) fmt::print("{}", text);
}

}  // namespace
}  // namespace parconv::bench

int main(int argc, char** argv) {
  using namespace parconv::bench;
  return guarded([&] { run(parse({argv, static_cast<std::size_t>(argc)})); });
}
