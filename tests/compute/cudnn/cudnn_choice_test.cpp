// SPDX-License-Identifier: Apache-2.0
// Convolution algorithms as data: the recreated plan equals the found one. Uses the description of an absent GPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "compute/conv/conv_calls.hpp"
#include "compute/cudnn/cudnn_plan.hpp"
#include "compute/local_op_random.hpp"
#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

/// An H200, described in a file.
const cudnn::Descriptor& h200() {
  static const cudnn::Descriptor properties = [] {
    std::ostringstream json;
    json << std::ifstream(PARCONV_H200_PROPERTIES).rdbuf();
    std::string text = json.str();
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return cudnn::device_properties(text);
  }();
  return properties;
}

cudnn::Target target() { return {.properties = &h200()}; }

/// A stub library that fuses what cuDNN fuses.
class AnyLibrary final : public ConvLibrary {
 public:
  std::unique_ptr<ConvCall> make_call(const StridedConv&, const ConvFilter&) override { return nullptr; }
  bool fuses(const Activation& activation) const override { return cudnn::has_activation(activation.kind); }
  std::unique_ptr<Kernel> make_kernel(const LocalOp&) override { return nullptr; }
  void copy(ConstView, View) override {}
  void zero(std::byte*, std::size_t) override {}
};

/// Random calls, alternately in f32, bf16 and f16.
std::vector<StridedConv> random_calls(std::uint64_t count) {
  std::vector<LocalOp> ops;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    LocalOp op = LocalOpGenerator(seed, Numbers::SmallIntegers).conv().op;
    const DType type = seed % 3 == 0 ? DType::F32 : seed % 3 == 1 ? DType::BF16 : DType::F16;
    for (OperandLayout& src : op.srcs) src.type = type;
    op.dst.type = type;
    ops.push_back(std::move(op));
  }
  AnyLibrary library;
  return calls_of(ops, library, {}, {});
}

/// cuDNN's serialised plan: graph, GPU, engine and knobs. Compiled code is excluded, since it contains addresses.
std::string described(const cudnn::Plan& plan) {
  const index_t size = plan.plan.read(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, std::span<char>());
  std::string json(static_cast<std::size_t>(size), ' ');
  plan.plan.read(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, std::span<char>(json));
  return json.substr(0, json.find(",\"payload\""));
}

StridedConv resnet_layer(DType type) {
  const Box box = Box::whole({{8, 64, 1, 56, 56}});
  StridedConv conv{.src = layout_within(box, box, type), .dst = layout_within(box, box, type)};
  for (Axis axis : {Axis::H, Axis::W}) conv.window[axis] = {.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  return conv;
}

/// The plans found for a call and those recreated from their algorithms.
std::vector<ConvAlgorithm> expect_same_again(const StridedConv& conv, const cudnn::ConvAlgorithmRules& rules, std::size_t most) {
  std::vector<ConvAlgorithm> choices;
  const auto graph = cudnn::try_graph(conv);
  if (!graph) return choices;
  for (const cudnn::Plan& plan : cudnn::find_plans(*graph, rules, target(), most)) {
    const ConvAlgorithm& choice = choices.emplace_back(cudnn::choice_of(plan));
    const auto again = cudnn::plan_of(choice, *graph, rules, target());
    EXPECT_TRUE(again.has_value()) << key_of(conv, {}) << ": engine " << choice.engine;
    if (!again) continue;
    EXPECT_EQ(cudnn::choice_of(*again), choice) << key_of(conv, {});
    EXPECT_TRUE(described(*again) == described(plan)) << key_of(conv, {}) << ": engine " << choice.engine;
  }
  return choices;
}

StridedConv with_relu(StridedConv conv) {
  conv.has_bias = true;
  conv.activation = {.kind = ActivationKind::Relu};
  return conv;
}

/// Fused plans are compiled on creation, so only a few per call.
TEST(CudnnChoices, RecreateTheSamePlan) {
  constexpr cudnn::ConvAlgorithmRules rules{.needs_whole_f32 = false};
  std::vector<ConvAlgorithm> choices;
  const auto add = [&](const StridedConv& conv, std::size_t most) {
    const std::vector<ConvAlgorithm> made = expect_same_again(conv, rules, most);
    choices.insert(choices.end(), made.begin(), made.end());
  };
  for (const StridedConv& conv : random_calls(5)) add(conv, 1);
  for (const DType type : {DType::F32, DType::F16, DType::BF16}) {
    add(resnet_layer(type), 40);
    add(with_relu(resnet_layer(type)), 2);
  }
  const auto has_knobs = [](const ConvAlgorithm& choice) { return !choice.knobs.empty(); };
  const auto has_workspace = [](const ConvAlgorithm& choice) { return choice.workspace_bytes > 0; };
  EXPECT_GT(std::ssize(choices), 70);
  EXPECT_GT(std::count_if(choices.begin(), choices.end(), has_knobs), 60);
  EXPECT_GT(std::count_if(choices.begin(), choices.end(), has_workspace), 20);
}

TEST(CudnnChoices, ThatDoNotFitHaveNoPlan) {
  const cudnn::ConvGraph graph(resnet_layer(DType::F16));
  const cudnn::ConvAlgorithmRules rules;
  const std::vector<cudnn::Plan> plans = cudnn::find_plans(graph, {.needs_whole_f32 = false}, target(), 10);
  ASSERT_FALSE(plans.empty());
  const ConvAlgorithm good = cudnn::choice_of(plans.front());
  ASSERT_FALSE(good.knobs.empty());
  const auto is_made = [&](const ConvAlgorithm& choice, const cudnn::ConvAlgorithmRules& by) {
    return cudnn::plan_of(choice, graph, by, target()).has_value();
  };
  EXPECT_TRUE(is_made(good, {.needs_whole_f32 = false}));
  EXPECT_FALSE(is_made(good, {.needs_whole_f32 = true})) << "tensor cores";
  EXPECT_FALSE(is_made({}, {.needs_whole_f32 = false})) << "no engine";
  ConvAlgorithm wrong = good;
  wrong.engine = 123456;
  EXPECT_FALSE(is_made(wrong, {.needs_whole_f32 = false}));
  for (const ConvAlgorithmKnob& knob :
       {ConvAlgorithmKnob{good.knobs[0].type, 1 << 20}, ConvAlgorithmKnob{1 << 20, 0}, ConvAlgorithmKnob{-1, 0}}) {
    wrong = good;
    wrong.knobs[0] = knob;
    EXPECT_FALSE(is_made(wrong, {.needs_whole_f32 = false})) << knob.type << " = " << knob.value;
  }
}

TEST(CudnnChoices, RespectTheWorkspaceLimit) {
  const cudnn::ConvGraph graph(resnet_layer(DType::F32));
  std::optional<ConvAlgorithm> large;
  for (const cudnn::Plan& plan : cudnn::find_plans(graph, {.needs_whole_f32 = false}, target(), 40))
    if (plan.workspace_bytes > 0) large = cudnn::choice_of(plan);
  ASSERT_TRUE(large.has_value());
  const auto bytes = static_cast<std::size_t>(large->workspace_bytes);
  EXPECT_TRUE(cudnn::plan_of(*large, graph, {.needs_whole_f32 = false, .most_workspace_bytes = bytes}, target()).has_value());
  EXPECT_FALSE(
      cudnn::plan_of(*large, graph, {.needs_whole_f32 = false, .most_workspace_bytes = bytes - 1}, target()).has_value());
  for (const cudnn::Plan& plan :
       cudnn::find_plans(graph, {.needs_whole_f32 = false, .most_workspace_bytes = bytes - 1}, target(), 40))
    EXPECT_LT(plan.workspace_bytes, bytes);
}

/// Plans are found whether or not cuDNN has engines with a multiprocessor limit.
TEST(CudnnChoices, LeaveMultiprocessorsWhereAnEngineCan) {
  int num_limited = 0;
  const auto expect_plans = [&](const StridedConv& conv, int multiprocessors, std::size_t most) {
    const auto choices = expect_same_again(conv, {.needs_whole_f32 = false, .multiprocessors = multiprocessors}, most);
    EXPECT_FALSE(choices.empty()) << key_of(conv, {}) << " on " << multiprocessors;
    for (const ConvAlgorithm& choice : choices) {
      EXPECT_TRUE(choice.multiprocessors == 0 || choice.multiprocessors == multiprocessors);
      num_limited += choice.multiprocessors > 0 ? 1 : 0;
    }
  };
  for (const DType type : {DType::F32, DType::F16, DType::BF16}) {
    for (const int multiprocessors : {1, 64, 124, 131}) expect_plans(resnet_layer(type), multiprocessors, 10);
    expect_plans(with_relu(resnet_layer(type)), 124, 1);
  }
  EXPECT_GT(num_limited, 0) << "an engine takes one multiprocessor";
  RecordProperty("limited", num_limited);
}

TEST(CudnnRules, FollowTheOptions) {
  const StridedConv f32 = resnet_layer(DType::F32), f16 = resnet_layer(DType::F16);
  EXPECT_TRUE(cudnn::rules_for(f32, {}, 132).needs_whole_f32);
  EXPECT_FALSE(cudnn::rules_for(f32, {.f32_products = F32Products::Tf32}, 132).needs_whole_f32);
  EXPECT_FALSE(cudnn::rules_for(f16, {}, 132).needs_whole_f32);
  EXPECT_TRUE(cudnn::rules_for(f16, {.conv_algorithms = ConvAlgorithmChoice::Exact}, 132).needs_exact_integers);
  EXPECT_EQ(cudnn::rules_for(f16, {.most_workspace_bytes = 5}, 132).most_workspace_bytes, 5U);
  EXPECT_EQ(cudnn::rules_for(f16, {}, 132).multiprocessors, 0) << "all";
  EXPECT_EQ(cudnn::rules_for(f16, {.multiprocessors_left = 8}, 132).multiprocessors, 124);
  EXPECT_EQ(cudnn::rules_for(f16, {.multiprocessors_left = 8}, 8).multiprocessors, 0) << "a small GPU cannot leave all";
}

}  // namespace
}  // namespace parconv::test
