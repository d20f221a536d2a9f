// SPDX-License-Identifier: Apache-2.0
// The emulator's cuDNN: literal results, and what it has to refuse or to spoil. Runs with the emulator preloaded.
#include <gtest/gtest.h>

#include <cmath>

#include "compute/cudnn/cudnn_plan.hpp"
#include "parconv/device/devices.hpp"

namespace parconv::test {
namespace {

using cudnn::Uid;

OperandLayout dense(const Extents& extents) { return layout_within(Box::whole(extents), Box::whole(extents)); }

/// One row of 4 pixels with 4 input and 4 output channels; window 3, padding 1.
StridedConv row_conv() {
  StridedConv conv{.src = dense({{1, 4, 1, 1, 4}}), .dst = dense({{1, 4, 1, 1, 4}})};
  conv.window[Axis::W] = {.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  return conv;
}

/// A plan with memory for its tensors, all of one size.
class EmulatorCudnn : public ::testing::Test {
 protected:
  static constexpr index_t elems = 64;

  /// Chooses the first plan with at least `workspace_bytes`.
  void prepare(const StridedConv& conv, std::size_t workspace_bytes = 0) {
    graph_.emplace(conv, handle_.get());
    for (cudnn::Plan& plan : cudnn::find_plans(*graph_, {}, {.handle = handle_.get()}, 20))
      if (!plan_ && plan.workspace_bytes >= workspace_bytes) plan_.emplace(std::move(plan));
    ASSERT_TRUE(plan_.has_value());
    for (std::size_t k = 0; k < addresses_.tensors.size(); ++k) addresses_.tensors[k] = fill(k, 0);
    workspace_ = device_->allocate(plan_->workspace_bytes);
    addresses_.workspace = plan_->workspace_bytes == 0 ? nullptr : workspace_.data();
  }

  /// `count` values first, first + step, ...
  const void* fill(std::size_t tensor, float first, float step = 0) {
    auto* const numbers = reinterpret_cast<float*>(pinned_.data());
    for (index_t k = 0; k < elems; ++k) numbers[k] = first + step * static_cast<float>(k);
    device_->upload(bytes_view(std::as_const(pinned_).data(), pinned_.size()), bytes_view(memory_[tensor].data(), pinned_.size()),
                    DeviceStream::Compute);
    device_->synchronize();
    return memory_[tensor].data();
  }

  cudnnStatus_t execute() {
    const cudnn::Descriptor pack = cudnn::variant_pack(*graph_, addresses_);
    return cudnnBackendExecute(handle_.get(), plan_->plan.get(), pack.get());
  }

  std::vector<float> numbers_at(const void* data, std::size_t count) {
    device_->download(bytes_view(static_cast<const std::byte*>(data), count * sizeof(float)),
                      bytes_view(pinned_.data(), count * sizeof(float)), DeviceStream::Compute);
    device_->synchronize();
    const auto* const numbers = reinterpret_cast<const float*>(pinned_.data());
    return {numbers, numbers + count};
  }

  const void*& address(Uid uid) { return addresses_.tensors[static_cast<std::size_t>(uid) - 1]; }
  static std::size_t index(Uid uid) { return static_cast<std::size_t>(uid) - 1; }

  std::unique_ptr<Device> device_ = make_cuda_device(0);
  cudnn::Handle handle_{device_->native_stream(DeviceStream::Compute)};
  DeviceBytes pinned_ = device_->allocate(elems * sizeof(float), MemoryKind::Pinned);
  std::vector<DeviceBytes> memory_ = [this] {
    std::vector<DeviceBytes> memory;
    for (int k = 0; k < 5; ++k) memory.push_back(device_->allocate(elems * sizeof(float)));
    return memory;
  }();
  DeviceBytes workspace_{};
  std::optional<cudnn::ConvGraph> graph_{};
  std::optional<cudnn::Plan> plan_{};
  cudnn::Addresses addresses_{};
};

TEST_F(EmulatorCudnn, ConvolvesAddsAndClips) {
  StridedConv conv = row_conv();
  conv.has_bias = true;
  conv.residual = conv.dst;
  conv.activation = {.kind = ActivationKind::Relu};
  prepare(conv);
  fill(index(Uid::Src), 0, 1);  // pixel w, channel c: 4 w + c
  fill(index(Uid::Filter), 1);
  fill(index(Uid::Bias), -100);
  fill(index(Uid::Residual), 0, 2);
  ASSERT_EQ(execute(), CUDNN_STATUS_SUCCESS);
  // Pixel sums are 6, 22, 38, 54, so window sums are 28, 66, 114, 92.
  EXPECT_EQ(numbers_at(address(Uid::Dst), 16), (std::vector<float>{0, 0, 0, 0, 0, 0, 0, 0, 30, 32, 34, 36, 16, 18, 20, 22}));
}

TEST_F(EmulatorCudnn, SpoilsWhatLiesInThePlaceOfTheResult) {
  StridedConv conv = row_conv();
  conv.residual = conv.dst;
  conv.has_bias = true;
  prepare(conv);
  address(Uid::Residual) = address(Uid::Dst);
  ASSERT_EQ(execute(), CUDNN_STATUS_SUCCESS);
  for (float number : numbers_at(address(Uid::Dst), 16)) EXPECT_TRUE(std::isnan(number));
}

TEST_F(EmulatorCudnn, SpoilsWhatLiesInTheWorkspace) {
  prepare(row_conv(), 16 * sizeof(float));
  address(Uid::Src) = workspace_.data();
  ASSERT_EQ(execute(), CUDNN_STATUS_SUCCESS);
  EXPECT_TRUE(std::isnan(numbers_at(address(Uid::Dst), 1).front()));
}

TEST_F(EmulatorCudnn, RefusesAddressesThatCudnnCannotTake) {
  prepare(row_conv());
  const void* const right = address(Uid::Src);
  for (const void* wrong : {static_cast<const void*>(nullptr), static_cast<const void*>(pinned_.data()),
                            static_cast<const void*>(memory_[0].data() + 4)}) {
    address(Uid::Src) = wrong;
    EXPECT_EQ(execute(), CUDNN_STATUS_BAD_PARAM) << wrong;
  }
  address(Uid::Src) = right;
  EXPECT_EQ(execute(), CUDNN_STATUS_SUCCESS);
}

TEST_F(EmulatorCudnn, GivesUpWhereATensorGoesBeyondItsMemory) {
  prepare(row_conv());
  address(Uid::Src) = memory_[0].data() + elems * sizeof(float) - 16;
  EXPECT_DEATH(execute(), "beyond the end of an allocation");
}

/// A plan whose code is compiled only when more is asked for than its workspace.
TEST_F(EmulatorCudnn, CompilesAPlanThatIsAskedForMore) {
  StridedConv conv = row_conv();
  conv.src.type = conv.dst.type = DType::F16;
  conv.has_bias = true;
  conv.activation = {.kind = ActivationKind::Relu};
  const cudnn::ConvGraph graph(conv, handle_.get());
  const auto plans = cudnn::find_plans(graph, {.needs_whole_f32 = false}, {.handle = handle_.get()}, 1);
  ASSERT_FALSE(plans.empty());
  EXPECT_GT(plans.front().plan.read(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, std::span<char>()), 0);
}

}  // namespace
}  // namespace parconv::test
