// Networks over ranks, against the oracle: bit for bit on small integers, for every operator and every split.
#include <gtest/gtest.h>

#include "engine/distributed_run.hpp"
#include "support/network_builder.hpp"
#include "support/random_plan.hpp"

namespace parconv::test {
namespace {

void expect_equal_to_oracle(const Network& network, const Plan& plan, const CompileOptions& options, Random& random,
                            index_t micro_batches) {
  const auto backend = make_reference_backend();
  const index_t batch = network.value(network.inputs[0]).extents[Axis::N];
  std::vector<MemorySource> sources = random_sources(network, random, batch * micro_batches, true);
  DistributedRun run(network, plan, options, *backend);
  const std::vector<MemorySink> sinks = run.run(sources, micro_batches);
  EXPECT_EQ(run.counting().total().bytes_sent, sent_bytes(run.engine().program()) * micro_batches);
  if (rank() != 0) return;
  for (index_t m = 0; m < micro_batches; ++m) {
    const std::vector<HostTensor> expected = oracle_outputs(network, sources, m, *backend, options.type);
    for (std::size_t k = 0; k < sinks.size(); ++k) {
      const Box samples = expected[k].box();
      HostTensor actual(samples);
      copy(sinks[k].tensor().view(samples.with(Axis::N, samples[Axis::N].shifted(m * samples[Axis::N].size()))), actual.view());
      ASSERT_TRUE(same_bits(elements(actual), elements(expected[k]))) << "output " << k << ", micro-batch " << m;
    }
  }
}

TEST(Engine, RandomOperatorsOnRandomGrids) {
  for (std::uint64_t seed = 0; seed < 250; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 31 + 7);
    const Network network = random_operator(seed, Weights::SmallIntegers);
    const CompileOptions options{.reduce = random.once_in(3) ? ReduceMode::Ordered : ReduceMode::Fast,
                                 .overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
                                 .store = {.kind = StoreKind::Root},
                                 .needs_dense = random.once_in(2),
                                 .type = random.once_in(3) ? DType::BF16 : DType::F32};
    expect_equal_to_oracle(network, random_plan(network, random, num_ranks(), 1, true), options, random, 1);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(Engine, RandomNetworksWithStages) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 37 + 11);
    const Network network = fuse(random_network(seed, Weights::SmallIntegers, static_cast<int>(random.integer(2, 10))));
    const int num_stages = static_cast<int>(random.integer(1, 4));
    const CompileOptions options{.overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
                                 .store = {.kind = StoreKind::Root},
                                 .type = random.once_in(3) ? DType::BF16 : DType::F32};
    expect_equal_to_oracle(network, random_plan(network, random, num_ranks(), num_stages, true), options, random,
                           random.integer(1, 5));
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace parconv::test
