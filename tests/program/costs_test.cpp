// SPDX-License-Identifier: Apache-2.0
// Costs of programs: literal rows, and sums that must agree for any network and split.
#include "parconv/program/costs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parconv/program/compile.hpp"
#include "support/network_builder.hpp"
#include "support/random_plan.hpp"

namespace parconv::test {
namespace {

using testing::ElementsAre;

const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
const Window same{{WindowAxis{}, three, three}};

struct Compiled {
  Network network;
  Layout layout;
  std::vector<Program> programs;
  std::vector<RankCosts> ranks;

  Compiled(Network network_, const Plan& plan, const CompileOptions& options = {})
      : network(std::move(network_)),
        layout(lay_out(network, plan, options)),
        programs(compile_all(network, layout)),
        ranks(costs_of_all(network, layout, programs)) {}
};

Compiled compiled(const Network& network, const char* split, int num_ranks, const CompileOptions& options = {}) {
  return {network, make_plan(network, parse_split(split, num_ranks, 2), num_ranks), options};
}

/// An image of 16 x 10 pixels and 3 channels; a 3x3 convolution to 8 channels, then one from 8 to 8.
Network two_convolutions() {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId middle = builder.conv(builder.input({{1, 3, 1, 16, 10}}), {.oc = 8, .window = same});
  return builder.build({builder.conv(middle, {.oc = 8, .window = same})});
}

TEST(Costs, TwoConvolutionsOnTwoRanks) {
  const Compiled c = compiled(two_convolutions(), "h=2", 2);
  const index_t halo = 10 * 8 * 4;  // a row of 10 pixels, 8 channels, f32
  for (const RankCosts& rank : c.ranks) {
    // 8 rows of output of 10 pixels and 8 channels; a product and a sum for each of 3 x 9 inputs; the input with 9 rows.
    EXPECT_EQ(rank.layers[0], (Costs{.flops = 2.0 * 27 * 8 * 80,
                                     .weight_bytes = (8 * 3 * 9 + 8) * 4,
                                     .sent_messages = 1,
                                     .sent_bytes = halo,
                                     .loaded_bytes = 9 * 10 * 3 * 4}));
    EXPECT_EQ(
        rank.layers[1],
        (Costs{.flops = 2.0 * 72 * 8 * 80, .weight_bytes = (8 * 8 * 9 + 8) * 4, .received_messages = 1, .received_bytes = halo}));
    EXPECT_EQ(rank.layers[2], (Costs{.stored_bytes = 8 * 10 * 8 * 4}));
    EXPECT_THAT(
        rank.peers,
        ElementsAre(PeerCosts{
            .peer = 1 - rank.rank, .sent_messages = 1, .sent_bytes = halo, .received_messages = 1, .received_bytes = halo}));
    // 9 rows of input (1,080 B, in slots of 64: 1,088), 9 rows of middle with the margin (2,880 B) and 8 rows of output (2,560
    // B).
    EXPECT_GE(rank.arena_bytes, 2880 + 2560) << "middle and output are in use at the same time";
    EXPECT_LE(rank.arena_bytes, 1088 + 2880 + 2560);
    EXPECT_EQ(rank.memory_bytes(), rank.arena_bytes + 896 + 2336);
    EXPECT_EQ(rank.constant_bytes, 0);
  }
}

TEST(Costs, HalfTheBytesInHalfPrecision) {
  const Compiled c = compiled(two_convolutions(), "h=2", 2, {.type = DType::BF16});
  const Costs total = c.ranks[1].total();
  EXPECT_EQ(total.sent_bytes, 10 * 8 * 2);
  EXPECT_EQ(total.weight_bytes, (8 * 3 * 9 + 8 * 8 * 9) * 2 + 2 * 8 * 4) << "biases stay f32";
}

TEST(Costs, CopiesOfColumns) {
  const Compiled c = compiled(two_convolutions(), "w=2", 2);
  // Columns are copied into a dense operand: 16 rows of 5 own columns of 8 channels, besides the received column.
  for (const RankCosts& rank : c.ranks) EXPECT_EQ(rank.total().copied_bytes, 16 * 5 * 8 * 4);
}

TEST(Costs, StagesSendToTheirSuccessors) {
  const Compiled c = compiled(two_convolutions(), "stages=2", 2);
  const index_t middle = 16 * 10 * 8 * 4;
  EXPECT_EQ(c.ranks[0].total().sent_bytes, middle);
  EXPECT_EQ(c.ranks[0].total().received_bytes, 0);
  EXPECT_EQ(c.ranks[1].total().received_bytes, middle);
  EXPECT_EQ(c.ranks[1].layers[0], Costs{}) << "nothing of the first stage";
}

TEST(Costs, TrafficByHost) {
  const Compiled c = compiled(two_convolutions(), "h=4", 4);
  const index_t halo = 10 * 8 * 4;
  EXPECT_EQ(host_traffic(c.ranks, 4), (HostTraffic{.inside_bytes = 6 * halo}));
  EXPECT_EQ(host_traffic(c.ranks, 2), (HostTraffic{.inside_bytes = 4 * halo, .between_bytes = 2 * halo}));
  EXPECT_EQ(host_traffic(c.ranks, 3), (HostTraffic{.inside_bytes = 4 * halo, .between_bytes = 2 * halo}));
  EXPECT_EQ(host_traffic(c.ranks, 1), (HostTraffic{.between_bytes = 6 * halo}));
}

/// The row of a peer; zeros without one.
PeerCosts with_peer(const RankCosts& rank, int peer) {
  for (const PeerCosts& costs : rank.peers)
    if (costs.peer == peer) return costs;
  return {.peer = peer};
}

/// Sent equals received, between any two ranks and in total; layers, peers and programs have the same sums.
void expect_consistent(const Compiled& c) {
  const Costs total = sum_of(costs_by_layer(c.ranks));
  EXPECT_EQ(total.sent_bytes, total.received_bytes);
  EXPECT_EQ(total.sent_messages, total.received_messages);
  Costs of_ranks;
  for (const RankCosts& rank : c.ranks) {
    of_ranks += rank.total();
    const Program& program = c.programs[static_cast<std::size_t>(rank.rank)];
    EXPECT_EQ(rank.total().sent_bytes, sent_bytes(program));
    EXPECT_EQ(rank.total().copied_bytes, copied_bytes(program));
    EXPECT_EQ(rank.total().weight_bytes, program.weight_bytes);
    PeerCosts to_all;
    for (const PeerCosts& peer : rank.peers) {
      EXPECT_NE(peer.peer, rank.rank);
      const PeerCosts back = with_peer(c.ranks[static_cast<std::size_t>(peer.peer)], rank.rank);
      EXPECT_EQ(peer.sent_messages, back.received_messages);
      EXPECT_EQ(peer.sent_bytes, back.received_bytes);
      to_all.sent_bytes += peer.sent_bytes;
      to_all.received_messages += peer.received_messages;
    }
    EXPECT_EQ(to_all.sent_bytes, rank.total().sent_bytes);
    EXPECT_EQ(to_all.received_messages, rank.total().received_messages);
  }
  EXPECT_EQ(of_ranks.sent_bytes, total.sent_bytes);
  EXPECT_EQ(of_ranks.stored_bytes, total.stored_bytes);
}

/// Bytes of all outputs in the type of activations.
index_t output_bytes(const Network& network, const Layout& layout) {
  index_t bytes = 0;
  for (ValueId id : network.outputs)
    bytes += volume(network.value(id).extents) * static_cast<index_t>(size_of(layout.types[static_cast<std::size_t>(id)]));
  return bytes;
}

TEST(Costs, RandomNetworksUnderRandomPlans) {
  index_t sent = 0, copied = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Network network = fuse(random_network(seed, Weights::SmallIntegers, 8));
    const int ranks = 1 + static_cast<int>(seed % 6);
    const CompileOptions options{.overlap = seed % 3 == 0 ? Overlap::Off : Overlap::On,
                                 .store = {.kind = seed % 5 == 0 ? StoreKind::Root : StoreKind::Owners}};
    const Compiled c(network, random_plan(network, random, ranks, ranks > 2 ? 2 : 1, true), options);
    expect_consistent(c);
    const Costs total = sum_of(costs_by_layer(c.ranks));
    EXPECT_EQ(total.stored_bytes, output_bytes(network, c.layout)) << "every output is stored once";
    sent += total.sent_bytes;
    copied += total.copied_bytes;
  }
  EXPECT_GT(sent, 0);
  EXPECT_GT(copied, 0);
}

TEST(Costs, StripsOfConvolutionsAddUpToTheLayer) {
  int convolutions = 0, strips = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    const Network network = fuse(random_network(seed, Weights::SmallIntegers, 8));
    const Compiled c = compiled(network, "h=3", 3, {.overlap = Overlap::On});
    const std::vector<Costs> whole = costs_by_layer(compiled(network, "h=3", 3).ranks), layers = costs_by_layer(c.ranks);
    std::vector<double> of_steps(network.nodes.size() + 1);
    for (const Program& program : c.programs)
      for (const Step& step : program.steps) {
        of_steps[static_cast<std::size_t>(step.node)] += costs_of_step(network, program, step).flops;
        strips += std::holds_alternative<Compute>(step.action) ? 1 : 0;
      }
    for (std::size_t k = 0; k < network.nodes.size(); ++k) {
      EXPECT_EQ(layers[k].flops, whole[k].flops);
      if (!std::holds_alternative<Conv>(network.nodes[k].op)) continue;
      EXPECT_NEAR(of_steps[k], layers[k].flops, 1e-9 * layers[k].flops);
      ++convolutions;
    }
  }
  EXPECT_GT(convolutions, 20);
  EXPECT_GT(strips, 3 * convolutions) << "some ranks compute in more than one strip";
}

}  // namespace
}  // namespace parconv::test
