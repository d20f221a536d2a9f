#include "compute/cudnn_library.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <limits>

#include "compute/cuda_elements.hpp"
#include "compute/cudnn_plan.hpp"
#include "compute/filter_cache.hpp"
#include "device/cuda_check.hpp"
#include "device/cuda_copy.hpp"
#include "device/elements.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using cudnn::Addresses;
using cudnn::ConvGraph;
using cudnn::Plan;

constexpr std::size_t most_timed_plans = 10;
constexpr int timed_repeats = 5;

cudaStream_t stream_of(const Device& device) { return static_cast<cudaStream_t>(device.native_stream(DeviceLane::Compute)); }

DeviceBytes uploaded(Device& device, std::span<const std::byte> bytes) {
  DeviceBytes memory = device.allocate(bytes.size());
  cuda::check(cudaMemcpyAsync(memory.data(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice, stream_of(device)),
              "cudaMemcpyAsync");
  cuda::check(cudaStreamSynchronize(stream_of(device)), "cudaStreamSynchronize");
  return memory;
}

/// Numbers as elements of `type`.
AlignedBytes elements(std::span<const float> numbers, DType type) {
  AlignedBytes bytes(numbers.size() * size_of(type));
  for (std::size_t k = 0; k < numbers.size(); ++k)
    store_dense<1>({.data = bytes.data(), .type = type}, static_cast<index_t>(k), Lanes<1>{{numbers[k]}});
  return bytes;
}

/// A filter in the memory of the GPU, dense as oc, kd, kh, kw, ic.
using SharedFilter = FilterCache<DeviceBytes>::Shared;

/// A graph with the plan that computes it, for all calls that are alike.
struct PlannedGraph {
  StridedConv conv{};
  std::optional<ConvGraph> graph{};
  std::optional<Plan> plan{};  ///< none: cuDNN does not compute it
};

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

  /// Of what `work` gives to the stream.
  template <class Work>
  float milliseconds(cudaStream_t stream, Work&& work) {
    cuda::check(cudaEventRecord(begin_, stream), "cudaEventRecord");
    work();
    cuda::check(cudaEventRecord(end_, stream), "cudaEventRecord");
    cuda::check(cudaEventSynchronize(end_), "cudaEventSynchronize");
    float elapsed = 0;
    cuda::check(cudaEventElapsedTime(&elapsed, begin_, end_), "cudaEventElapsedTime");
    return elapsed;
  }

 private:
  cudaEvent_t begin_ = nullptr;
  cudaEvent_t end_ = nullptr;
};

/// Bytes from the first element of an operand to behind its last.
std::size_t extent_bytes(const OperandLayout& layout) {
  index_t last = 0;
  for (Axis axis : all_axes) last += (layout.extents[axis] - 1) * layout.strides[axis];
  return static_cast<std::size_t>(last + 1) * size_of(layout.type);
}

/// Times plans on made-up operands.
class PlanTimer {
 public:
  PlanTimer(Device& device, cudnnHandle_t handle, const PlannedGraph& planned)
      : device_(device), handle_(handle), planned_(planned) {
    const StridedConv& conv = planned.conv;
    std::size_t filter_elems = static_cast<std::size_t>(conv.dst.extents[Axis::C] * conv.src.extents[Axis::C] / conv.groups);
    for (const WindowAxis& axis : conv.window.axes) filter_elems *= static_cast<std::size_t>(axis.kernel);
    allocate(cudnn::Uid::Src, extent_bytes(conv.src));
    allocate(cudnn::Uid::Filter, filter_elems * size_of(conv.src.type));
    allocate(cudnn::Uid::Bias, static_cast<std::size_t>(conv.dst.extents[Axis::C]) * sizeof(float));
    if (conv.residual) allocate(cudnn::Uid::Residual, extent_bytes(*conv.residual));
    allocate(cudnn::Uid::Dst, extent_bytes(conv.dst));
  }

  /// The shortest of some runs; infinity for a plan that fails.
  float milliseconds(const Plan& plan) {
    DeviceBytes workspace = device_.allocate(plan.workspace_bytes);
    addresses_.workspace = plan.workspace_bytes == 0 ? nullptr : workspace.data();
    const cudnn::Descriptor pack = cudnn::variant_pack(*planned_.graph, addresses_);
    const auto run = [&] { return cudnnBackendExecute(handle_, plan.plan.get(), pack.get()); };
    if (run() != CUDNN_STATUS_SUCCESS) return std::numeric_limits<float>::infinity();
    float shortest = std::numeric_limits<float>::infinity();
    for (int k = 0; k < timed_repeats; ++k)
      shortest = std::min(shortest, timer_.milliseconds(stream_of(device_), [&] { cudnn::check(run(), "cudnnBackendExecute"); }));
    return shortest;
  }

 private:
  void allocate(cudnn::Uid uid, std::size_t bytes) {
    memory_.push_back(device_.allocate(bytes));
    addresses_.tensors[static_cast<std::size_t>(uid) - 1] = memory_.back().data();
  }

  Device& device_;
  cudnnHandle_t handle_;
  const PlannedGraph& planned_;
  CudaTimer timer_{};
  std::vector<DeviceBytes> memory_{};
  Addresses addresses_{};
};

/// A plan with a filter and a bias. Packs of addresses are kept: an engine comes back to the same few again and again.
class CudnnCall final : public ConvCall {
 public:
  struct Numbers {
    SharedFilter filter{};
    DeviceBytes bias{};
  };

  CudnnCall(cudnnHandle_t handle, std::shared_ptr<const PlannedGraph> planned, Numbers numbers)
      : handle_(handle), planned_(std::move(planned)), numbers_(std::move(numbers)) {}

  void execute(const Operands& operands) override {
    const Addresses addresses{
        .tensors = {operands.src, numbers_.filter.memory->data(), numbers_.bias.data(), operands.residual, operands.dst},
        .workspace = workspace_bytes() == 0 ? nullptr : operands.workspace};
    cudnn::check(cudnnBackendExecute(handle_, planned_->plan->plan.get(), pack_of(addresses).get()), "cudnnBackendExecute");
  }

  std::size_t workspace_bytes() const override { return planned_->plan->workspace_bytes; }
  std::size_t resident_bytes() const override {
    return numbers_.bias.size() + (numbers_.filter.is_new ? numbers_.filter.memory->size() : 0);
  }
  std::string implementation() const override { return concat("cudnn:engine", planned_->plan->engine); }

 private:
  struct KnownPack {
    Addresses addresses{};
    cudnn::Descriptor pack;
  };
  static constexpr std::size_t most_packs = 32;

  const cudnn::Descriptor& pack_of(const Addresses& addresses) {
    const auto known =
        std::find_if(packs_.begin(), packs_.end(), [&](const KnownPack& pack) { return pack.addresses == addresses; });
    if (known != packs_.end()) return known->pack;
    if (packs_.size() == most_packs) packs_.erase(packs_.begin());
    return packs_.emplace_back(KnownPack{addresses, cudnn::variant_pack(*planned_->graph, addresses)}).pack;
  }

  cudnnHandle_t handle_;
  std::shared_ptr<const PlannedGraph> planned_;
  Numbers numbers_;
  std::vector<KnownPack> packs_{};
};

class CudnnLibrary final : public ConvLibrary {
 public:
  CudnnLibrary(Device& device, const GpuOptions& options) : device_(device), options_(options), handle_(stream_of(device)) {}

  std::unique_ptr<ConvCall> make_call(const StridedConv& conv, const ConvFilter& filter) override {
    const std::shared_ptr<const PlannedGraph> planned = planned_graph(conv);
    if (!planned->plan) return nullptr;
    CudnnCall::Numbers numbers{.filter = packed(filter, conv.src.type)};
    if (conv.has_bias) numbers.bias = uploaded(device_, std::as_bytes(filter.bias));
    return std::make_unique<CudnnCall>(handle_.get(), planned, std::move(numbers));
  }

  bool fuses(const Activation& activation) const override {
    if (options_.engines == GpuEngines::Exact) return cudnn::is_comparison(activation.kind);
    return cudnn::has_activation(activation.kind);
  }

  std::unique_ptr<Kernel> make_kernel(const LocalOp& op) override { return make_cuda_kernel(op, device_); }
  void copy(ConstView src, View dst) override { launch_copy_box(src.data, src.layout, dst.data, dst.layout, stream_of(device_)); }
  void zero(std::byte* data, std::size_t size_bytes) override {
    cuda::check(cudaMemsetAsync(data, 0, size_bytes, stream_of(device_)), "cudaMemsetAsync");
  }

 private:
  /// Found again for calls that are alike, also if there is no plan.
  std::shared_ptr<const PlannedGraph> planned_graph(const StridedConv& conv) {
    for (const auto& known : planned_)
      if (known->conv == conv) return known;
    auto planned = std::make_shared<PlannedGraph>(
        PlannedGraph{.conv = conv, .graph = cudnn::try_graph(conv, handle_.get()), .plan = std::nullopt});
    if (planned->graph) planned->plan = chosen_plan(*planned);
    planned_.push_back(planned);
    return planned;
  }

  cudnn::EngineRules rules(const StridedConv& conv) const {
    return {.needs_whole_f32 = conv.src.type == DType::F32 && options_.f32_products == F32Products::Whole,
            .needs_exact_integers = options_.engines == GpuEngines::Exact,
            .most_workspace_bytes = options_.most_workspace_bytes};
  }

  std::optional<Plan> chosen_plan(const PlannedGraph& planned) {
    const bool is_timed = options_.engines == GpuEngines::Timed;
    std::vector<Plan> plans =
        cudnn::find_plans(*planned.graph, rules(planned.conv), {.handle = handle_.get()}, is_timed ? most_timed_plans : 1);
    if (plans.empty()) return std::nullopt;
    if (plans.size() == 1) return std::move(plans.front());
    return std::move(plans[fastest(planned, plans)]);
  }

  std::size_t fastest(const PlannedGraph& planned, const std::vector<Plan>& plans) {
    PlanTimer timer(device_, handle_.get(), planned);
    std::vector<float> milliseconds;
    for (const Plan& plan : plans) milliseconds.push_back(timer.milliseconds(plan));
    return static_cast<std::size_t>(std::min_element(milliseconds.begin(), milliseconds.end()) - milliseconds.begin());
  }

  SharedFilter packed(const ConvFilter& filter, DType type) {
    return filters_.get(
        filter.filter, filter.box, type, [](const DeviceBytes&) { return true; },
        [&] { return uploaded(device_, elements(filter_channels_last(filter), type)); });
  }

  Device& device_;
  GpuOptions options_;
  cudnn::Handle handle_;
  std::vector<std::shared_ptr<const PlannedGraph>> planned_{};
  FilterCache<DeviceBytes> filters_{};
};

}  // namespace

std::unique_ptr<ConvLibrary> make_cudnn_library(Device& device, const GpuOptions& options) {
  return std::make_unique<CudnnLibrary>(device, options);
}

}  // namespace parconv
