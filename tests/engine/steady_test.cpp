// SPDX-License-Identifier: Apache-2.0
// The steady loop allocates nothing and reuses its buffers.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/counted_allocations.hpp"
#include "engine/splits/split_fixture.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

/// More micro-batches than slots of any buffer.
constexpr index_t num_micro_batches = 20;
constexpr index_t counted_micro_batches = 5;

class SteadyLoop : public SplitTest {
 protected:
  static std::vector<MemorySource> sources_of(const Network& network) {
    Random random(9);
    return random_sources(network, random, network.value(network.inputs[0]).extents[Axis::N] * num_micro_batches, false);
  }

  static Plan plan_of(const Network& network, const std::string& spec) {
    const int spatial_ndims = network.value(network.inputs[0]).ndims - 2;
    return make_plan(network, parse_split(spec, num_ranks(), spatial_ndims), num_ranks());
  }

  /// Allocations of a run that follows another one.
  int allocations(const Network& network, const std::string& spec, const CompileOptions& options) {
    std::vector<MemorySource> sources = sources_of(network);
    DistributedRun run(network, plan_of(network, spec), options, backend());
    std::vector<MemorySink> sinks = run.make_sinks(counted_micro_batches);
    std::vector<DataSource*> source_list{&sources[0]};
    std::vector<DataSink*> sink_list{&sinks[0]};
    run.engine().run({source_list, sink_list}, 2);
    const AllocationCounter counter;
    run.engine().run({source_list, sink_list}, counted_micro_batches);
    return counter.count();
  }
};

TEST(AllocationCounterTest, CountsContainerAllocations) {
  const AllocationCounter counter;
  const std::vector<float> values(1000);
  const std::string text(100, 'x');
  EXPECT_EQ(counter.count(), 2) << values.size() << text;
}

TEST_F(SteadyLoop, AllocatesNothing) {
  for (const Extents& input : {Extents{{2, 6, 1, 20, 18}}, Extents{{1, 4, 8, 10, 12}}}) {
    const Network network = fuse(small_classifier(4, Weights::Reals, input));
    Network in_fine_leaves = network;
    set_leaf_rule(in_fine_leaves, LeafRule::Fine);
    const int spatial_ndims = input[Axis::D] > 1 ? 3 : 2;
    for (const std::string& spec : named_splits(num_ranks(), spatial_ndims)) {
      SCOPED_TRACE(concat("split ", spec, " of ", spatial_ndims, "-D data"));
      EXPECT_EQ(allocations(network, spec, {.overlap = Overlap::On, .store = {.kind = StoreKind::Root}}), 0);
      EXPECT_EQ(allocations(in_fine_leaves, spec, {.store = {.kind = StoreKind::Root}}), 0);
    }
  }
}

int most_slots(const Program& program) {
  int most = 0;
  for (const Buffer& buffer : program.buffers) most = std::max(most, buffer.slots);
  return most;
}

TEST_F(SteadyLoop, ReusesSlotsOfThePipeline) {
  const Network network = fuse(small_classifier(5, Weights::Reals, Extents{{2, 6, 1, 20, 18}}));
  std::vector<MemorySource> sources = sources_of(network);
  for (const int stages : {2, 4}) {
    if (num_ranks() % stages != 0) continue;
    const std::string spec = stages == num_ranks() ? concat("stages=", stages) : concat("stages=", stages, ",h");
    SCOPED_TRACE(spec);
    DistributedRun run(network, plan_of(network, spec), {.store = {.kind = StoreKind::Root}}, backend());
    const index_t slots = control().max(most_slots(run.engine().program()));
    EXPECT_GT(slots, 1) << "stages work on different micro-batches";
    EXPECT_LE(slots, 2 * stages) << "slots are used again";
    const std::vector<MemorySink> sinks = run.run(sources, num_micro_batches);
    if (rank() != 0) continue;
    for (index_t m = 0; m < num_micro_batches; ++m) {
      const auto expected = oracle_outputs(network, sources, m, backend());
      const auto size = elements(expected[0]).size();
      EXPECT_TRUE(same_bits(elements(sinks[0].tensor()).subspan(static_cast<std::size_t>(m) * size, size), elements(expected[0])))
          << "micro-batch " << m;
    }
  }
}

}  // namespace
}  // namespace parconv::test
