// SPDX-License-Identifier: Apache-2.0
// The costs of a dry run equal those measured by the communicator and the engine in a run.
#include "parconv/program/costs.hpp"

#include <gtest/gtest.h>

#include "engine/distributed_run.hpp"
#include "parconv/program/compile.hpp"
#include "support/network_builder.hpp"
#include "support/random_plan.hpp"

namespace parconv::test {
namespace {

constexpr index_t micro_batches = 3;

Traffic times(const Costs& costs, index_t count) {
  return {.messages_sent = costs.sent_messages * count,
          .bytes_sent = costs.sent_bytes * count,
          .messages_received = costs.received_messages * count,
          .bytes_received = costs.received_bytes * count};
}

/// Computes the costs of all ranks' programs locally, without a communicator, and compares with a run. Collective.
void expect_costs_as_run(const Network& network, const Plan& plan, const CompileOptions& options) {
  const Layout layout = lay_out(network, plan, options);
  const std::vector<RankCosts> dry = costs_of_all(network, layout, compile_all(network, layout));
  const RankCosts& own = dry[static_cast<std::size_t>(rank())];
  const auto backend = make_reference_backend();
  Random random(7);
  const index_t batch = network.value(network.inputs[0]).extents[Axis::N];
  std::vector<MemorySource> sources = random_sources(network, random, batch * micro_batches, true);
  DistributedRun run(network, plan, options, *backend);
  run.run(sources, micro_batches);
  EXPECT_EQ(run.counting().total(), times(own.total(), micro_batches));
  EXPECT_EQ(run.engine().memory().arena_bytes, own.arena_bytes);
  EXPECT_EQ(control().sum(run.counting().total().bytes_sent), sum_of(costs_by_layer(dry)).sent_bytes * micro_batches);
}

TEST(CostsOfARun, NamedSplits) {
  RandomNetworkBuilder builder(3, Weights::SmallIntegers);
  const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  const ValueId middle = builder.conv(builder.input({{2, 4, 1, 13, 11}}), {.oc = 8, .window = {{WindowAxis{}, three, three}}});
  const Network network = builder.build({builder.conv(middle, {.oc = 6, .window = {{WindowAxis{}, three, three}}})});
  for (const char* split : {"n", "f", "c", "h", "w", "rule"}) {
    SCOPED_TRACE(split);
    expect_costs_as_run(network, make_plan(network, parse_split(split, num_ranks(), 2), num_ranks()), {.overlap = Overlap::On});
  }
}

TEST(CostsOfARun, RandomNetworksUnderRandomPlans) {
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Network network = fuse(random_network(seed, Weights::SmallIntegers, 8));
    const Plan plan = random_plan(network, random, num_ranks(), num_ranks() > 2 ? 2 : 1, true);
    expect_costs_as_run(network, plan,
                        {.overlap = seed % 2 == 0 ? Overlap::On : Overlap::Off, .store = {.kind = StoreKind::Root}});
  }
}

}  // namespace
}  // namespace parconv::test
