// SPDX-License-Identifier: Apache-2.0
// Times convolution layers on one thread: a prepared Kernel, alternating with a direct call of the oneDNN primitive and, with
// --dtype bf16 or f16, the f32 Kernel; where oneDNN does not, the direct call computes in f32. The cpu clock excludes the time of
// other programs, for machines that are not idle. Prints one JSON line per layer, then a summary.
//   parconv_layer_bench LAYERS.csv [--backend cpu|onednn] [--filter SUBSTRING] [--max-gflop X] [--repeats N] [--clock wall|cpu]
//                       [--dtype f32|bf16|f16] [--leaves coarse|fine|chain]
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "benchmarks/layer_accuracy.hpp"
#include "benchmarks/layer_calls.hpp"
#include "benchmarks/measuring.hpp"

namespace parconv::bench {
namespace {

constexpr double shortest_sample_seconds = 2e-3;
constexpr int num_warm_ups = 2;

/// Wall time, or CPU time of the calling thread.
enum class Clock { Wall, Cpu };

struct Options {
  std::string path{};
  std::string backend = "cpu";
  LayerChoice choice{};
  int repeats = 11;
  Clock clock = Clock::Wall;
  DType type = DType::F32;
  std::optional<LeafRule> rule = LeafRule::Coarse;  ///< none: every sum is one chain
};

struct Measurement {
  Timing kernel{};
  Timing direct{};
  Timing f32{};  ///< the f32 Kernel; empty if `kernel` is f32
  int calls_per_sample = 1;
  double error = 0;  ///< of f32 results against f64: see ExactResults; 0 for 16 bits
  double direct_error = 0;

  double ratio() const { return kernel.median_seconds / direct.median_seconds; }
  double min_ratio() const { return kernel.min_seconds / direct.min_seconds; }
  /// Speedup over f32; 0 if not measured.
  double gain() const { return f32.median_seconds / kernel.median_seconds; }
};

void set_option(Options& options, const std::string& option, const std::string& value) {
  if (option == "--filter")
    options.choice.filter = value;
  else if (option == "--backend" && (value == "cpu" || value == "onednn"))
    options.backend = value;
  else if (option == "--max-gflop")
    options.choice.max_gflop = number_of<double>(value, option);
  else if (option == "--repeats")
    options.repeats = std::max(5, number_of<int>(value, option));
  else if (option == "--clock" && (value == "wall" || value == "cpu"))
    options.clock = value == "cpu" ? Clock::Cpu : Clock::Wall;
  else if (option == "--dtype" && (value == "f32" || value == "bf16" || value == "f16"))
    options.type = value == "bf16" ? DType::BF16 : value == "f16" ? DType::F16 : DType::F32;
  else if (option == "--leaves" && (value == "coarse" || value == "fine" || value == "chain"))
    options.rule = value == "chain" ? std::nullopt : std::optional(value == "fine" ? LeafRule::Fine : LeafRule::Coarse);
  else
    throw Error(ExitCode::Usage, concat("unknown option ", option, " ", value));
}

Options parse(std::span<char* const> arguments) {
  constexpr const char* usage =
      "parconv_layer_bench LAYERS.csv [--backend cpu|onednn] [--filter SUBSTRING] [--max-gflop X] [--repeats N] "
      "[--clock wall|cpu] [--dtype f32|bf16|f16] [--leaves coarse|fine|chain]";
  if (arguments.size() < 2 || arguments.size() % 2 != 0) throw Error(ExitCode::Usage, "wrong number of arguments", usage);
  Options options{.path = arguments[1]};
  for (std::size_t k = 2; k < arguments.size(); k += 2) set_option(options, arguments[k], arguments[k + 1]);
  return options;
}

double now_seconds(Clock clock) {
  timespec now{};
  clock_gettime(clock == Clock::Cpu ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class Call>
double seconds_of(Call& call, int count, Clock clock) {
  const double begin = now_seconds(clock);
  for (int k = 0; k < count; ++k) call.execute();
  return (now_seconds(clock) - begin) / count;
}

/// The order alternates between samples. `f32` is null if `kernel` is f32.
Measurement measure(KernelCall& kernel, DirectCall& direct, KernelCall* f32, const Options& options) {
  seconds_of(kernel, num_warm_ups, options.clock);
  const double seconds = seconds_of(direct, num_warm_ups, options.clock);
  const int calls = static_cast<int>(std::clamp(std::ceil(shortest_sample_seconds / seconds), 1.0, 1e4));
  if (f32 != nullptr) seconds_of(*f32, num_warm_ups, options.clock);
  std::vector<double> kernel_seconds, direct_seconds, f32_seconds;
  for (int k = 0; k < options.repeats; ++k) {
    if (k % 2 == 0) kernel_seconds.push_back(seconds_of(kernel, calls, options.clock));
    direct_seconds.push_back(seconds_of(direct, calls, options.clock));
    if (f32 != nullptr) f32_seconds.push_back(seconds_of(*f32, calls, options.clock));
    if (k % 2 != 0) kernel_seconds.push_back(seconds_of(kernel, calls, options.clock));
  }
  return {.kernel = timing_of(kernel_seconds),
          .direct = timing_of(direct_seconds),
          .f32 = f32 != nullptr ? timing_of(f32_seconds) : Timing{},
          .calls_per_sample = calls};
}

struct Results {
  std::vector<float> kernel{};
  std::vector<float> direct{};
};

/// Results must be equal up to the order of sums, so that the same computation is timed.
Results same_results(KernelCall& kernel, const LayerData& data, DirectCall& direct, const LayerData& direct_data) {
  direct.execute();
  std::vector<float> expected = direct_data.values();
  kernel.execute();
  std::vector<float> found = data.values();
  float largest = 0, error = 0;
  for (std::size_t k = 0; k < expected.size(); ++k) {
    largest = std::max(largest, std::fabs(expected[k]));
    error = std::max(error, std::fabs(expected[k] - found[k]));
  }
  const float tolerance = data.type() == DType::F32 ? 1e-5F : 1e-2F;
  PARCONV_EXPECT(error <= tolerance * largest, kernel.implementation(), " and ", direct.implementation(), " differ by ", error);
  return {.kernel = std::move(found), .direct = std::move(expected)};
}

void print(const Layer& layer, const Measurement& m, const std::string& ours, const std::string& direct, const Options& options) {
  fmt::print(
      R"({{"network":"{}","layer":"{}","spatial_ndims":{},"ic":{},"size":{},"oc":{},"kernel":{},"stride":{},"pad":{},"groups":{},"dilation":{},)"
      R"("gflop":{},"threads":1,"dtype":"{}","clock":"{}","repeats":{},"calls_per_sample":{},"median_seconds":{:.3e},"min_seconds":{:.3e},)"
      R"("direct_median_seconds":{:.3e},"direct_min_seconds":{:.3e},"ratio":{:.4f},"min_ratio":{:.4f},"gflop_per_second":{:.1f},)"
      R"("f32_median_seconds":{:.3e},"gain":{:.3f},"error":{:.3e},"direct_error":{:.3e},"implementation":"{}","direct_implementation":"{}","onednn":"{}","revision":"{}","load_average":{:.2f}}})"
      "\n",
      layer.network, layer.name, layer.spatial_ndims, layer.ic, layer.size, layer.oc, layer.kernel, layer.stride, layer.pad,
      layer.groups, layer.dilation, layer.gflop, name_of(options.type), options.clock == Clock::Cpu ? "cpu" : "wall",
      options.repeats, m.calls_per_sample, m.kernel.median_seconds, m.kernel.min_seconds, m.direct.median_seconds,
      m.direct.min_seconds, m.ratio(), m.min_ratio(), layer.gflop / m.kernel.median_seconds, m.f32.median_seconds, m.gain(),
      m.error, m.direct_error, ours, direct, onednn_version(), PARCONV_BENCH_REVISION, load_average());
}

Measurement bench_layer(const Layer& layer, Backend& backend, const Options& options) {
  LayerData data(layer, options.type);
  KernelCall kernel(layer, data, backend, options.rule);
  std::optional<LayerData> f32_data;
  std::optional<KernelCall> f32;
  if (options.type != DType::F32) f32.emplace(layer, f32_data.emplace(layer, DType::F32), backend);
  LayerData& direct_data = DirectCall::is_supported(layer, options.type) ? data : *f32_data;
  DirectCall direct(layer, direct_data);
  const Results results = same_results(kernel, data, direct, direct_data);
  Measurement measured = measure(kernel, direct, f32 ? &*f32 : nullptr, options);
  if (options.type == DType::F32) {
    const ExactResults exact(layer, data);
    measured.error = exact.relative_error(results.kernel);
    measured.direct_error = exact.relative_error(results.direct);
  }
  print(layer, measured, kernel.implementation(), direct.implementation(), options);
  return measured;
}

/// Over all layers. No gains if only f32 was measured.
struct Ratios {
  std::vector<double> medians{};
  std::vector<double> mins{};
  std::vector<double> gains{};
  std::vector<double> errors{};  ///< over those of the direct call
};

void print_summary(const Ratios& all, std::size_t num_skipped) {
  const std::vector<double>&ratios = all.medians, &min_ratios = all.mins;
  if (ratios.empty()) throw Error(ExitCode::BadData, "no layer was chosen", "Relax --filter and --max-gflop.");
  fmt::print(
      R"({{"layers":{},"skipped":{},"geomean_ratio":{:.4f},"worst_ratio":{:.4f},"geomean_min_ratio":{:.4f},)"
      R"("worst_min_ratio":{:.4f},"geomean_gain":{:.3f},"least_gain":{:.3f},"geomean_error_ratio":{:.3f},"worst_error_ratio":{:.3f},"load_average":{:.2f}}})"
      "\n",
      ratios.size(), num_skipped, geomean(ratios), *std::max_element(ratios.begin(), ratios.end()), geomean(min_ratios),
      *std::max_element(min_ratios.begin(), min_ratios.end()), all.gains.empty() ? 0.0 : geomean(all.gains),
      all.gains.empty() ? 0.0 : *std::min_element(all.gains.begin(), all.gains.end()),
      all.errors.empty() ? 0.0 : geomean(all.errors),
      all.errors.empty() ? 0.0 : *std::max_element(all.errors.begin(), all.errors.end()), load_average());
}

void run(const Options& options) {
  use_onednn_threads(1);
  const auto backend = make_backend({.name = options.backend, .threads = 1, .type = options.type});
  Ratios ratios;
  std::size_t num_skipped = 0;
  for (const Layer& layer : read_layers(options.path)) {
    if (!is_chosen(layer, options.choice)) {
      ++num_skipped;
      continue;
    }
    const Measurement measured = bench_layer(layer, *backend, options);
    ratios.medians.push_back(measured.ratio());
    ratios.mins.push_back(measured.min_ratio());
    if (options.type != DType::F32) ratios.gains.push_back(measured.gain());
    if (options.type == DType::F32) ratios.errors.push_back(measured.error / measured.direct_error);
  }
  print_summary(ratios, num_skipped);
}

}  // namespace
}  // namespace parconv::bench

int main(int argc, char** argv) {
  using namespace parconv::bench;
  return guarded([&] { run(parse({argv, static_cast<std::size_t>(argc)})); });
}
