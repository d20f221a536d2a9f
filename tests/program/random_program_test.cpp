// SPDX-License-Identifier: Apache-2.0
// Random operators and networks under random splits: programs cover, move and sum everything exactly once.
#include <gtest/gtest.h>

#include <algorithm>

#include "operators/random_operator.hpp"
#include "parconv/geometry/transfers.hpp"
#include "parconv/program/compile.hpp"
#include "support/branches.hpp"
#include "support/proven.hpp"
#include "support/random_plan.hpp"
#include "support/shrink.hpp"

namespace parconv::test {
namespace {

CompileOptions random_options(Random& random) {
  return {.overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
          .store = {.kind = random.once_in(2) ? StoreKind::Owners : StoreKind::Root},
          .needs_dense = !random.once_in(4),
          .type = random.once_in(3) ? DType::BF16 : DType::F32};
}

/// The owned boxes cover the tensor exactly once.
void expect_cover(const Distribution& owned, const Extents& extents, int num_ranks) {
  index_t total = 0;
  for (int rank = 0; rank < num_ranks; ++rank) total += volume(owned.box(rank));
  ASSERT_EQ(total, volume(extents));
  for (int rank = 0; rank < num_ranks; ++rank) {
    index_t hits = 0;
    owned.for_each_overlap(owned.box(rank), [&](int, const Box& box) { hits += volume(box); });
    ASSERT_EQ(hits, volume(owned.box(rank)));  // no other rank owns any of it
  }
}

/// Pairs of an output channel and an input channel of its group; output channels where there are no groups.
index_t channel_pairs(const Node& node, Interval outputs, Interval inputs) {
  const std::optional<ChannelGroups> channels = channel_groups(node.op);
  if (!channels) return outputs.size();
  index_t pairs = 0;
  for (index_t g = 0; g < channels->groups; ++g)
    pairs += intersect(outputs, {g * channels->oc, (g + 1) * channels->oc}).size() *
             intersect(inputs, {g * channels->ic, (g + 1) * channels->ic}).size();
  return pairs;
}

/// Pairs of an output element and a contracted index that contributes to it.
index_t contributions_of(const Network& network, const Node& node, const WorkRegion& work) {
  index_t pairs = channel_pairs(node, work.computed[Axis::C], work.contracted[Axis::C]);
  const std::array<bool, num_axes> is_contracted = contracted_axes(network, node);
  if (!channel_groups(node.op) && is_contracted[static_cast<std::size_t>(Axis::C)]) pairs *= work.contracted[Axis::C].size();
  for (Axis axis : {Axis::N, Axis::D, Axis::H, Axis::W}) {
    pairs *= work.computed[axis].size();
    if (is_contracted[static_cast<std::size_t>(axis)]) pairs *= work.contracted[axis].size();
  }
  return pairs;
}

/// Every contribution to every output element occurs exactly once: work regions are disjoint and complete.
void expect_complete_sums(const Network& network, const Node& node, const Placement& placement, int num_ranks) {
  std::vector<WorkRegion> work_regions;
  for (int rank = 0; rank < num_ranks; ++rank)
    for (const WorkRegion& work : placement.partial_sums(rank))
      if (!work.computed.is_empty()) work_regions.push_back(work);
  index_t total = 0;
  for (std::size_t k = 0; k < work_regions.size(); ++k) {
    total += contributions_of(network, node, work_regions[k]);
    for (std::size_t j = 0; j < k; ++j) {
      const WorkRegion common{intersect(work_regions[j].computed, work_regions[k].computed),
                              intersect(work_regions[j].contracted, work_regions[k].contracted)};
      if (common.computed.is_empty() || common.contracted.is_empty()) continue;
      ASSERT_EQ(contributions_of(network, node, common), 0) << node.name << ": " << common.computed << " twice";
    }
  }
  const WorkRegion whole{Box::whole(network.value(node.output).extents), whole_contracted(network, node)};
  ASSERT_EQ(total, contributions_of(network, node, whole)) << node.name;
}

/// Received and owned boxes cover the needed box of every rank, each element from one sender; sends mirror receives.
void expect_deliveries(const Layout& layout) {
  for (const Delivery& delivery : layout.deliveries) {
    if (delivery.producer < 0) continue;
    const Distribution& owned = layout.placements[static_cast<std::size_t>(delivery.producer)].owned;
    std::vector<Transfer> received;
    std::vector<Transfer> sent;
    for (int rank = 0; rank < layout.num_ranks; ++rank) {
      const Box need = delivery.need.box(rank);
      index_t arrived = volume(intersect(need, owned.box(rank)));
      for (const Transfer& transfer : receives(owned, delivery.need, rank)) {
        arrived += volume(transfer.box);
        received.push_back(transfer);
      }
      ASSERT_EQ(arrived, volume(need)) << to_string(need);
      for (const Transfer& transfer : sends(owned, delivery.need, rank)) sent.push_back(transfer);
    }
    const auto less = [](const Transfer& a, const Transfer& b) { return std::pair(a.from, a.to) < std::pair(b.from, b.to); };
    std::sort(received.begin(), received.end(), less);
    std::sort(sent.begin(), sent.end(), less);
    ASSERT_EQ(sent, received);
  }
}

void check_one(const Network& network, const Plan& plan, const CompileOptions& options) {
  const Layout layout = lay_out(network, plan, options);
  for (std::size_t k = 0; k < network.nodes.size(); ++k) {
    expect_cover(layout.placements[k].owned, network.value(network.nodes[k].output).extents, plan.num_ranks);
    expect_complete_sums(network, network.nodes[k], layout.placements[k], plan.num_ranks);
  }
  expect_deliveries(layout);
  ASSERT_TRUE(are_proven(network, compile_all(network, layout), options));
}

TEST(RandomProgram, OneOperatorOfAnyShapeOnAnyGrid) {
  const auto property = [](Random& random) {
    const Network network = random_operator(random.fork(), Weights::SmallIntegers);
    const int num_ranks = static_cast<int>(random.integer(1, 12));
    const Plan plan = random_plan(network, random, num_ranks, 1, true);
    check_one(network, plan, random_options(random));
  };
  for_all(property, {.count = 5000});
}

TEST(RandomProgram, NetworksWithStagesBranchesAndJoins) {
  const auto property = [](Random& random) {
    const int num_nodes = static_cast<int>(random.integer(2, 12));
    const Network network = fuse(random_network(random.fork(), Weights::SmallIntegers, num_nodes));
    const int num_ranks = static_cast<int>(random.integer(1, 9));
    const int num_stages = static_cast<int>(random.integer(1, 4));
    const Plan plan = random_plan(network, random, num_ranks, num_stages, true);
    check_one(network, plan, random_options(random));
  };
  for_all(property, {.count = 600});
}

TEST(RandomProgram, BranchesOnRanksOfTheirOwn) {
  const auto property = [](Random& random) {
    const BranchedNetwork branched = random_branched_network(random.fork(), Weights::SmallIntegers);
    const int num_ranks = static_cast<int>(random.integer(2, 24)), num_stages = static_cast<int>(random.integer(1, 3));
    const std::vector<Interval> ranks = ranks_of_nodes(branched, num_ranks);
    const Plan plan = random_plan(branched.network, random, num_ranks, num_stages, true, ranks);
    check_one(branched.network, plan, random_options(random));
  };
  for_all(property, {.count = 400});
}

}  // namespace
}  // namespace parconv::test
