// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/gpu_calls.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>

#include "compute/conv/conv_library.hpp"
#include "compute/cudnn/cudnn_plan.hpp"
#include "cuda/cuda_check.hpp"
#include "parconv/core/error.hpp"
#include "parconv/tensor/elements.hpp"
#include "support/random.hpp"

namespace parconv::bench {
namespace {

using cuda::check;

constexpr std::size_t copied_bytes = std::size_t{1} << 30;
constexpr int copy_repeats = 10;

cudaStream_t stream_of(const Device& device) { return static_cast<cudaStream_t>(device.native_stream(DeviceStream::Compute)); }

/// Times work on a stream between two events.
class GpuClock {
 public:
  explicit GpuClock(cudaStream_t stream) : stream_(stream) {
    check(cudaEventCreate(&begin_), "cudaEventCreate");
    check(cudaEventCreate(&end_), "cudaEventCreate");
  }
  ~GpuClock() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  GpuClock(const GpuClock&) = delete;
  GpuClock& operator=(const GpuClock&) = delete;

  template <class Work>
  double seconds_per_call(int calls, Work&& work) {
    check(cudaEventRecord(begin_, stream_), "cudaEventRecord");
    for (int k = 0; k < calls; ++k) work();
    check(cudaEventRecord(end_, stream_), "cudaEventRecord");
    check(cudaEventSynchronize(end_), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin_, end_), "cudaEventElapsedTime");
    return 1e-3 * static_cast<double>(milliseconds) / calls;
  }

 private:
  cudaStream_t stream_;
  cudaEvent_t begin_ = nullptr;
  cudaEvent_t end_ = nullptr;
};

/// Random values in [-1, 1): one megabyte, repeated.
DeviceBytes random_elements(Device& device, index_t count, DType type, std::uint64_t seed) {
  const index_t period = std::min<index_t>(count, index_t{1} << 18);
  const std::vector<float> numbers = test::Random(seed).reals(period);
  AlignedBytes host(static_cast<std::size_t>(count) * size_of(type));
  for (index_t k = 0; k < count; ++k)
    store_dense<1>({.data = host.data(), .type = type}, k, ChannelVector<1>{{numbers[static_cast<std::size_t>(k % period)]}});
  DeviceBytes memory = device.allocate(host.size());
  check(cudaMemcpy(memory.data(), host.data(), host.size(), cudaMemcpyHostToDevice), "cudaMemcpy");
  return memory;
}

StridedConv strided_conv_of(const LocalOp& op) {
  return {.src = op.srcs.front(),
          .dst = op.dst,
          .window = std::get<LocalConv>(op.kind).window,
          .has_bias = true,
          .activation = op.epilogue.activation};
}

/// The plan of the engine that a kernel reports; none if the kernel makes several calls.
std::optional<cudnn::Plan> same_plan(const cudnn::ConvGraph& graph, const GpuType& type, cudnnHandle_t handle,
                                     const std::string& implementation) {
  const cudnn::ConvAlgorithmRules rules{.needs_whole_f32 = type.type == DType::F32 && type.f32_products == F32Products::Whole};
  constexpr std::size_t most_plans = 10;
  for (cudnn::Plan& plan : cudnn::find_plans(graph, rules, {.handle = handle}, most_plans))
    if (concat("cudnn:engine", plan.engine) == implementation) return std::move(plan);
  return std::nullopt;
}

index_t filter_elems(const LocalOp& op) { return std::get<LocalConv>(op.kind).blocks.front().filter.volume(); }

}  // namespace

GpuType gpu_type(const std::string& name) {
  for (const GpuType& type :
       {GpuType{}, GpuType{"tf32", DType::F32, F32Products::Tf32}, GpuType{"f16", DType::F16}, GpuType{"bf16", DType::BF16}})
    if (name == type.name) return type;
  throw Error(ExitCode::Usage, concat("--dtype takes f32, tf32, f16 or bf16, not \"", name, "\""));
}

struct GpuLayer::State {
  State(Device& device, const LocalOp& op, const GpuType& type, ConvAlgorithmChoice conv_algorithms)
      : backend(make_backend({.name = "cudnn",
                              .device = &device,
                              .gpu = {.f32_products = type.f32_products, .conv_algorithms = conv_algorithms}})),
        handle(stream_of(device)),
        clock(stream_of(device)),
        src(random_elements(device, volume(op.srcs.front().extents), type.type, 1)),
        filter(random_elements(device, filter_elems(op), type.type, 2)),
        bias(random_elements(device, op.dst.extents[Axis::C], DType::F32, 3)),
        dst(device.allocate(static_cast<std::size_t>(volume(op.dst.extents)) * size_of(type.type))) {
    const auto read = [](const Filter&, const FilterBox& box) { return test::Random(2).reals(box.volume()); };
    kernel = backend->prepare(op, read);
    scratch = device.allocate(kernel->scratch_bytes());
    implementation = kernel->implementation();
    graph = cudnn::try_graph(strided_conv_of(op), handle.get());
    if (graph) plan = same_plan(*graph, type, handle.get(), implementation);
    if (!plan) return;
    workspace = device.allocate(plan->workspace_bytes);
    pack = cudnn::variant_pack(*graph, {.tensors = {src.data(), filter.data(), bias.data(), nullptr, dst.data()},
                                        .workspace = plan->workspace_bytes == 0 ? nullptr : workspace.data()});
  }

  std::unique_ptr<Backend> backend;
  cudnn::Handle handle;
  GpuClock clock;
  DeviceBytes src, filter, bias, dst;
  DeviceBytes scratch{}, workspace{};
  std::unique_ptr<Kernel> kernel{};
  std::optional<cudnn::ConvGraph> graph{};
  std::optional<cudnn::Plan> plan{};
  std::optional<cudnn::Descriptor> pack{};
  std::string implementation{};
};

GpuLayer::GpuLayer(Device& device, const LocalOp& op, const GpuType& type, ConvAlgorithmChoice conv_algorithms)
    : state_(std::make_unique<State>(device, op, type, conv_algorithms)) {}

GpuLayer::~GpuLayer() = default;

double GpuLayer::kernel_seconds(int calls) {
  const std::array<const std::byte*, 1> srcs{state_->src.data()};
  return state_->clock.seconds_per_call(calls,
                                        [&] { state_->kernel->execute(srcs, state_->dst.data(), state_->scratch.data()); });
}

double GpuLayer::direct_seconds(int calls) {
  PARCONV_EXPECT(has_direct(), implementation());
  return state_->clock.seconds_per_call(calls, [&] {
    cudnn::check(cudnnBackendExecute(state_->handle.get(), state_->plan->plan.get(), state_->pack->get()), "cudnnBackendExecute");
  });
}

bool GpuLayer::has_direct() const { return state_->plan.has_value(); }

const std::string& GpuLayer::implementation() const { return state_->implementation; }

double copy_bytes_per_second(Device& device) {
  DeviceBytes from = device.allocate(copied_bytes), to = device.allocate(copied_bytes);
  GpuClock clock(stream_of(device));
  double shortest = 1e9;
  for (int k = 0; k < copy_repeats; ++k)
    shortest = std::min(shortest, clock.seconds_per_call(1, [&] {
      check(cudaMemcpyAsync(to.data(), from.data(), copied_bytes, cudaMemcpyDeviceToDevice, stream_of(device)),
            "cudaMemcpyAsync");
    }));
  return 2.0 * static_cast<double>(copied_bytes) / shortest;
}

std::string gpu_versions() {
  int runtime = 0;
  check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  return concat(runtime / 1000, ".", runtime % 1000 / 10, ", ", cudnn::version());
}

}  // namespace parconv::bench
