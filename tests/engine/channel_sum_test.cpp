// SPDX-License-Identifier: Apache-2.0
// Splits by input channels, where ranks hold partial sums: literal values that only their addition yields, and the bits of one
// rank where sums are cut at leaves.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "engine/splits/operator_splits.hpp"
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
  MemorySink result(Network network, LeafRule rule) {
    set_leaf_rule(network, rule);
    std::vector<MemorySource> sources = numbered_channels(micro_batches);
    return run_on_all({network, parse_split("c", num_ranks(), 2)}, sources);
  }
};

TEST_F(ChannelSums, AddUpOverAllChannels) {
  // 1 + 2 + ... + 64 = 2080 under each tap: 9 taps inside, 6 at an edge, 4 in a corner.
  for (const LeafRule rule : {LeafRule::Coarse, LeafRule::Fine})
    for (const index_t oc : {1, 3, 40}) {
      const MemorySink sink = result(sum_of_neighbours(oc, false), rule);
      if (rank() != 0) continue;
      for (index_t c = 0; c < oc; ++c) {
        EXPECT_EQ(sink.tensor().at(1, c, 0, 2, 3), 18720.0F) << "channel " << c;
        EXPECT_EQ(sink.tensor().at(1, c, 0, 0, 3), 12480.0F) << "channel " << c;
        EXPECT_EQ(sink.tensor().at(1, c, 0, 5, 0), 8320.0F) << "channel " << c;
      }
    }
}

TEST_F(ChannelSums, GetTheBiasOnce) {
  for (const LeafRule rule : {LeafRule::Coarse, LeafRule::Fine}) {
    const MemorySink sink = result(sum_of_neighbours(5, true), rule);
    if (rank() != 0) continue;
    EXPECT_EQ(sink.tensor().at(0, 4, 0, 3, 3), 19720.0F);
  }
}

/// Layers with several leaves, by both rules, on real numbers.
struct WideLayer {
  const char* name;
  Network network;
};

std::vector<WideLayer> wide_layers() {
  constexpr WindowAxis one{.kernel = 1}, three{.kernel = 3, .pad_lo = 1, .pad_hi = 1}, whole{.kernel = 3};
  std::vector<WideLayer> layers;
  const auto add = [&](const char* name, Extents input, auto make) {
    RandomNetworkBuilder builder(7, Weights::Reals);
    const ValueId src = builder.input(input);
    layers.push_back({name, fuse(builder.build({make(builder, src)}))});
  };
  add("3x3", {{1, 256, 1, 5, 5}},
      [&](auto& builder, ValueId src) { return builder.relu(builder.conv(src, {.oc = 20, .window = {{one, three, three}}})); });
  add("3x3 with a residual", {{1, 128, 1, 4, 6}}, [&](auto& builder, ValueId src) {
    return builder.sum({builder.conv(src, {.oc = 128, .window = {{one, three, three}}}), src});
  });
  add("3x3 in two groups", {{1, 512, 1, 4, 4}},
      [&](auto& builder, ValueId src) { return builder.conv(src, {.oc = 18, .window = {{one, three, three}}, .groups = 2}); });
  add("1x1", {{1, 2048, 1, 3, 3}}, [&](auto& builder, ValueId src) { return builder.conv(src, {.oc = 20}); });
  add("over the full extent", {{1, 192, 1, 3, 3}},
      [&](auto& builder, ValueId src) { return builder.conv(src, {.oc = 33, .window = {{one, whole, whole}}}); });
  add("transposed", {{1, 256, 1, 4, 3}}, [&](auto& builder, ValueId src) {
    const WindowAxis strided{.kernel = 3, .stride = 2, .pad_lo = 1, .pad_hi = 1};
    return builder.conv_transpose(src, {.oc = 8, .window = {{one, strided, strided}}});
  });
  return layers;
}

std::vector<std::string> splits_by_channels() {
  std::vector<std::string> splits{"c"};
  append_grids(splits, "c", "h", num_ranks());
  append_grids(splits, "f", "c", num_ranks());
  append_grids(splits, "c", "w", num_ranks());
  return splits;
}

TEST_F(ChannelSums, CutAtLeavesHaveTheBitsOfOneRank) {
  for (const LeafRule rule : {LeafRule::Coarse, LeafRule::Fine})
    for (WideLayer& layer : wide_layers()) {
      set_leaf_rule(layer.network, rule);
      std::vector<MemorySource> sources = sources_for(layer.network, false);
      const MemorySink expected = run_alone({layer.network}, sources);
      for (const std::string& split : splits_by_channels()) {
        SCOPED_TRACE(concat(layer.name, ", ", split, rule == LeafRule::Fine ? ", fine leaves" : ""));
        const SplitRequest request = parse_split(split, num_ranks(), 2);
        const bool is_at_leaves = off_leaves_text(layer.network, make_plan(layer.network, request, num_ranks())).empty();
        EXPECT_TRUE(is_at_leaves || rule == LeafRule::Coarse);
        expect_equal(run_on_all({layer.network, request}, sources), expected, is_at_leaves);
      }
    }
  EXPECT_TRUE(num_ranks() == 1 || num_partial_sums() > 0);
}

/// A plan of one layer that cuts its input channels into parts of c by `cuts`.
Plan plan_with_cuts(const Network& network, const Cuts& cuts) {
  Plan plan = make_plan(network, parse_split(num_ranks() == 1 ? "1" : "c", num_ranks(), 2), num_ranks());
  plan.nodes[0].ic_cuts = cuts;
  return plan;
}

TEST_F(ChannelSums, UnevenCutsOfAPlan) {
  Random random(11);
  for (WideLayer& layer : wide_layers()) {
    const auto sums = channel_groups(layer.network.nodes[0].op).value();
    const index_t count = sums.groups * sums.leaves.count, extent = sums.groups * sums.ic;
    std::vector<MemorySource> sources = sources_for(layer.network, false);
    const MemorySink expected = run_alone({layer.network}, sources);
    for (int trial = 0; trial < 6; ++trial) {
      const bool is_at_leaves = trial % 2 == 0;
      Cuts cuts{0};
      for (int part = 1; part < num_ranks(); ++part)
        cuts.push_back(is_at_leaves ? random.integer(0, count) * extent / count : random.integer(0, extent));
      cuts.push_back(extent);
      std::sort(cuts.begin(), cuts.end());
      const Plan plan = plan_with_cuts(layer.network, cuts);
      SCOPED_TRACE(concat(layer.name, ", trial ", trial));
      const bool keeps_bits = off_leaves_text(layer.network, plan).empty();
      EXPECT_TRUE(keeps_bits || !is_at_leaves);
      expect_equal(run_plan(layer.network, plan, sources), expected, keeps_bits);
    }
  }
  EXPECT_TRUE(num_ranks() == 1 || num_partial_sums() > 0);
}

}  // namespace
}  // namespace parconv::test
