// Engines on GPUs, against the oracle bit for bit on small integers: every operator on random grids, networks with stages.
#include <gtest/gtest.h>

#include "engine/device_run.hpp"
#include "parconv/comm/device_communicators.hpp"
#include "support/gpu_of_rank.hpp"
#include "support/network_builder.hpp"
#include "support/random_plan.hpp"

namespace parconv::test {
namespace {

bool is_rounded(ActivationKind kind) {
  return kind != ActivationKind::None && kind != ActivationKind::Relu && kind != ActivationKind::LeakyRelu &&
         kind != ActivationKind::Clip;
}

/// Made of exponentials, powers or quotients, which backends round in ways of their own.
bool is_rounded(const Network& network) {
  return std::any_of(network.nodes.begin(), network.nodes.end(), [](const Node& node) {
    return std::holds_alternative<Softmax>(node.op) || std::holds_alternative<Lrn>(node.op) ||
           is_rounded(node.finish.activation.kind);
  });
}

class GpuEngine : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    PARCONV_NEEDS_GPU();
    separate_nccl_hosts();
    device_ = make_gpu_of_rank();
    backend_ = make_backend({.device = device_.get(), .gpu = {.engines = GpuEngines::Exact}});
  }

  std::unique_ptr<Communicator> make_communicator() {
    if (std::string(GetParam()) == "nccl") return make_nccl_communicator(control(), *device_);
    return make_staged_communicator(make_mpi_communicator(control()), *device_);
  }

  void expect_equal(EngineCase run_case, Random& random) {
    if (is_rounded(run_case.network)) run_case.tolerance = 1e-5;
    expect_equal_to_oracle(run_case, {*device_, *backend_, make_communicator()}, random);
  }

  std::unique_ptr<Device> device_{};
  std::unique_ptr<Backend> backend_{};
};

TEST_P(GpuEngine, RandomOperatorsOnRandomGrids) {
  const std::uint64_t num_seeds = std::string(GetParam()) == "nccl" ? 10 : 60;  // a communicator of NCCL takes a second to make
  for (std::uint64_t seed = 0; seed < num_seeds; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 41 + 3);
    const Network network = random_operator(seed, Weights::SmallIntegers);
    const CompileOptions options{.reduce = random.once_in(3) ? ReduceMode::Ordered : ReduceMode::Fast,
                                 .overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
                                 .store = {.kind = StoreKind::Root},
                                 .needs_dense = backend_->memory_rules().needs_dense};
    const Plan plan = random_plan(network, random, num_ranks(), 1, true);
    expect_equal({network, plan, options, random.integer(1, 3)}, random);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST_P(GpuEngine, RandomNetworksWithStages) {
  const std::uint64_t num_seeds = std::string(GetParam()) == "nccl" ? 5 : 20;
  for (std::uint64_t seed = 0; seed < num_seeds; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 43 + 5);
    const Network network = fuse(random_network(seed, Weights::SmallIntegers, static_cast<int>(random.integer(2, 10))));
    const CompileOptions options{.overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
                                 .store = {.kind = StoreKind::Root},
                                 .needs_dense = backend_->memory_rules().needs_dense};
    const Plan plan = random_plan(network, random, num_ranks(), static_cast<int>(random.integer(1, 4)), true);
    expect_equal({network, plan, options, random.integer(1, 6)}, random);
    if (testing::Test::HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GpuEngine, ::testing::Values("staged", "nccl"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace parconv::test
