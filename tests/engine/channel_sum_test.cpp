// SPDX-License-Identifier: Apache-2.0
// Splits by input channels, where ranks hold partial sums: literal values that only their addition yields.
#include <gtest/gtest.h>

#include <memory>

#include "engine/splits/split_fixture.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

constexpr index_t channels = 64;
constexpr index_t size = 6;

/// A 3x3 convolution with padding 1 whose weights are all 1, without or with a bias of 1000, into `oc` channels.
Network sum_of_neighbours(index_t oc, bool has_bias) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  const ValueId src = builder.input(Extents{{1, channels, 1, size, size}});
  Network network = builder.build({builder.conv(src, {.oc = oc, .window = {{WindowAxis{}, three, three}}, .has_bias = false})});
  std::get<Conv>(network.nodes[0].op).filter.data = {.is_fill = true, .fill = 1, .count = oc * channels * 9};
  if (has_bias) network.nodes[0].epilogue.bias.assign(static_cast<std::size_t>(oc), 1000);
  return network;
}

/// Channel c is c + 1 everywhere, so that no two parts of the channels have equal sums. Samples of all micro-batches.
std::vector<MemorySource> numbered_channels(index_t samples) {
  HostTensor tensor(Box::whole(Extents{{samples, channels, 1, size, size}}));
  for (index_t n = 0; n < samples; ++n)
    for (index_t c = 0; c < channels; ++c)
      for (index_t h = 0; h < size; ++h)
        for (index_t w = 0; w < size; ++w) tensor.at(n, c, 0, h, w) = static_cast<float>(c + 1);
  std::vector<MemorySource> sources;
  sources.emplace_back(std::move(tensor), 4);
  return sources;
}

class ChannelSums : public SplitTest {
 protected:
  MemorySink result(const Network& network, ReduceMode mode) {
    std::vector<MemorySource> sources = numbered_channels(micro_batches);
    return run_on_all({network, parse_split("c", num_ranks(), 2), mode}, sources);
  }
};

TEST_F(ChannelSums, AddUpOverAllChannels) {
  // 1 + 2 + ... + 64 = 2080 under each tap: 9 taps inside, 6 at an edge, 4 in a corner.
  for (const ReduceMode mode : {ReduceMode::Fast, ReduceMode::Ordered})
    for (const index_t oc : {1, 3, 40}) {
      const MemorySink sink = result(sum_of_neighbours(oc, false), mode);
      if (rank() != 0) continue;
      for (index_t c = 0; c < oc; ++c) {
        EXPECT_EQ(sink.tensor().at(1, c, 0, 2, 3), 18720.0F) << "channel " << c;
        EXPECT_EQ(sink.tensor().at(1, c, 0, 0, 3), 12480.0F) << "channel " << c;
        EXPECT_EQ(sink.tensor().at(1, c, 0, 5, 0), 8320.0F) << "channel " << c;
      }
    }
}

TEST_F(ChannelSums, GetTheBiasOnce) {
  for (const ReduceMode mode : {ReduceMode::Fast, ReduceMode::Ordered}) {
    const MemorySink sink = result(sum_of_neighbours(5, true), mode);
    if (rank() != 0) continue;
    EXPECT_EQ(sink.tensor().at(0, 4, 0, 3, 3), 19720.0F);
  }
}

}  // namespace
}  // namespace parconv::test
