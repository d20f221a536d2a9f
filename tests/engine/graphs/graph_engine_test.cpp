// SPDX-License-Identifier: Apache-2.0
// Steady ticks as graphs on a capturing device: the bits of the oracle, and graphs on all ranks or none.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/device_run.hpp"
#include "engine/splits/named_splits.hpp"
#include "operators/random_operator.hpp"
#include "parconv/comm/device_communicators.hpp"
#include "parconv/device/devices.hpp"
#include "parconv/program/compile.hpp"
#include "support/fakes/faulty_communicator.hpp"
#include "support/fakes/queued_communicator.hpp"
#include "support/network_builder.hpp"
#include "support/random_plan.hpp"

namespace parconv::test {
namespace {

class GraphEngine : public ::testing::Test {
 protected:
  std::unique_ptr<Communicator> queued() { return make_queued_communicator(make_mpi_communicator(control()), device_); }

  GraphReport expect_equal(const EngineCase& run_case, Random& random, GraphUse use) {
    return expect_equal_to_oracle(run_case, {device_, *fake_, queued(), use}, random);
  }

  FakeDevice device_{};
  std::unique_ptr<Backend> host_ = make_reference_backend();
  std::unique_ptr<Backend> fake_ = make_fake_backend(device_, *host_);
};

constexpr index_t many_micro_batches = 40;

Network classifier() { return fuse(small_classifier(3, Weights::SmallIntegers, Extents{{2, 6, 1, 12, 10}})); }

/// Facts about the programs of all ranks.
struct SteadyTicks {
  index_t period = 2;  ///< ticks after which all slots and pinned buffers repeat
  int last_stage = 0;
};

SteadyTicks steady_ticks_of(const RankPlan& job) {
  SteadyTicks ticks;
  for (int r = 0; r < num_ranks(); ++r) {
    const Program program = compile(job.network, job.layout, r);
    ticks.last_stage = std::max(ticks.last_stage, last_stage(program));
    for (const Buffer& buffer : program.buffers) ticks.period = std::lcm(ticks.period, static_cast<index_t>(buffer.slots));
  }
  return ticks;
}

TEST_F(GraphEngine, EverySplitHasTheBitsOfOneRank) {
  const Network network = classifier();
  for (const std::string& spec : named_splits(num_ranks(), 2)) {
    for (const Overlap overlap : {Overlap::On, Overlap::Off}) {
      SCOPED_TRACE(spec);
      Random random(5);
      const Plan plan = make_plan(network, parse_split(spec, num_ranks(), 2), num_ranks());
      const CompileOptions options{.overlap = overlap, .store = {.kind = StoreKind::Root}};
      const SteadyTicks ticks = steady_ticks_of(make_rank_plan(network, plan, options, rank()));
      const GraphReport report = expect_equal({network, plan, options, many_micro_batches}, random, GraphUse::On);
      EXPECT_TRUE(report.are_used) << report.note;
      EXPECT_EQ(report.launches, many_micro_batches - ticks.last_stage - ticks.period);
      EXPECT_EQ(report.direct_tick_seconds, 0);
    }
  }
}

TEST_F(GraphEngine, RandomOperatorsOnRandomGrids) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 41 + 3);
    const Network network = random_operator(seed, Weights::SmallIntegers);
    const CompileOptions options{.overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
                                 .store = {.kind = StoreKind::Root},
                                 .needs_dense = random.once_in(2)};
    const Plan plan = random_plan(network, random, num_ranks(), 1, true);
    const GraphReport report = expect_equal({network, plan, options, 5}, random, GraphUse::On);
    EXPECT_EQ(report.launches, 3) << report.note;
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST_F(GraphEngine, RandomNetworksWithStages) {
  index_t launches = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 43 + 5);
    const Network network = fuse(random_network(seed, Weights::SmallIntegers, static_cast<int>(random.integer(2, 6))));
    const CompileOptions options{.overlap = random.once_in(2) ? Overlap::On : Overlap::Off, .store = {.kind = StoreKind::Root}};
    const Plan plan = random_plan(network, random, num_ranks(), static_cast<int>(random.integer(1, 4)), true);
    launches += expect_equal({network, plan, options, random.integer(1, 20)}, random, GraphUse::On).launches;
    if (testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(launches, 20);
}

/// A chain of convolutions whose results are all summed at the end, one operator per stage. The output of stage k lives until
/// the last stage s, in s - k + 1 slots.
struct DeepPipeline {
  explicit DeepPipeline(int convs) {
    RandomNetworkBuilder builder(9, Weights::SmallIntegers);
    std::vector<ValueId> parts{builder.input({{1, 2, 1, 6, 5}})};
    for (int k = 0; k < convs; ++k) parts.push_back(builder.conv(parts.back(), {.oc = 2}));
    parts.erase(parts.begin());
    network = builder.build({builder.sum(parts)});
    plan = make_plan(network, parse_split("h", num_ranks(), 2), num_ranks());
    plan.num_stages = static_cast<int>(plan.nodes.size());
    for (std::size_t k = 0; k < plan.nodes.size(); ++k) plan.nodes[k].stage = static_cast<int>(k);
  }

  Network network{};
  Plan plan{};
};

TEST_F(GraphEngine, HasOneGraphPerPhase) {
  const DeepPipeline pipeline(3);
  Random random(1);
  const GraphReport report =
      expect_equal({pipeline.network, pipeline.plan, {.store = {.kind = StoreKind::Root}}, 40}, random, GraphUse::On);
  EXPECT_TRUE(report.are_used) << report.note;
  EXPECT_EQ(device_.num_captures(), 12) << "2, 3 and 4 slots";
}

TEST_F(GraphEngine, UsesNoGraphsForTooManyPhases) {
  const DeepPipeline pipeline(6);
  Random random(1);
  const GraphReport report =
      expect_equal({pipeline.network, pipeline.plan, {.store = {.kind = StoreKind::Root}}, 20}, random, GraphUse::On);
  EXPECT_FALSE(report.are_used);
  EXPECT_EQ(report.note, "addresses repeat only after 420 ticks, more than 24");
  EXPECT_EQ(device_.num_captures(), 0);
}

/// Consecutive runs of a staged classifier on one engine.
class PipelineRun {
 public:
  PipelineRun(FakeDevice& device, Backend& backend, std::unique_ptr<Communicator> communicator, GraphUse use)
      : communicator_(std::move(communicator)),
        run_(network_, plan_, options_, backend, communicator_, {.device = &device, .graphs = use, .control = &control()}) {}

  GraphReport expect_equal(index_t micro_batches) {
    std::vector<MemorySource> sources = random_sources(network_, random_, 2 * micro_batches, true);
    const std::vector<MemorySink> sinks = run_.run(sources, micro_batches);
    if (rank() == 0) expect_outputs({network_, plan_, options_, micro_batches}, sources, sinks);
    return run_.engine().graphs();
  }

  Engine& engine() { return run_.engine(); }

 private:
  Random random_{11};
  Network network_ = classifier();
  Plan plan_ = make_plan(network_, parse_split(num_ranks() == 1 ? "1" : "stages", num_ranks(), 2), num_ranks());
  CompileOptions options_{.store = {.kind = StoreKind::Root}};
  CountingCommunicator communicator_;
  DistributedRun run_;
};

TEST_F(GraphEngine, AlternatesGraphsAndDirectTicks) {
  PipelineRun run(device_, *fake_, queued(), GraphUse::On);
  index_t launches = 0;
  for (const index_t micro_batches : {30, 1, 3, 17, 30}) {
    const GraphReport report = run.expect_equal(micro_batches);
    EXPECT_TRUE(report.are_used);
    EXPECT_GE(report.launches, launches);
    launches = report.launches;
  }
  const int num_captures = device_.num_captures();
  EXPECT_EQ(device_.num_launches(), launches);
  run.expect_equal(30);
  EXPECT_EQ(device_.num_captures(), num_captures) << "captured once";
  EXPECT_GT(device_.num_launches(), launches);
}

TEST_F(GraphEngine, TimesOfStepsIncludeThoseInGraphs) {
  PipelineRun run(device_, *fake_, queued(), GraphUse::On);
  run.expect_equal(30);
  EXPECT_GT(device_.num_launches(), 0);
  for (std::size_t k = 0; k < run.engine().step_times().size(); ++k) {
    const StepTime& time = run.engine().step_times()[k];
    EXPECT_EQ(time.calls, 30);
    const bool computes = !run.engine().implementation(k).empty();
    EXPECT_TRUE(!computes || std::abs(time.seconds - 30e-6) < 1e-9) << "step " << k << ": a call takes a microsecond";
  }
}

TEST_F(GraphEngine, KeepsFasterGraphs) {
  device_.set_costs({.direct = 10, .in_graph = 2});
  PipelineRun run(device_, *fake_, queued(), GraphUse::Auto);
  const GraphReport report = run.expect_equal(80);
  EXPECT_TRUE(report.are_used);
  EXPECT_EQ(report.note, "");
  EXPECT_GT(report.launches, 20);
  EXPECT_LT(report.graph_tick_seconds, 0.5 * report.direct_tick_seconds);
  EXPECT_GT(report.graph_tick_seconds, 0);
}

TEST_F(GraphEngine, DropsSlowerGraphs) {
  device_.set_costs({.direct = 10, .in_graph = 20});
  PipelineRun run(device_, *fake_, queued(), GraphUse::Auto);
  const GraphReport report = run.expect_equal(80);
  EXPECT_FALSE(report.are_used);
  EXPECT_EQ(report.note, "graphs save less than 2 %");
  EXPECT_EQ(report.launches, 8);
  EXPECT_GT(report.graph_tick_seconds, report.direct_tick_seconds);
  EXPECT_EQ(run.expect_equal(40).launches, 8) << "once is enough";
}

/// Only one rank gains nothing: the slowest rank decides.
TEST_F(GraphEngine, RanksDecideTogether) {
  const bool is_slow = rank() == num_ranks() - 1;
  device_.set_costs({.direct = 1000, .in_graph = is_slow ? std::uint64_t{1000000} : std::uint64_t{1}});
  PipelineRun run(device_, *fake_, queued(), GraphUse::Auto);
  EXPECT_FALSE(run.expect_equal(80).are_used);
}

TEST_F(GraphEngine, ShortRunsGoDirectlyUntilTheirTicksAreEnough) {
  device_.set_costs({.direct = 10, .in_graph = 2});
  PipelineRun run(device_, *fake_, queued(), GraphUse::Auto);
  EXPECT_EQ(run.expect_equal(2).launches, 0);
  EXPECT_EQ(run.expect_equal(7).launches, 0);
  GraphReport report{};
  for (int k = 0; k < 8; ++k) report = run.expect_equal(12);
  EXPECT_TRUE(report.are_used);
  EXPECT_GT(report.launches, 8);
}

TEST_F(GraphEngine, NoRankHasGraphsIfOneCannotCapture) {
  for (const int failing : {0, num_ranks() - 1}) {
    for (const int capture : {0, 1}) {
      FakeDevice device;
      const auto backend = make_fake_backend(device, *host_);
      if (rank() == failing) device.fail_capture(capture);
      PipelineRun run(device, *backend, make_queued_communicator(make_mpi_communicator(control()), device), GraphUse::On);
      const GraphReport report = run.expect_equal(30);
      EXPECT_FALSE(report.are_used);
      EXPECT_EQ(device.num_launches(), 0);
      EXPECT_EQ(report.note, concat("rank ", failing, ": work cannot be captured: a failure was requested"));
      EXPECT_EQ(run.expect_equal(7).launches, 0);
    }
  }
}

TEST_F(GraphEngine, DoesNotCaptureHostMessages) {
  PipelineRun run(device_, *fake_, make_staged_communicator(make_mpi_communicator(control()), device_), GraphUse::On);
  const GraphReport report = run.expect_equal(20);
  EXPECT_EQ(report.are_used, num_ranks() == 1) << "without messages no rank takes part";
  EXPECT_EQ(report.note, num_ranks() == 1 ? "" : "rank 0: the host takes part in its messages");
}

/// The fault hits all ranks in the launch of the tenth tick, so that none deadlocks.
TEST_F(GraphEngine, AFaultInALaunchEndsTheRun) {
  if (num_ranks() == 1) GTEST_SKIP() << "one rank has no messages";
  const Network network = classifier();
  const Plan plan = make_plan(network, parse_split("h", num_ranks(), 2), num_ranks());
  const CompileOptions options{.store = {.kind = StoreKind::Root}};
  const auto starts = std::ssize(make_rank_plan(network, plan, options, rank()).program.communications);
  ASSERT_GT(control().min(starts), 0);
  CountingCommunicator communicator(
      make_faulty_communicator(queued(), {.fault = Fault::Throw, .at = FaultPoint::Start, .call = 10 * starts}));
  DistributedRun run(network, plan, options, *fake_, communicator,
                     {.device = &device_, .graphs = GraphUse::On, .control = &control()});
  Random random(4);
  std::vector<MemorySource> sources = random_sources(network, random, 2 * 20, true);
  EXPECT_THROW(run.run(sources, 20), Error);
  EXPECT_TRUE(run.engine().graphs().are_used);
  EXPECT_EQ(device_.num_launches(), 8) << "after two ticks to warm up";
}

/// Both for the engine's own device and for one of the caller.
TEST(GraphEngineOnHost, HasNoGraphsAndNothingPinned) {
  const Network network = classifier();
  const auto backend = make_reference_backend();
  const std::unique_ptr<Device> host = make_host_device();
  CountingCommunicator communicator(make_mpi_communicator(control()));
  for (Device* const device : {static_cast<Device*>(nullptr), host.get()}) {
    for (const GraphUse use : {GraphUse::Off, GraphUse::On}) {
      Random random(2);
      std::vector<MemorySource> sources = random_sources(network, random, 4, true);
      const Plan plan = make_plan(network, parse_split("n", num_ranks(), 2), num_ranks());
      DistributedRun run(network, plan, {}, *backend, communicator, {.device = device, .graphs = use, .control = &control()});
      run.run(sources, 2);
      EXPECT_FALSE(run.engine().graphs().are_used);
      EXPECT_EQ(run.engine().graphs().note, use == GraphUse::Off ? "switched off" : "the host executes work immediately");
      EXPECT_EQ(run.engine().memory().pinned_bytes, 0);
    }
  }
}

}  // namespace
}  // namespace parconv::test
