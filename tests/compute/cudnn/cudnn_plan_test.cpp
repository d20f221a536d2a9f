// SPDX-License-Identifier: Apache-2.0
// cuDNN plans for the description of an absent GPU. Linked with a stub driver library (no_driver.cpp).
#include "compute/cudnn/cudnn_plan.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "compute/conv/conv_variants.hpp"
#include "compute/conv/stub_conv_library.hpp"
#include "compute/local_op_random.hpp"

namespace parconv::test {
namespace {

/// PARCONV_DEVICE_PROPERTIES names another description of a GPU (gpus/README.md).
std::string description() {
  const char* const path = std::getenv("PARCONV_DEVICE_PROPERTIES");
  std::ostringstream json;
  json << std::ifstream(path == nullptr ? PARCONV_H200_PROPERTIES : path).rdbuf();
  std::string text = json.str();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

class CudnnPlans : public ::testing::Test {
 protected:
  std::vector<cudnn::Plan> plans(const StridedConv& conv, cudnn::ConvAlgorithmRules rules, std::size_t most = 1) const {
    return cudnn::find_plans(cudnn::ConvGraph(conv), rules, {.properties = &properties_}, most);
  }
  std::vector<cudnn::Plan> plans(const StridedConv& conv, std::size_t most = 1) const {
    return plans(conv, {.needs_whole_f32 = conv.src.type == DType::F32}, most);
  }

  cudnn::Descriptor properties_ = cudnn::device_properties(description());
};

class CudnnPlansOf : public CudnnPlans, public ::testing::WithParamInterface<DType> {};

INSTANTIATE_TEST_SUITE_P(Types, CudnnPlansOf, ::testing::Values(DType::F32, DType::F16, DType::BF16),
                         [](const auto& each) { return std::string(name_of(each.param)); });

TEST_F(CudnnPlans, AreCreatedFromADescription) { EXPECT_EQ(cudnn::to_json(properties_), description()); }

/// With a bias, as in strided_block.cpp.
TEST_P(CudnnPlansOf, EveryVariant) {
  for (Variant variant : variants)
    for (const int ndims : {1, 2, 3}) {
      if (variant.has_residual || variant.activation.kind != ActivationKind::None) variant.has_bias = true;
      if (variant.activation.kind == ActivationKind::Clip) variant.activation = {.kind = ActivationKind::Relu};
      EXPECT_FALSE(plans(conv_of(variant, ndims, GetParam(), GetParam())).empty()) << variant.name << " " << ndims << "-D";
    }
}

/// Partial sums over ranks are stored in f32. A sum over one channel has no partial sums.
TEST_P(CudnnPlansOf, SumsThatAreNotRounded) {
  for (const Variant& variant : variants) {
    if (variant.has_residual || variant.has_bias || variant.groups == 16) continue;
    EXPECT_FALSE(plans(conv_of(variant, 2, GetParam(), DType::F32)).empty()) << variant.name;
  }
}

TEST_P(CudnnPlansOf, SamplesWithAPitch) {
  for (const int ndims : {1, 2, 3}) {
    StridedConv conv = conv_of(variants.front(), ndims, GetParam(), GetParam());
    conv.src.strides[Axis::N] += 2 * conv.src.strides[Axis::H];
    conv.dst.strides[Axis::N] += 2 * conv.dst.strides[Axis::H];
    EXPECT_FALSE(plans(conv).empty()) << ndims << "-D";
  }
}

TEST_F(CudnnPlans, ThatSumIntegersExactlyExistForAllTypes) {
  for (const DType type : {DType::F32, DType::F16, DType::BF16}) {
    const StridedConv conv = conv_of(variants.front(), 2, type, type);
    EXPECT_FALSE(plans(conv, {.needs_whole_f32 = type == DType::F32, .needs_exact_integers = true}).empty()) << name_of(type);
  }
}

TEST_F(CudnnPlans, OfTf32UseOtherEnginesThanWholeProducts) {
  StridedConv conv;
  conv.src = conv.dst = dense({{2, 64, 1, 24, 24}}, DType::F32);
  for (const Axis axis : {Axis::H, Axis::W}) conv.window[axis] = {.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  const auto whole = plans(conv, cudnn::ConvAlgorithmRules{}),
             tf32 = plans(conv, cudnn::ConvAlgorithmRules{.needs_whole_f32 = false});
  ASSERT_FALSE(whole.empty() || tf32.empty());
  EXPECT_NE(whole.front().engine, tf32.front().engine);
}

TEST_F(CudnnPlans, RespectTheWorkspaceLimit) {
  StridedConv conv = conv_of(variants.front(), 3, DType::F32, DType::F32);
  const auto free = plans(conv, cudnn::ConvAlgorithmRules{}, 20);
  const auto bound = plans(conv, {.most_workspace_bytes = 0}, 20);
  EXPECT_LT(bound.size(), free.size());
  EXPECT_FALSE(bound.empty());
  for (const cudnn::Plan& plan : bound) EXPECT_EQ(plan.workspace_bytes, 0U);
}

/// Creates plans and computes nothing.
class Planner final : public StubConvLibrary {
 public:
  explicit Planner(const cudnn::Descriptor& properties) : properties_(properties) {}

  bool fuses(const Activation& activation) const override { return cudnn::has_activation(activation.kind); }

 private:
  bool computes(const StridedConv& conv) override {
    const auto graph = cudnn::try_graph(conv);
    const cudnn::ConvAlgorithmRules rules{.needs_whole_f32 = conv.src.type == DType::F32};
    return graph && !cudnn::find_plans(*graph, rules, {.properties = &properties_}, 1).empty();
  }

  const cudnn::Descriptor& properties_;
};

/// Every call has a plan for at least one attempt; otherwise prepare would throw.
TEST_P(CudnnPlansOf, AnyCall) {
  Planner planner(properties_);
  const auto typed = [](TestCall call) {
    for (OperandLayout& src : call.op.srcs) src.type = GetParam();
    call.op.dst.type = GetParam();
    return call;
  };
  for (std::uint64_t k = 0; k < 6; ++k) {
    const TestCall conv = typed(LocalOpGenerator(k, Numbers::SmallIntegers).conv());
    EXPECT_NO_THROW(make_strided_conv(conv.op, reader_of(conv.filter), planner)) << "call " << k;
    const TestCall deconv = typed(LocalOpGenerator(k, Numbers::SmallIntegers).deconv());
    EXPECT_NO_THROW(make_strided_deconv(deconv.op, reader_of(deconv.filter), planner)) << "call " << k;
  }
}

}  // namespace
}  // namespace parconv::test
