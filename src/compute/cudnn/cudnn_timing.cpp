// SPDX-License-Identifier: Apache-2.0
#include "compute/cudnn/cudnn_timing.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <random>

#include "compute/conv/conv_calls.hpp"
#include "compute/cudnn/cudnn_library.hpp"
#include "compute/elements/dense_elements.hpp"
#include "cuda/cuda_check.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace cudnn {
namespace {

constexpr std::size_t most_timed_plans = 10;
constexpr int repeats = 5;

cudaStream_t stream_of(const Device& device) { return static_cast<cudaStream_t>(device.native_stream(DeviceStream::Compute)); }

class CudaTimer {
 public:
  CudaTimer() {
    cuda::check(cudaEventCreate(&begin_), "cudaEventCreate");
    cuda::check(cudaEventCreate(&end_), "cudaEventCreate");
  }
  ~CudaTimer() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  CudaTimer(const CudaTimer&) = delete;
  CudaTimer& operator=(const CudaTimer&) = delete;

  /// The time of the work that `work` enqueues.
  template <class Work>
  double seconds(cudaStream_t stream, Work&& work) {
    cuda::check(cudaEventRecord(begin_, stream), "cudaEventRecord");
    work();
    cuda::check(cudaEventRecord(end_, stream), "cudaEventRecord");
    cuda::check(cudaEventSynchronize(end_), "cudaEventSynchronize");
    float milliseconds = 0;
    cuda::check(cudaEventElapsedTime(&milliseconds, begin_, end_), "cudaEventElapsedTime");
    return static_cast<double>(milliseconds) / 1000;
  }

 private:
  cudaEvent_t begin_ = nullptr;
  cudaEvent_t end_ = nullptr;
};

/// Bytes from the first element of an operand to the end of its last.
std::size_t extent_bytes(const OperandLayout& layout) {
  index_t last = 0;
  for (Axis axis : all_axes) last += (layout.extents[axis] - 1) * layout.strides[axis];
  return static_cast<std::size_t>(last + 1) * size_of(layout.type);
}

/// Pseudo-random elements in [-1, 1], equal on every rank.
AlignedBytes random_elements(std::size_t count, DType type) {
  std::minstd_rand random(1);
  std::vector<float> numbers(count);
  for (float& number : numbers) number = static_cast<float>(random() % 2001) / 1000.0F - 1.0F;
  return dense_elements(numbers, type);
}

/// Fills the memory with a repeated short sequence. Zeros would draw less power than real data and so run at higher clocks.
void fill(DeviceBytes& memory, DType type, cudaStream_t stream) {
  constexpr std::size_t most_elems = 1 << 16;
  const AlignedBytes run = random_elements(std::min(most_elems, memory.size() / size_of(type)), type);
  cuda::check(cudaMemcpyAsync(memory.data(), run.data(), run.size(), cudaMemcpyHostToDevice, stream), "cudaMemcpyAsync");
  cuda::check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  for (std::size_t filled = run.size(); filled > 0 && filled < memory.size();) {
    const std::size_t next = std::min(filled, memory.size() - filled);
    cuda::check(cudaMemcpyAsync(memory.data() + filled, memory.data(), next, cudaMemcpyDeviceToDevice, stream),
                "cudaMemcpyAsync");
    filled += next;
  }
}

/// Times plans of one call on its own operands.
class PlanTimer {
 public:
  PlanTimer(const StridedConv& conv, const ConvGraph& graph, const Bench& bench) : graph_(graph), bench_(bench) {
    std::size_t filter_elems = static_cast<std::size_t>(conv.dst.extents[Axis::C] * conv.src.extents[Axis::C] / conv.groups);
    for (const WindowAxis& axis : conv.window.axes) filter_elems *= static_cast<std::size_t>(axis.kernel);
    allocate(Uid::Src, extent_bytes(conv.src), conv.src.type);
    allocate(Uid::Filter, filter_elems * size_of(conv.src.type), conv.src.type);
    allocate(Uid::Bias, static_cast<std::size_t>(conv.dst.extents[Axis::C]) * sizeof(float), DType::F32);
    if (conv.residual) allocate(Uid::Residual, extent_bytes(*conv.residual), conv.residual->type);
    allocate(Uid::Dst, extent_bytes(conv.dst), conv.dst.type);
  }

  /// The minimum of several runs; empty if the plan fails.
  std::optional<double> seconds(const Plan& plan) {
    DeviceBytes workspace = bench_.device.allocate(plan.workspace_bytes);
    addresses_.workspace = plan.workspace_bytes == 0 ? nullptr : workspace.data();
    const Descriptor pack = variant_pack(graph_, addresses_);
    const auto run = [&] { return cudnnBackendExecute(bench_.handle, plan.plan.get(), pack.get()); };
    if (run() != CUDNN_STATUS_SUCCESS) return std::nullopt;
    std::optional<double> shortest;
    for (int k = 0; k < repeats; ++k) {
      const double seconds = timer_.seconds(stream_of(bench_.device), [&] { check(run(), "cudnnBackendExecute"); });
      shortest = std::min(shortest.value_or(seconds), seconds);
    }
    return shortest;
  }

 private:
  void allocate(Uid uid, std::size_t bytes, DType type) {
    memory_.push_back(bench_.device.allocate(bytes));
    fill(memory_.back(), type, stream_of(bench_.device));
    addresses_.tensors[static_cast<std::size_t>(uid) - 1] = memory_.back().data();
  }

  const ConvGraph& graph_;
  const Bench& bench_;
  CudaTimer timer_{};
  std::vector<DeviceBytes> memory_{};
  Addresses addresses_{};
};

}  // namespace

std::optional<Plan> fastest_plan(const StridedConv& conv, const ConvGraph& graph, const ConvAlgorithmRules& rules,
                                 const Bench& bench) {
  std::vector<Plan> plans = find_plans(graph, rules, {.handle = bench.handle}, most_timed_plans);
  if (plans.empty()) return std::nullopt;
  PlanTimer timer(conv, graph, bench);
  std::optional<Plan> best;
  for (Plan& plan : plans) {
    const std::optional<double> seconds = timer.seconds(plan);
    if (!seconds || (best && best->seconds <= *seconds)) continue;
    plan.seconds = *seconds;
    best = std::move(plan);
  }
  return best;
}

ConvAlgorithmMachine current_machine() {
  int index = 0;
  cuda::check(cudaGetDevice(&index), "cudaGetDevice");
  cudaDeviceProp properties{};
  cuda::check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
  return {.gpu = properties.name,
          .major = properties.major,
          .minor = properties.minor,
          .multiprocessors = properties.multiProcessorCount,
          .library = concat("cuDNN ", version())};
}

}  // namespace cudnn

std::unique_ptr<ConvAlgorithmChooser> make_cudnn_chooser(Device& device, const GpuOptions& options) {
  const auto handle = std::make_shared<cudnn::Handle>(device.native_stream(DeviceStream::Compute));
  const ConvAlgorithmMachine machine = cudnn::current_machine();
  const auto time = [handle, &device, options, multiprocessors = machine.multiprocessors](const StridedConv& conv) {
    const auto graph = cudnn::try_graph(conv, handle->get());
    if (!graph) return ConvAlgorithm{};
    const auto plan =
        cudnn::fastest_plan(conv, *graph, cudnn::rules_for(conv, options, multiprocessors), {device, handle->get()});
    return plan ? cudnn::choice_of(*plan) : ConvAlgorithm{};
  };
  return make_conv_chooser(
      {.machine = machine, .library = make_cudnn_library(device, options), .options = options, .time = time});
}

}  // namespace parconv
