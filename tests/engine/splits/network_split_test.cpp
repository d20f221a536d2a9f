// SPDX-License-Identifier: Apache-2.0
// Whole networks with thin channels under every split, against one rank.
#include "engine/splits/network_splits.hpp"

namespace parconv::test {
namespace {

using NetworkSplits = NetworkSplitTest;

/// 224 pixels on up to 4 ranks, fewer beyond: small machines have two cores.
index_t image_size() { return num_ranks() <= 4 ? 224 : 96; }

std::vector<NetworkCase> thin_networks() {
  return {{.name = "small", .size = image_size()},
          {.name = "resnet50", .size = image_size(), .channels_scale = 0.0625},
          {.name = "vgg16", .size = image_size(), .channels_scale = 0.0625, .batch = 1},
          {.name = "unet", .size = 48, .channels_scale = 0.0625, .batch = 1},
          {.name = "net3d", .size = 32, .channels_scale = 0.25}};
}

/// Backends compute exponentials differently.
bool ends_in_softmax(const Network& network) { return std::holds_alternative<Softmax>(network.nodes.back().op); }

TEST_F(NetworkSplits, RealsAreEqualToOneRank) {
  for (const NetworkCase& item : thin_networks()) expect_equal_to_one_rank(item, Numbers::Reals);
}

TEST_F(NetworkSplits, IntegersAreEqualToOneRank) {
  for (const NetworkCase& item : thin_networks()) expect_equal_to_one_rank(item, Numbers::Integers);
}

TEST_F(NetworkSplits, RealsOfBfloat16AreEqualToOneRank) {
  if (num_ranks() > 4) GTEST_SKIP() << "on 1 to 4 ranks";
  for (const NetworkCase& item : thin_networks()) expect_equal_to_one_rank(item, Numbers::Reals, DType::BF16);
}

TEST_F(NetworkSplits, IntegersOfOneRankAreEqualToTheOracle) {
  if (num_ranks() > 1) GTEST_SKIP() << "the same on every number of ranks";
  const auto reference = make_reference_backend();
  for (const NetworkCase& item : thin_networks()) {
    SCOPED_TRACE(concat(item));
    const Network network = models().network(item, Numbers::Integers);
    std::vector<MemorySource> sources = sources_for(network, true);
    const MemorySink actual = run_alone({network}, sources);
    const std::vector<HostTensor> expected = oracle_outputs(network, sources, micro_batches - 1, *reference);
    const auto wanted = elements(expected[0]), got = elements(actual.tensor()).last(wanted.size());
    EXPECT_TRUE(ends_in_softmax(network) ? all_near(got, wanted, tolerance_of(DType::F32)) : same_bits(got, wanted));
  }
}

}  // namespace
}  // namespace parconv::test
