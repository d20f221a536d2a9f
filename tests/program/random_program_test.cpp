// Random operators and networks times random splits: what `compile` makes covers, moves and sums everything exactly once.
#include <gtest/gtest.h>

#include <algorithm>

#include "parconv/geometry/transfers.hpp"
#include "parconv/program/check.hpp"
#include "parconv/program/compile.hpp"
#include "support/branches.hpp"
#include "support/random_plan.hpp"

namespace parconv::test {
namespace {

CompileOptions random_options(Random& random) {
  return {.reduce = random.once_in(3) ? ReduceMode::Ordered : ReduceMode::Fast,
          .overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
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
    ASSERT_EQ(hits, volume(owned.box(rank)));  // nobody else owns any of it
  }
}

/// All contributions to a rank add up to its owned box times the contracted space.
void expect_complete_sums(const Network& network, const Node& node, const Placement& placement, int num_ranks) {
  if (!std::holds_alternative<Conv>(node.op)) return;
  double work = 0;
  for (int rank = 0; rank < num_ranks; ++rank)
    for (const Share& share : placement.shares_in_order(rank))
      if (!share.computed.is_empty()) {
        const LocalOp local = localise(network, node, share, false);
        const auto* conv = std::get_if<LocalConv>(&local.kind);
        if (conv == nullptr) continue;
        for (const ChannelPiece& piece : conv->pieces)
          work += static_cast<double>(volume(share.computed)) / static_cast<double>(share.computed[Axis::C].size()) *
                  static_cast<double>(piece.filter.volume());
      }
  const Share whole{Box::whole(network.value(node.output).extents), whole_contracted(network, node)};
  const LocalOp all = localise(network, node, whole, false);
  if (const auto* conv = std::get_if<LocalConv>(&all.kind)) {
    double expected = 0;
    for (const ChannelPiece& piece : conv->pieces)
      expected += static_cast<double>(volume(whole.computed)) / static_cast<double>(whole.computed[Axis::C].size()) *
                  static_cast<double>(piece.filter.volume());
    // Shares that lie wholly in padding are fills and count nothing.
    ASSERT_LE(work, expected * (1 + 1e-12));
  }
}

/// What every rank receives and owns covers what it needs, each element from one sender; sends mirror receives.
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
  ASSERT_NO_THROW(check(compile_all(network, layout)));
}

TEST(RandomProgram, OneOperatorOfAnyShapeOnAnyGrid) {
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 7919 + 1);
    const Network network = random_operator(seed, Weights::SmallIntegers);
    const int num_ranks = static_cast<int>(random.integer(1, 12));
    check_one(network, random_plan(network, random, num_ranks, 1, true), random_options(random));
    if (HasFatalFailure()) return;
  }
}

TEST(RandomProgram, NetworksWithStagesBranchesAndJoins) {
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 104729 + 5);
    const Network network = fuse(random_network(seed, Weights::SmallIntegers, static_cast<int>(random.integer(2, 12))));
    const int num_ranks = static_cast<int>(random.integer(1, 9));
    const int num_stages = static_cast<int>(random.integer(1, 4));
    check_one(network, random_plan(network, random, num_ranks, num_stages, true), random_options(random));
    if (HasFatalFailure()) return;
  }
}

TEST(RandomProgram, BranchesOnRanksOfTheirOwn) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 15485863 + 3);
    const BranchedNetwork branched = random_branched_network(seed, Weights::SmallIntegers);
    const int num_ranks = static_cast<int>(random.integer(2, 24)), num_stages = static_cast<int>(random.integer(1, 3));
    const std::vector<Interval> ranks = ranks_of_nodes(branched, num_ranks);
    check_one(branched.network, random_plan(branched.network, random, num_ranks, num_stages, true, ranks),
              random_options(random));
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace parconv::test
