// SPDX-License-Identifier: Apache-2.0
// Files against plain system calls: Hdf5Source and pread, Hdf5Sink and pwrite, in turns, with a warm page cache.
// parconv_file_bench [--folder DIR] [--threads N] [--repeats N] [--match TEXT]. Prints one JSON line per case and direction.
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>

#include "benchmarks/file_case.hpp"
#include "benchmarks/measuring.hpp"
#include "parconv/comm/control.hpp"
#include "parconv/io/hdf5/hdf5_sink.hpp"
#include "parconv/io/hdf5/hdf5_source.hpp"

namespace parconv::bench {
namespace {

constexpr const char* usage = "parconv_file_bench [--folder DIR] [--threads N] [--repeats N] [--match TEXT]";

struct Options {
  std::string folder = std::filesystem::temp_directory_path().string();
  int threads = 1;
  int repeats = 7;
  std::string match{};  ///< part of the names of the cases to run
};

Options parse(std::span<char* const> arguments) {
  Options options;
  if (arguments.size() % 2 != 1) throw Error(ExitCode::Usage, "an option without a value", usage);
  for (std::size_t k = 1; k < arguments.size(); k += 2) {
    const std::string option = arguments[k];
    if (option == "--folder")
      options.folder = arguments[k + 1];
    else if (option == "--threads")
      options.threads = number_of<int>(arguments[k + 1], option);
    else if (option == "--repeats")
      options.repeats = std::max(5, number_of<int>(arguments[k + 1], option));
    else if (option == "--match")
      options.match = arguments[k + 1];
    else
      throw Error(ExitCode::Usage, concat("unknown option ", option), usage);
  }
  return options;
}

double seconds_on(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// The samples of one kind of call: time passed, and time of this process on all cores.
class Samples {
 public:
  template <class Work>
  void add(Work&& work) {
    const double wall = seconds_on(CLOCK_MONOTONIC), cpu = seconds_on(CLOCK_PROCESS_CPUTIME_ID);
    work();
    cpu_.push_back(seconds_on(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    wall_.push_back(seconds_on(CLOCK_MONOTONIC) - wall);
  }
  Timing wall() const { return timing_of(wall_); }
  Timing cpu() const { return timing_of(cpu_); }
  double median() const { return wall().median_seconds; }

 private:
  std::vector<double> wall_{};
  std::vector<double> cpu_{};
};

/// The ratios of medians and minima of two kinds of calls, as JSON.
std::string ratios(const Samples& plain, const Samples& ours) {
  return fmt::format(R"("ratio":{:.3f},"ratio_of_minima":{:.3f},"cpu_ratio":{:.3f})", plain.median() / ours.median(),
                     plain.wall().min_seconds / ours.wall().min_seconds, plain.cpu().median_seconds / ours.cpu().median_seconds);
}

/// A file that is removed in the end.
struct Temporary {
  std::string path{};

  ~Temporary() { std::filesystem::remove(path); }
};

void print(const FileCase& file_case, const Options& options, const std::string& figures) {
  fmt::print(R"({{"case":"{}","threads":{},"repeats":{},{},"revision":"{}","load_average":{:.2f}}})"
             "\n",
             file_case.name, options.threads, options.repeats, figures, PARCONV_BENCH_REVISION, load_average());
  std::fflush(stdout);
}

void measure_reading(const FileCase& file_case, const Options& options) {
  const Temporary file{concat(options.folder, "/parconv_file_bench-", ::getpid(), ".h5")};
  const index_t offset = write_input(file.path, file_case);
  const Box box = box_of(file_case);
  const std::vector<FileRun> runs = runs_of(file_case, box, offset);
  const RawFile raw(file.path);
  Hdf5Source source(file.path, {.threads = options.threads});
  std::vector<std::byte> bytes(static_cast<std::size_t>(volume(box)) * size_of(file_case.type));
  HostTensor tensor(box);
  Samples plain, ours;
  for (int repeat = -1; repeat < options.repeats; ++repeat) {
    if (repeat == 0) plain = ours = {};
    plain.add([&] { raw.read(runs, bytes, options.threads); });
    ours.add([&] { source.read(box, tensor.view()); });
  }
  print(file_case, options,
        fmt::format(R"("what":"read","bytes":{},"pread_seconds":{:.5f},"source_seconds":{:.5f},"pread_gb_per_second":{:.2f},{})",
                    bytes.size(), plain.median(), ours.median(), static_cast<double>(bytes.size()) / plain.median() * 1e-9,
                    ratios(plain, ours)));
}

/// The times of writing half of a tensor, and of what makes it durable.
struct WritingTimes {
  Samples pwrite{}, fsync{}, create{}, write{}, finish{};
};

void write_once(const FileCase& file_case, const Options& options, Control& control, const HostTensor& tensor,
                WritingTimes& times) {
  const Temporary plain{concat(options.folder, "/parconv_file_bench-", ::getpid(), ".raw")};
  const Temporary ours{concat(options.folder, "/parconv_file_bench-", ::getpid(), ".out.h5")};
  {
    const RawFile raw(plain.path, volume(tensor.box()) * index_t{sizeof(float)});
    const FileRun whole{0, volume(tensor.box()) * index_t{sizeof(float)}};
    const auto bytes = std::span(tensor.view().data, static_cast<std::size_t>(whole.size_bytes));
    times.pwrite.add([&] { raw.write({&whole, 1}, bytes, options.threads); });
    times.fsync.add([&] { raw.sync(); });
  }
  std::unique_ptr<Hdf5Sink> sink;
  times.create.add([&] {
    sink = std::make_unique<Hdf5Sink>(control, Hdf5SinkOptions{.path = ours.path,
                                                               .job_id = "1",
                                                               .extents = tensor.box().extents(),
                                                               .ndims = file_case.ndims,
                                                               .threads = options.threads});
  });
  times.write.add([&] { sink->write(tensor.box(), tensor.view()); });
  times.finish.add([&] { sink->finish(""); });
}

void measure_writing(const FileCase& file_case, const Options& options, Control& control) {
  FileCase half = file_case;
  half.extents = box_of(file_case).extents();
  const HostTensor tensor(Box::whole(half.extents));
  WritingTimes times;
  for (int repeat = -1; repeat < options.repeats; ++repeat) {
    if (repeat == 0) times = {};
    write_once(half, options, control, tensor, times);
  }
  print(file_case, options,
        fmt::format(R"("what":"write","bytes":{},"pwrite_seconds":{:.5f},"sink_write_seconds":{:.5f},)"
                    R"("pwrite_gb_per_second":{:.2f},{},"fsync_seconds":{:.5f},"create_seconds":{:.5f},)"
                    R"("finish_seconds":{:.5f})",
                    volume(half.extents) * index_t{sizeof(float)}, times.pwrite.median(), times.write.median(),
                    static_cast<double>(volume(half.extents)) * sizeof(float) / times.pwrite.median() * 1e-9,
                    ratios(times.pwrite, times.write), times.fsync.median(), times.create.median(), times.finish.median()));
}

void run(const Options& options) {
  const MpiEnvironment environment;
  Control control(environment);
  PARCONV_EXPECT(control.size() == 1, "the benchmark has one rank");
  for (const FileCase& file_case : file_cases()) {
    if (file_case.name.find(options.match) == std::string::npos) continue;
    measure_reading(file_case, options);
    if (file_case.type == DType::F32) measure_writing(file_case, options, control);
  }
}

}  // namespace
}  // namespace parconv::bench

int main(int argc, char** argv) {
  using namespace parconv::bench;
  return guarded([&] { run(parse({argv, static_cast<std::size_t>(argc)})); });
}
