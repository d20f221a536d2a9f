// Choices of engines as data: the plan made again is the plan that was found. On a GPU that is not there.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "compute/conv_calls.hpp"
#include "compute/cudnn_plan.hpp"
#include "compute/local_op_random.hpp"
#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

/// An H200, which is described in a file.
const cudnn::Descriptor& h200() {
  static const cudnn::Descriptor properties = [] {
    std::ostringstream json;
    json << std::ifstream(PARCONV_H200_PROPERTIES).rdbuf();
    return cudnn::device_properties(json.str());
  }();
  return properties;
}

cudnn::Target target() { return {.properties = &h200()}; }

/// Fuses everything, computes nothing.
class AnyLibrary final : public ConvLibrary {
 public:
  std::unique_ptr<ConvCall> make_call(const StridedConv&, const ConvFilter&) override { return nullptr; }
  bool fuses(const Activation&) const override { return true; }
  std::unique_ptr<Kernel> make_kernel(const LocalOp&) override { return nullptr; }
  void copy(ConstView, View) override {}
  void zero(std::byte*, std::size_t) override {}
};

/// Random calls, in f32, bf16 and f16 by turns.
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

/// cuDNN's own description of a plan: graph, GPU, engine and knobs.
std::string described(const cudnn::Plan& plan) {
  const index_t size = plan.plan.read(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, std::span<char>());
  std::string json(static_cast<std::size_t>(size), ' ');
  plan.plan.read(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, std::span<char>(json));
  return json;
}

StridedConv resnet_layer(DType type) {
  const Box box = Box::whole({{8, 64, 1, 56, 56}});
  StridedConv conv{.src = layout_within(box, box, type), .dst = layout_within(box, box, type)};
  for (Axis axis : {Axis::H, Axis::W}) conv.window[axis] = {.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  return conv;
}

TEST(CudnnChoices, MakeTheSamePlanAgain) {
  constexpr cudnn::EngineRules rules{.needs_whole_f32 = false};
  std::vector<StridedConv> calls = random_calls(60);
  for (const DType type : {DType::F32, DType::F16, DType::BF16}) calls.push_back(resnet_layer(type));
  int num_plans = 0, num_with_knobs = 0, num_with_workspace = 0;
  for (const StridedConv& conv : calls) {
    const auto graph = cudnn::try_graph(conv);
    if (!graph) continue;
    for (const cudnn::Plan& plan : cudnn::find_plans(*graph, rules, target(), 10)) {
      const EngineChoice choice = cudnn::choice_of(plan);
      const auto again = cudnn::plan_of(choice, *graph, rules, target());
      ASSERT_TRUE(again.has_value()) << key_of(conv, {}) << ": engine " << choice.engine;
      EXPECT_EQ(cudnn::choice_of(*again), choice) << key_of(conv, {});
      EXPECT_EQ(described(*again), described(plan)) << key_of(conv, {});
      ++num_plans;
      num_with_knobs += choice.knobs.empty() ? 0 : 1;
      num_with_workspace += choice.workspace_bytes > 0 ? 1 : 0;
    }
  }
  EXPECT_GT(num_plans, 100);
  EXPECT_GT(num_with_knobs, 20);
  EXPECT_GT(num_with_workspace, 20);
}

TEST(CudnnChoices, ThatDoNotFitAreNoPlans) {
  const cudnn::ConvGraph graph(resnet_layer(DType::F16));
  const cudnn::EngineRules rules;
  const std::vector<cudnn::Plan> plans = cudnn::find_plans(graph, {.needs_whole_f32 = false}, target(), 10);
  ASSERT_FALSE(plans.empty());
  const EngineChoice good = cudnn::choice_of(plans.front());
  ASSERT_FALSE(good.knobs.empty());
  const auto is_made = [&](const EngineChoice& choice, const cudnn::EngineRules& by) {
    return cudnn::plan_of(choice, graph, by, target()).has_value();
  };
  EXPECT_TRUE(is_made(good, {.needs_whole_f32 = false}));
  EXPECT_FALSE(is_made(good, {.needs_whole_f32 = true})) << "tensor cores";
  EXPECT_FALSE(is_made({}, {.needs_whole_f32 = false})) << "no engine";
  EngineChoice wrong = good;
  wrong.engine = 123456;
  EXPECT_FALSE(is_made(wrong, {.needs_whole_f32 = false}));
  for (const EngineKnob& knob : {EngineKnob{good.knobs[0].type, 1 << 20}, EngineKnob{1 << 20, 0}, EngineKnob{-1, 0}}) {
    wrong = good;
    wrong.knobs[0] = knob;
    EXPECT_FALSE(is_made(wrong, {.needs_whole_f32 = false})) << knob.type << " = " << knob.value;
  }
}

TEST(CudnnChoices, KeepToTheWorkspaceThatIsAllowed) {
  const cudnn::ConvGraph graph(resnet_layer(DType::F32));
  std::optional<EngineChoice> large;
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

/// Plans are found whether or not cuDNN has engines that leave multiprocessors to others.
TEST(CudnnChoices, LeaveMultiprocessorsWhereAnEngineCan) {
  for (const DType type : {DType::F32, DType::F16, DType::BF16}) {
    const cudnn::ConvGraph graph(resnet_layer(type));
    for (const int multiprocessors : {1, 124, 131}) {
      const cudnn::EngineRules rules{.needs_whole_f32 = false, .multiprocessors = multiprocessors};
      const std::vector<cudnn::Plan> plans = cudnn::find_plans(graph, rules, target(), 10);
      ASSERT_FALSE(plans.empty()) << name_of(type) << " " << multiprocessors;
      for (const cudnn::Plan& plan : plans) {
        EXPECT_TRUE(plan.multiprocessors == 0 || plan.multiprocessors == multiprocessors);
        const auto again = cudnn::plan_of(cudnn::choice_of(plan), graph, rules, target());
        ASSERT_TRUE(again.has_value());
        EXPECT_EQ(described(*again), described(plan));
      }
    }
  }
}

TEST(CudnnRules, FollowTheOptions) {
  const StridedConv f32 = resnet_layer(DType::F32), f16 = resnet_layer(DType::F16);
  EXPECT_TRUE(cudnn::rules_for(f32, {}, 132).needs_whole_f32);
  EXPECT_FALSE(cudnn::rules_for(f32, {.f32_products = F32Products::Tf32}, 132).needs_whole_f32);
  EXPECT_FALSE(cudnn::rules_for(f16, {}, 132).needs_whole_f32);
  EXPECT_TRUE(cudnn::rules_for(f16, {.engines = GpuEngines::Exact}, 132).needs_exact_integers);
  EXPECT_EQ(cudnn::rules_for(f16, {.most_workspace_bytes = 5}, 132).most_workspace_bytes, 5U);
  EXPECT_EQ(cudnn::rules_for(f16, {}, 132).multiprocessors, 0) << "all";
  EXPECT_EQ(cudnn::rules_for(f16, {.multiprocessors_left = 8}, 132).multiprocessors, 124);
  EXPECT_EQ(cudnn::rules_for(f16, {.multiprocessors_left = 8}, 8).multiprocessors, 0) << "a small GPU cannot leave all";
}

}  // namespace
}  // namespace parconv::test
