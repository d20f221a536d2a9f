// SPDX-License-Identifier: Apache-2.0
// Distributed networks against the oracle: bit for bit on small integers, for every operator and every split.
#include <gtest/gtest.h>

#include "engine/distributed_run.hpp"
#include "operators/random_operator.hpp"
#include "support/network_builder.hpp"
#include "support/random_plan.hpp"

namespace parconv::test {
namespace {

TEST(Engine, RandomOperatorsOnRandomGrids) {
  for (std::uint64_t seed = 0; seed < 250; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 31 + 7);
    const Network network = random_operator(seed, Weights::SmallIntegers);
    const CompileOptions options{.overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
                                 .store = {.kind = StoreKind::Root},
                                 .needs_dense = random.once_in(2),
                                 .type = random.once_in(3) ? DType::BF16 : DType::F32};
    const Plan plan = random_plan(network, random, num_ranks(), 1, true);
    expect_equal_to_oracle({network, plan, options}, random);
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
    const Plan plan = random_plan(network, random, num_ranks(), num_stages, true);
    expect_equal_to_oracle({network, plan, options, random.integer(1, 5)}, random);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace parconv::test
