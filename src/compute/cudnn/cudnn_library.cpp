// SPDX-License-Identifier: Apache-2.0
#include "compute/cudnn/cudnn_library.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>

#include "compute/conv/conv_calls.hpp"
#include "compute/cuda/cuda_elements.hpp"
#include "compute/cudnn/cudnn_timing.hpp"
#include "compute/elements/dense_elements.hpp"
#include "compute/filter_cache.hpp"
#include "cuda/cuda_check.hpp"
#include "cuda/cuda_copy.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using cudnn::Addresses;
using cudnn::ConvGraph;
using cudnn::Plan;

cudaStream_t stream_of(const Device& device) { return static_cast<cudaStream_t>(device.native_stream(DeviceStream::Compute)); }

DeviceBytes uploaded(Device& device, std::span<const std::byte> bytes) {
  DeviceBytes memory = device.allocate(bytes.size());
  cuda::check(cudaMemcpyAsync(memory.data(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice, stream_of(device)),
              "cudaMemcpyAsync");
  cuda::check(cudaStreamSynchronize(stream_of(device)), "cudaStreamSynchronize");
  return memory;
}

/// A filter in GPU memory, dense as oc, kd, kh, kw, ic.
using SharedFilter = FilterCache<DeviceBytes>::Shared;

/// A graph and its plan, shared by equal calls.
struct PlannedGraph {
  StridedConv conv{};
  std::optional<ConvGraph> graph{};
  std::optional<Plan> plan{};  ///< empty: not supported by cuDNN
};

/// A plan with a filter and a bias. Variant packs are cached, since an engine reuses the same few addresses.
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
  CudnnLibrary(Device& device, const GpuOptions& options)
      : device_(device),
        options_(options),
        handle_(stream_of(device)),
        multiprocessors_(cudnn::current_machine().multiprocessors) {}

  std::unique_ptr<ConvCall> make_call(const StridedConv& conv, const ConvFilter& filter) override {
    const std::shared_ptr<const PlannedGraph> planned = planned_graph(conv);
    if (!planned->plan) return nullptr;
    CudnnCall::Numbers numbers{.filter = packed(filter, conv.src.type)};
    if (conv.has_bias) numbers.bias = uploaded(device_, std::as_bytes(filter.bias));
    return std::make_unique<CudnnCall>(handle_.get(), planned, std::move(numbers));
  }

  bool fuses(const Activation& activation) const override {
    if (options_.conv_algorithms == ConvAlgorithmChoice::Exact) return cudnn::is_comparison(activation.kind);
    return cudnn::has_activation(activation.kind);
  }

  std::unique_ptr<Kernel> make_kernel(const LocalOp& op) override { return make_cuda_kernel(op, device_); }
  void copy(ConstView src, View dst) override { launch_copy_box(src.data, src.layout, dst.data, dst.layout, stream_of(device_)); }
  void zero(std::byte* data, std::size_t size_bytes) override {
    cuda::check(cudaMemsetAsync(data, 0, size_bytes, stream_of(device_)), "cudaMemsetAsync");
  }

 private:
  /// Cached for equal calls, even if there is no plan.
  std::shared_ptr<const PlannedGraph> planned_graph(const StridedConv& conv) {
    for (const auto& known : planned_)
      if (known->conv == conv) return known;
    auto planned = std::make_shared<PlannedGraph>(
        PlannedGraph{.conv = conv, .graph = cudnn::try_graph(conv, handle_.get()), .plan = std::nullopt});
    if (planned->graph) planned->plan = chosen_plan(*planned);
    planned_.push_back(planned);
    return planned;
  }

  std::optional<Plan> chosen_plan(const PlannedGraph& planned) {
    const cudnn::ConvAlgorithmRules rules = cudnn::rules_for(planned.conv, options_, multiprocessors_);
    const cudnn::Target target{.handle = handle_.get()};
    if (const ConvAlgorithm* const known = known_choice(planned.conv)) {
      if (!known->computes()) return std::nullopt;
      if (auto plan = cudnn::plan_of(*known, *planned.graph, rules, target)) return plan;
    }
    if (options_.conv_algorithms == ConvAlgorithmChoice::Timed)
      return cudnn::fastest_plan(planned.conv, *planned.graph, rules, {device_, handle_.get()});
    std::vector<Plan> plans = cudnn::find_plans(*planned.graph, rules, target, 1);
    if (plans.empty()) return std::nullopt;
    return std::move(plans.front());
  }

  const ConvAlgorithm* known_choice(const StridedConv& conv) const {
    if (options_.choices == nullptr) return nullptr;
    const auto found = options_.choices->find(key_of(conv, options_));
    return found == options_.choices->end() ? nullptr : &found->second;
  }

  SharedFilter packed(const ConvFilter& filter, DType type) {
    return filters_.get(
        filter.filter, filter.box, type, [](const DeviceBytes&) { return true; },
        [&] { return uploaded(device_, dense_elements(filter_channels_last(filter), type)); });
  }

  Device& device_;
  GpuOptions options_;
  cudnn::Handle handle_;
  int multiprocessors_;
  std::vector<std::shared_ptr<const PlannedGraph>> planned_{};
  FilterCache<DeviceBytes> filters_{};
};

}  // namespace

std::unique_ptr<ConvLibrary> make_cudnn_library(Device& device, const GpuOptions& options) {
  return std::make_unique<CudnnLibrary>(device, options);
}

}  // namespace parconv
