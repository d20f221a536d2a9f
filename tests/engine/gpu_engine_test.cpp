// SPDX-License-Identifier: Apache-2.0
// Engines on GPUs, against the oracle bit for bit on small integers: every operator on random grids, networks with stages.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "engine/device_run.hpp"
#include "operators/random_operator.hpp"
#include "parconv/comm/device_communicators.hpp"
#include "support/gpu_of_rank.hpp"
#include "support/network_builder.hpp"
#include "support/random_plan.hpp"

namespace parconv::test {
namespace {

/// Activation types, used alternately.
constexpr std::array types{DType::F32, DType::BF16, DType::F16};

bool is_rounded(ActivationKind kind) {
  return kind != ActivationKind::None && kind != ActivationKind::Relu && kind != ActivationKind::LeakyRelu &&
         kind != ActivationKind::Clip;
}

/// True for operators with exponentials, powers or quotients, which backends round differently.
bool is_rounded(const Network& network) {
  return std::any_of(network.nodes.begin(), network.nodes.end(),
                     [](const Node& node) { return test::is_rounded(node.op) || is_rounded(node.epilogue.activation.kind); });
}

class GpuEngine : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    PARCONV_NEEDS_GPU();
    separate_nccl_hosts();
    device_ = make_gpu_of_rank();
    backend_ = make_backend({.device = device_.get(), .gpu = {.conv_algorithms = ConvAlgorithmChoice::Exact}});
  }

  std::unique_ptr<Communicator> make_communicator() {
    if (is_nccl()) return make_nccl_communicator(control(), *device_);
    return make_staged_communicator(make_mpi_communicator(control()), *device_);
  }

  bool is_nccl() const { return std::string(GetParam()) == "nccl"; }

  GraphReport expect_equal(EngineCase run_case, Random& random, GraphUse graphs = GraphUse::Off) {
    if (is_rounded(run_case.network)) run_case.tolerance = run_case.options.type == DType::F32 ? 1e-5 : 1e-2;
    return expect_equal_to_oracle(run_case, {*device_, *backend_, make_communicator(), graphs}, random);
  }

  std::unique_ptr<Device> device_{};
  std::unique_ptr<Backend> backend_{};
};

TEST_P(GpuEngine, RandomOperatorsOnRandomGrids) {
  const std::uint64_t num_seeds = is_nccl() ? 12 : 90;  // creating an NCCL communicator takes a second
  for (std::uint64_t seed = 0; seed < num_seeds; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 41 + 3);
    const Network network = random_operator(seed, Weights::SmallIntegers);
    const CompileOptions options{.overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
                                 .store = {.kind = StoreKind::Root},
                                 .needs_dense = backend_->memory_rules().needs_dense,
                                 .type = types[seed % types.size()]};
    const Plan plan = random_plan(network, random, num_ranks(), 1, true);
    expect_equal({network, plan, options, random.integer(1, 3)}, random);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST_P(GpuEngine, RandomNetworksWithStages) {
  const std::uint64_t num_seeds = is_nccl() ? 6 : 30;
  for (std::uint64_t seed = 0; seed < num_seeds; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 43 + 5);
    const Network network = fuse(random_network(seed, Weights::SmallIntegers, static_cast<int>(random.integer(2, 10))));
    const CompileOptions options{.overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
                                 .store = {.kind = StoreKind::Root},
                                 .needs_dense = backend_->memory_rules().needs_dense,
                                 .type = types[seed % types.size()]};
    const Plan plan = random_plan(network, random, num_ranks(), static_cast<int>(random.integer(1, 4)), true);
    expect_equal({network, plan, options, random.integer(1, 6)}, random);
    if (testing::Test::HasFatalFailure()) return;
  }
}

/// A classifier under some splits, with enough micro-batches to launch graphs.
class GpuGraphs : public GpuEngine {
 protected:
  GraphReport run(const std::string& split, GraphUse use, index_t micro_batches) {
    const Network network = fuse(small_classifier(3, Weights::SmallIntegers, Extents{{2, 6, 1, 12, 10}}));
    const Plan plan = make_plan(network, parse_split(num_ranks() == 1 ? "1" : split, num_ranks(), 2), num_ranks());
    const CompileOptions options{.store = {.kind = StoreKind::Root}, .needs_dense = backend_->memory_rules().needs_dense};
    Random random(7);
    return expect_equal({network, plan, options, micro_batches}, random, use);
  }
};

TEST_P(GpuGraphs, EverySplitHasTheBitsOfOneRank) {
  for (const char* const split : {"n", "h", "w", "f", "c", "stages"}) {
    SCOPED_TRACE(split);
    const GraphReport report = run(split, GraphUse::On, 24);
    const bool may_be_captured = is_nccl() || num_ranks() == 1;
    EXPECT_EQ(report.are_used, may_be_captured) << report.note;
    EXPECT_EQ(report.launches > 6, may_be_captured);
    EXPECT_EQ(report.note, may_be_captured ? "" : "rank 0: the host takes part in its messages");
  }
}

TEST_P(GpuGraphs, AutoComparesTheTimesOfTicks) {
  const GraphReport report = run("h", GraphUse::Auto, 60);
  if (!is_nccl() && num_ranks() > 1) {
    EXPECT_EQ(report.launches, 0);
    return;
  }
  EXPECT_GE(report.launches, 8);
  EXPECT_GT(report.direct_tick_seconds, 0);
  EXPECT_GT(report.graph_tick_seconds, 0);
  EXPECT_EQ(report.are_used, report.graph_tick_seconds < 0.98 * report.direct_tick_seconds);
  EXPECT_EQ(report.note, report.are_used ? "" : "graphs save less than 2 %");
}

INSTANTIATE_TEST_SUITE_P(All, GpuGraphs, ::testing::Values("staged", "nccl"),
                         [](const auto& instance) { return std::string(instance.param); });

INSTANTIATE_TEST_SUITE_P(All, GpuEngine, ::testing::Values("staged", "nccl"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace parconv::test
