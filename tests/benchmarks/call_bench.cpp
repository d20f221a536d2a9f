// SPDX-License-Identifier: Apache-2.0
// Overhead per layer: times a chain of one-pixel convolutions on one rank.
// parconv_call_bench [--layers N] [--channels N] [--repeats N]. Prints one JSON line.
#include <fmt/format.h>

#include <chrono>

#include "benchmarks/measuring.hpp"
#include "benchmarks/timed_run.hpp"

namespace parconv::bench {
namespace {

constexpr index_t micro_batches = 100;

struct Options {
  int layers = 100;
  index_t channels = 16;
  int repeats = 21;
};

Options parse(std::span<char* const> arguments) {
  Options options;
  if (arguments.size() % 2 != 1)
    throw Error(ExitCode::Usage, "an option without a value", "parconv_call_bench [--layers N] [--channels N] [--repeats N]");
  for (std::size_t k = 1; k < arguments.size(); k += 2) {
    const std::string option = arguments[k];
    if (option == "--layers")
      options.layers = number_of<int>(arguments[k + 1], option);
    else if (option == "--channels")
      options.channels = number_of<index_t>(arguments[k + 1], option);
    else if (option == "--repeats")
      options.repeats = std::max(5, number_of<int>(arguments[k + 1], option));
    else
      throw Error(ExitCode::Usage, concat("unknown option ", option));
  }
  return options;
}

double wall_seconds_of(TimedRun& run) {
  const auto begin = std::chrono::steady_clock::now();
  run.run(micro_batches);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / static_cast<double>(micro_batches);
}

void run(const Options& options) {
  const MpiEnvironment environment;
  Control control(environment);
  const auto backend = make_backend({.name = "onednn", .threads = 1});
  TimedRun chain(chain_of_pixels(options.layers, options.channels), {}, control, *backend);
  wall_seconds_of(chain);
  std::vector<double> seconds;
  for (int repeat = 0; repeat < options.repeats; ++repeat) seconds.push_back(wall_seconds_of(chain) / options.layers);
  const Timing timing = timing_of(seconds);
  fmt::print(R"({{"layers":{},"channels":{},"repeats":{},"calls_per_sample":{},"median_seconds_per_layer":{:.3e},)"
             R"("min_seconds_per_layer":{:.3e},"implementation":"{}","revision":"{}","load_average":{:.2f}}})"
             "\n",
             options.layers, options.channels, options.repeats, micro_batches, timing.median_seconds, timing.min_seconds,
             chain.implementation(), PARCONV_BENCH_REVISION, load_average());
}

}  // namespace
}  // namespace parconv::bench

int main(int argc, char** argv) {
  using namespace parconv::bench;
  return guarded([&] { run(parse({argv, static_cast<std::size_t>(argc)})); });
}
