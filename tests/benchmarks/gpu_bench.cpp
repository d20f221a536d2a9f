// SPDX-License-Identifier: Apache-2.0
// Times convolution layers with bias and ReLU on one GPU: a prepared Kernel, alternating with a direct call of the same cuDNN
// plan, and relative to the roofline max(FLOP / matrix rate, bytes / copy rate), whose rates are measured first (the matrix
// rate by an N x N matrix product, 8192 by default).
// parconv_gpu_bench LAYERS.csv [--filter SUBSTRING] [--max-gflop X] [--dtype f32|tf32|f16|bf16] [--batch N] [--repeats N]
// [--conv-algorithms heuristic|timed] [--matrix-edge N]. All four types by default. Prints one JSON line per layer and type, then
// a summary per type.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "benchmarks/gpu_calls.hpp"
#include "benchmarks/measuring.hpp"
#include "parconv/device/devices.hpp"

namespace parconv::bench {
namespace {

constexpr double shortest_sample_seconds = 2e-3;
constexpr int num_warm_ups = 3;

struct Options {
  std::string path{};
  LayerChoice choice{};
  std::vector<std::string> types{"f32", "tf32", "f16", "bf16"};
  index_t batch = 1;
  int repeats = 11;
  index_t matrix_edge = 8192;
  ConvAlgorithmChoice conv_algorithms = ConvAlgorithmChoice::Timed;
};

/// Measured peak rates of the GPU.
struct Ceilings {
  double flop_per_second = 0;
  double bytes_per_second = 0;
};

struct Measurement {
  Timing kernel{};
  Timing direct{};
  int calls_per_sample = 1;
  double roof_seconds = 0;
};

void set_option(Options& options, const std::string& option, const std::string& value) {
  if (option == "--filter")
    options.choice.filter = value;
  else if (option == "--max-gflop")
    options.choice.max_gflop = number_of<double>(value, option);
  else if (option == "--dtype")
    options.types = {gpu_type(value).name};
  else if (option == "--batch")
    options.batch = std::max(index_t{1}, number_of<index_t>(value, option));
  else if (option == "--repeats")
    options.repeats = std::max(5, number_of<int>(value, option));
  else if (option == "--matrix-edge")
    options.matrix_edge = std::max(index_t{1}, number_of<index_t>(value, option));
  else if (option == "--conv-algorithms" && (value == "heuristic" || value == "timed"))
    options.conv_algorithms = value == "timed" ? ConvAlgorithmChoice::Timed : ConvAlgorithmChoice::Heuristic;
  else
    throw Error(ExitCode::Usage, concat("unknown option ", option, " ", value));
}

Options parse(std::span<char* const> arguments) {
  constexpr const char* usage =
      "parconv_gpu_bench LAYERS.csv [--filter SUBSTRING] [--max-gflop X] [--dtype f32|tf32|f16|bf16] [--batch N] [--repeats N] "
      "[--conv-algorithms heuristic|timed] [--matrix-edge N]";
  if (arguments.size() < 2 || arguments.size() % 2 != 0) throw Error(ExitCode::Usage, "wrong number of arguments", usage);
  Options options{.path = arguments[1]};
  for (std::size_t k = 2; k < arguments.size(); k += 2) set_option(options, arguments[k], arguments[k + 1]);
  return options;
}

/// A matrix product as a 1x1 convolution: `edge` pixels, input channels and output channels.
double matrix_flop_per_second(Device& device, const GpuType& type, index_t edge) {
  const Layer product{.name = "matrix", .ic = edge, .size = 1, .oc = edge};
  const std::vector<float> bias(static_cast<std::size_t>(edge));
  GpuLayer layer(device, local_op_of(product, bias, edge, type.type), type, ConvAlgorithmChoice::Timed);
  layer.kernel_seconds(num_warm_ups);
  double shortest = 1e9;
  for (int k = 0; k < 5; ++k) shortest = std::min(shortest, layer.kernel_seconds(3));
  return 2.0 * std::pow(static_cast<double>(edge), 3) / shortest;
}

/// Compulsory traffic: source, result and filter once.
double bytes_of(const Layer& layer, index_t n, DType type) {
  const auto activations = static_cast<double>(n * (layer.ic * layer.cells(layer.size) + layer.oc * layer.cells(layer.out_size)));
  return static_cast<double>(size_of(type)) * (activations + static_cast<double>(layer.weight_elems()));
}

/// The order alternates between samples. The direct time is 0 without a direct call.
Measurement measure(GpuLayer& layer, int repeats) {
  const double seconds = layer.kernel_seconds(num_warm_ups);
  if (layer.has_direct()) layer.direct_seconds(num_warm_ups);
  const int calls = static_cast<int>(std::clamp(std::ceil(shortest_sample_seconds / seconds), 1.0, 1e4));
  std::vector<double> kernel, direct;
  for (int k = 0; k < repeats; ++k) {
    if (k % 2 == 0) kernel.push_back(layer.kernel_seconds(calls));
    if (layer.has_direct()) direct.push_back(layer.direct_seconds(calls));
    if (k % 2 != 0) kernel.push_back(layer.kernel_seconds(calls));
  }
  return {.kernel = timing_of(kernel), .direct = direct.empty() ? Timing{} : timing_of(direct), .calls_per_sample = calls};
}

/// Fields that exist only with a direct call.
std::string direct_fields(const Measurement& m) {
  if (m.direct.median_seconds == 0) return R"("direct_median_seconds":null,"ratio":null)";
  return fmt::format(R"("direct_median_seconds":{:.3e},"direct_min_seconds":{:.3e},"ratio":{:.4f})", m.direct.median_seconds,
                     m.direct.min_seconds, m.kernel.median_seconds / m.direct.median_seconds);
}

void print(const Layer& layer, const Measurement& m, const GpuType& type, const std::string& implementation,
           const Options& options, const std::string& gpu) {
  const double gflop = layer.gflop * static_cast<double>(options.batch);
  fmt::print(
      R"({{"network":"{}","layer":"{}","spatial_ndims":{},"n":{},"ic":{},"size":{},"oc":{},"kernel":{},"stride":{},"pad":{},)"
      R"("dtype":"{}","gflop":{},"repeats":{},"calls_per_sample":{},"median_seconds":{:.3e},"min_seconds":{:.3e},{},)"
      R"("tflop_per_second":{:.2f},"roof_seconds":{:.3e},"fraction_of_roof":{:.4f},"implementation":"{}","conv_algorithms":"{}",)"
      R"("gpu":"{}","cuda_and_cudnn":"{}","revision":"{}"}})"
      "\n",
      layer.network, layer.name, layer.spatial_ndims, options.batch, layer.ic, layer.size, layer.oc, layer.kernel, layer.stride,
      layer.pad, type.name, gflop, options.repeats, m.calls_per_sample, m.kernel.median_seconds, m.kernel.min_seconds,
      direct_fields(m), 1e-3 * gflop / m.kernel.median_seconds, m.roof_seconds, m.roof_seconds / m.kernel.median_seconds,
      implementation, options.conv_algorithms == ConvAlgorithmChoice::Timed ? "timed" : "heuristic", gpu, gpu_versions(),
      PARCONV_BENCH_REVISION);
}

Measurement bench_layer(Device& device, const Layer& layer, const GpuType& type, const Ceilings& ceilings,
                        const Options& options) {
  const std::vector<float> bias(static_cast<std::size_t>(layer.oc), 0.5F);
  GpuLayer on_gpu(device, local_op_of(layer, bias, options.batch, type.type), type, options.conv_algorithms);
  Measurement measured = measure(on_gpu, options.repeats);
  const double flop = 1e9 * layer.gflop * static_cast<double>(options.batch);
  measured.roof_seconds =
      std::max(flop / ceilings.flop_per_second, bytes_of(layer, options.batch, type.type) / ceilings.bytes_per_second);
  print(layer, measured, type, on_gpu.implementation(), options, device.name());
  return measured;
}

void print_summary(const GpuType& type, const Ceilings& ceilings, const std::vector<double>& ratios,
                   const std::vector<double>& work_regions) {
  if (work_regions.empty()) throw Error(ExitCode::BadData, "no layer was chosen", "Relax --filter and --max-gflop.");
  fmt::print(R"({{"dtype":"{}","layers":{},"matrix_tflop_per_second":{:.1f},"copy_gb_per_second":{:.0f},"geomean_ratio":{},)"
             R"("worst_ratio":{},"geomean_fraction_of_roof":{:.4f},"worst_fraction_of_roof":{:.4f},"load_average":{:.2f}}})"
             "\n",
             type.name, work_regions.size(), 1e-12 * ceilings.flop_per_second, 1e-9 * ceilings.bytes_per_second,
             ratios.empty() ? "null" : fmt::format("{:.4f}", geomean(ratios)),
             ratios.empty() ? "null" : fmt::format("{:.4f}", *std::max_element(ratios.begin(), ratios.end())),
             geomean(work_regions), *std::min_element(work_regions.begin(), work_regions.end()), load_average());
}

void bench_type(Device& device, const GpuType& type, const std::vector<Layer>& layers, const Options& options) {
  const Ceilings ceilings{.flop_per_second = matrix_flop_per_second(device, type, options.matrix_edge),
                          .bytes_per_second = copy_bytes_per_second(device)};
  std::vector<double> ratios, work_regions;
  for (const Layer& layer : layers) {
    if (!is_chosen(layer, options.choice)) continue;
    const Measurement measured = bench_layer(device, layer, type, ceilings, options);
    if (measured.direct.median_seconds > 0) ratios.push_back(measured.kernel.median_seconds / measured.direct.median_seconds);
    work_regions.push_back(measured.roof_seconds / measured.kernel.median_seconds);
  }
  print_summary(type, ceilings, ratios, work_regions);
}

void run(const Options& options) {
  const std::vector<Layer> layers = read_layers(options.path);
  const auto device = make_cuda_device(0);
  for (const std::string& name : options.types) bench_type(*device, gpu_type(name), layers, options);
}

}  // namespace
}  // namespace parconv::bench

int main(int argc, char** argv) {
  using namespace parconv::bench;
  return guarded([&] { run(parse({argv, static_cast<std::size_t>(argc)})); });
}
