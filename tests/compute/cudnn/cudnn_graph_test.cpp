// SPDX-License-Identifier: Apache-2.0
// cuDNN graphs, validated by cuDNN itself, without a GPU.
#include "compute/cudnn/cudnn_graph.hpp"

#include <gtest/gtest.h>

#include "compute/conv/conv_variants.hpp"
#include "compute/conv/strided_block.hpp"
#include "compute/conv/stub_conv_library.hpp"
#include "compute/cudnn/cudnn_plan.hpp"
#include "compute/local_op_random.hpp"
#include "parconv/device/devices.hpp"

namespace parconv::test {
namespace {

using cudnn::Uid;

class CudnnGraphs : public ::testing::TestWithParam<std::tuple<Variant, int, DType, DType>> {};

INSTANTIATE_TEST_SUITE_P(All, CudnnGraphs,
                         ::testing::Combine(::testing::ValuesIn(variants), ::testing::Values(1, 2, 3),
                                            ::testing::Values(DType::F32, DType::F16, DType::BF16),
                                            ::testing::Values(DType::F32, DType::F16, DType::BF16)));

TEST_P(CudnnGraphs, AreAcceptedByCudnn) {
  const auto& [variant, ndims, src_type, dst_type] = GetParam();
  const StridedConv conv = conv_of(variant, ndims, src_type, dst_type);
  const cudnn::ConvGraph graph(conv);
  std::vector<Uid> expected{Uid::Dst, Uid::Src, Uid::Filter};
  if (variant.has_bias) expected.push_back(Uid::Bias);
  if (variant.has_residual) expected.push_back(Uid::Residual);
  std::vector<Uid> uids = graph.uids();
  std::sort(uids.begin(), uids.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(uids, expected) << "tensors between operations have no address";
}

TEST(CudnnGraph, AcceptsEveryListedActivation) {
  Variant variant{.axis = {.kernel = 3}};
  int num_smooth = 0;
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::Neg); ++kind) {
    variant.activation = {.kind = static_cast<ActivationKind>(kind), .alpha = 0.5F, .beta = 2};
    if (!cudnn::has_activation(variant.activation.kind)) {
      EXPECT_FALSE(cudnn::is_comparison(variant.activation.kind));
      continue;
    }
    EXPECT_NO_THROW(cudnn::ConvGraph(conv_of(variant, 2, DType::F16, DType::F16))) << kind;
    num_smooth += cudnn::is_comparison(variant.activation.kind) ? 0 : 1;
  }
  EXPECT_EQ(num_smooth, 6);
}

TEST(CudnnGraph, RejectsInconsistentShapes) {
  StridedConv conv = conv_of(variants.front(), 2, DType::F32, DType::F32);
  conv.dst = dense({{2, 16, 1, 12, 13}}, DType::F32);
  EXPECT_THROW(cudnn::ConvGraph{conv}, Error);
  EXPECT_FALSE(cudnn::try_graph(conv).has_value());
  conv = conv_of(variants.front(), 2, DType::F32, DType::F32);
  conv.src = dense({{3, 16, 1, 12, 12}}, DType::F32);
  EXPECT_THROW(cudnn::ConvGraph{conv}, Error);
  EXPECT_THROW(cudnn::data_type(DType::U8), Error);
}

/// Records the calls to cuDNN; computes nothing.
class Listener final : public StubConvLibrary {
 public:
  bool fuses(const Activation& activation) const override { return cudnn::has_activation(activation.kind); }

  int asked = 0;
  int accepted = 0;

 private:
  bool computes(const StridedConv& conv) override {
    ++asked;
    const bool is_accepted = cudnn::try_graph(conv).has_value();
    accepted += is_accepted ? 1 : 0;
    return is_accepted;
  }
};

/// cuDNN accepts the graph of at least one attempt for every call.
TEST(CudnnGraph, AcceptsSomeAttemptOfEveryCall) {
  Listener listener;
  for (std::uint64_t k = 0; k < 300; ++k) {
    TestCall conv = LocalOpGenerator(k, Numbers::SmallIntegers).conv();
    EXPECT_NO_THROW(make_strided_conv(conv.op, reader_of(conv.filter), listener)) << "call " << k;
    TestCall deconv = LocalOpGenerator(k, Numbers::SmallIntegers).deconv();
    EXPECT_NO_THROW(make_strided_deconv(deconv.op, reader_of(deconv.filter), listener)) << "call " << k;
  }
  EXPECT_GE(listener.accepted, 500);
  RecordProperty("refused", listener.asked - listener.accepted);
}

TEST(CudnnAlgorithms, AreAllowedByTheirNotes) {
  using Notes = std::vector<cudnnBackendNumericalNote_t>;
  const cudnn::ConvAlgorithmRules any{.needs_whole_f32 = false}, whole{},
      exact{.needs_whole_f32 = false, .needs_exact_integers = true};
  const Notes none, tensor_core{CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, fft{CUDNN_NUMERICAL_NOTE_FFT},
      winograd{CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4},
      unsteady{CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, shortened{CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS},
      rough{CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION}, strict{CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP};
  for (const cudnn::ConvAlgorithmRules& rules : {any, whole, exact}) {
    EXPECT_TRUE(cudnn::is_allowed(none, rules));
    EXPECT_TRUE(cudnn::is_allowed(strict, rules));
    EXPECT_FALSE(cudnn::is_allowed(unsteady, rules));
    EXPECT_FALSE(cudnn::is_allowed(shortened, rules));
    EXPECT_FALSE(cudnn::is_allowed(rough, rules));
  }
  EXPECT_TRUE(cudnn::is_allowed(tensor_core, any));
  EXPECT_FALSE(cudnn::is_allowed(tensor_core, whole));
  EXPECT_TRUE(cudnn::is_allowed(tensor_core, exact));
  EXPECT_TRUE(cudnn::is_allowed(winograd, any));
  EXPECT_FALSE(cudnn::is_allowed(winograd, exact));
  EXPECT_TRUE(cudnn::is_allowed(fft, whole));
  EXPECT_FALSE(cudnn::is_allowed(fft, exact));
}

TEST(CudnnAlgorithms, AreNotQueriedWithoutAGpu) {
  if (!find_gpus().gpus.empty()) GTEST_SKIP() << "this machine has a GPU";
  const cudnn::ConvGraph graph(conv_of(variants.front(), 2, DType::F32, DType::F32));
  EXPECT_TRUE(cudnn::find_plans(graph, {}, {}, 1).empty());
  EXPECT_THROW(cudnn::device_properties(0), Error);
}

}  // namespace
}  // namespace parconv::test
