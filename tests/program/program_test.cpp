// SPDX-License-Identifier: Apache-2.0
// Literal programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "parconv/program/compile.hpp"
#include "support/network_builder.hpp"
#include "support/proven.hpp"

namespace parconv::test {
namespace {

const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
const Window same{{WindowAxis{}, three, three}};

Network two_convolutions(const Extents& extents = {{1, 8, 1, 16, 10}}) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId middle = builder.conv(builder.input(extents), {.oc = 8, .window = same});
  return builder.build({builder.conv(middle, {.oc = 8, .window = same})});
}

/// The programs, which are proven.
std::vector<Program> programs_for(const Network& network, const Plan& plan, const CompileOptions& options = {}) {
  std::vector<Program> programs = compile_all(network, lay_out(network, plan, options));
  EXPECT_TRUE(are_proven(network, programs, options));
  return programs;
}

std::vector<Program> programs_for(const Network& network, const char* split, int num_ranks, const CompileOptions& options = {}) {
  const int spatial_ndims = network.value(network.inputs.front()).ndims - 2;
  return programs_for(network, make_plan(network, parse_split(split, num_ranks, spatial_ndims), num_ranks), options);
}

template <class T>
std::vector<T> actions_of(const Program& program) {
  std::vector<T> result;
  for (const Step& step : program.steps)
    if (const T* action = std::get_if<T>(&step.action)) result.push_back(*action);
  return result;
}

TEST(Program, RowsLandInMarginsWithoutCopies) {
  const std::vector<Program> programs = programs_for(two_convolutions(), "h=4", 4);
  const Program& second = programs[1];
  EXPECT_TRUE(actions_of<Copy>(second).empty());
  ASSERT_EQ(second.communications.size(), 1U);
  const Communication& halo = second.communications[0];
  ASSERT_EQ(halo.sends.size(), 2U);
  // Rows [4, 8) are owned; rows 4 and 7 are sent, rows 3 and 8 received.
  EXPECT_EQ(halo.sends[0].peer, 0);
  EXPECT_EQ(halo.sends[0].region.box[Axis::H], (Interval{4, 5}));
  EXPECT_EQ(halo.receives[0].region.box[Axis::H], (Interval{3, 4}));
  EXPECT_EQ(second.buffer(halo.sends[0].region.buffer).box[Axis::H], (Interval{3, 9}));
  EXPECT_EQ(sent_bytes(second), 2 * 10 * 8 * 4);
}

TEST(Program, OfBfloat16HoldsAndSendsHalf) {
  const Network network = two_convolutions({{1, 8, 1, 64, 64}});
  for (const char* split : {"h=4", "f=4", "w=2,h=2", "n=1,h=4"}) {
    const std::vector<Program> floats = programs_for(network, split, 4);
    const std::vector<Program> halves = programs_for(network, split, 4, {.type = DType::BF16});
    for (std::size_t rank = 0; rank < 4; ++rank) {
      EXPECT_EQ(sent_bytes(halves[rank]) * 2, sent_bytes(floats[rank]));
      EXPECT_EQ(copied_bytes(halves[rank]) * 2, copied_bytes(floats[rank]));
      const index_t rounding_bytes = 2 * 64 * std::ssize(halves[rank].buffers);
      EXPECT_LE(std::abs(halves[rank].arena_bytes * 2 - floats[rank].arena_bytes), rounding_bytes);
    }
  }
}

TEST(Program, PartialSumsStayF32) {
  const Network network = two_convolutions();
  const std::vector<Program> floats = programs_for(network, "c=2", 2),
                             halves = programs_for(network, "c=2", 2, {.type = DType::BF16});
  EXPECT_EQ(sent_bytes(halves[0]), sent_bytes(floats[0]));
  for (const Buffer& buffer : halves[0].buffers) {
    const bool is_sum = buffer.role == BufferRole::Partial || buffer.role == BufferRole::Incoming;
    EXPECT_EQ(buffer.type, is_sum ? DType::F32 : DType::BF16) << name_of(buffer.role);
  }
}

TEST(Program, WeightsAreFiltersOfTheTypeAndBiasesOfF32) {
  const Program floats = programs_for(two_convolutions(), "h=2", 2)[0];
  const Program halves = programs_for(two_convolutions(), "h=2", 2, {.type = DType::BF16})[0];
  EXPECT_EQ(floats.weight_bytes, 2 * (8 * 8 * 9 + 8) * 4);
  EXPECT_EQ(halves.weight_bytes, 2 * (8 * 8 * 9 * 2 + 8 * 4));
}

TEST(Program, ColumnsAreAssembled) {
  const std::vector<Program> programs = programs_for(two_convolutions(), "w=2", 2);
  ASSERT_EQ(actions_of<Copy>(programs[0]).size(), 1U);
  EXPECT_EQ(copied_bytes(programs[0]), 16 * 5 * 8 * 4);
}

// Outputs [0, 5) of stride 2 read columns [0, 9) of 10; the tenth may stay, the rows are dense as they are.
TEST(Program, StrideLeavesUnreadColumnsInPlace) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId middle = builder.conv(builder.input({{1, 8, 1, 16, 10}}), {.oc = 8, .window = same});
  const WindowAxis skip{.stride = 2};
  const Network network = builder.build({builder.conv(middle, {.oc = 8, .window = {{WindowAxis{}, skip, skip}}})});
  for (const Program& program : programs_for(network, "h=2", 2)) EXPECT_TRUE(actions_of<Copy>(program).empty());
}

/// All programs together, under views or with dense operands.
index_t copied_bytes_of(const Network& network, const char* split, const CompileOptions& options) {
  index_t bytes = 0;
  for (const Program& program : programs_for(network, split, 4, options)) bytes += copied_bytes(program);
  return bytes;
}

TEST(Program, ViewsOfConvolutionsNeedNoCopies) {
  const WindowAxis five{.kernel = 5, .pad_lo = 2, .pad_hi = 2};
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  ValueId value = builder.input({{2, 4, 13, 14, 15}}, 5);
  for (const Window& window : {Window{{three, three, three}}, Window{{five, three, five}}, Window{{three, five, three}}})
    value = builder.conv(value, {.oc = 11, .window = window});
  const Network network = builder.build({value});
  for (const char* split : {"n=2,w=2", "d", "h", "w", "f", "d=2,h=2", "h=2,w=2", "d=2,w=2", "h=2,f=2", "w=2,f=2", "d=2,f=2"})
    for (const Overlap overlap : {Overlap::Off, Overlap::On}) {
      EXPECT_EQ(copied_bytes_of(network, split, {.overlap = overlap, .needs_dense = false}), 0) << split;
      const bool is_cut_inside = std::string_view(split).find_first_of("wf") != std::string_view::npos;
      if (is_cut_inside) {
        EXPECT_GT(copied_bytes_of(network, split, {.overlap = overlap}), 0) << split;
      }
    }
}

/// Convolutions beside each other, joined, twice: (a, b) and ((a, b), c). `a` also has a pooling with a halo of its own.
Network joined_convolutions(index_t rows) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId src = builder.input({{1, 8, 1, rows, 12}});
  const ValueId a = builder.conv(src, {.oc = 5, .window = same}), b = builder.conv(src, {.oc = 7});
  const ValueId pooled = builder.pool(a, PoolKind::Max, same), c = builder.conv(pooled, {.oc = 3});
  const ValueId joined = builder.concat({builder.concat({a, b}), c});
  return builder.build({builder.conv(joined, {.oc = 8, .window = same})});
}

TEST(Program, PartsOfAConcatAreComputedInPlace) {
  for (const index_t rows : {16, 13})
    for (const char* split : {"h", "w", "h=2,w=2"}) {
      const Network network = joined_convolutions(rows);
      EXPECT_EQ(copied_bytes_of(network, split, {.needs_dense = false}), 0) << split << " of " << rows;
      EXPECT_GT(copied_bytes_of(network, split, {}), 0) << split << " of " << rows;
    }
}

TEST(Program, PartsOfAConcatShareItsBuffer) {
  const Program program = programs_for(joined_convolutions(16), "h=1", 1, {.needs_dense = false}).front();
  std::vector<Interval> channels;
  for (const Compute& compute : actions_of<Compute>(program))
    if (program.buffer(compute.dst.buffer).box[Axis::C].size() == 15) channels.push_back(compute.dst.box[Axis::C]);
  EXPECT_THAT(channels, testing::UnorderedElementsAre(Interval{0, 5}, Interval{5, 12}, Interval{12, 15}));
}

TEST(Program, AConcatOfOneValueTwiceCopiesItOnce) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId half = builder.conv(builder.input({{1, 8, 1, 16, 12}}), {.oc = 6});
  const Network network = builder.build({builder.conv(builder.concat({half, half}), {.oc = 8})});
  EXPECT_EQ(copied_bytes_of(network, "h", {.needs_dense = false}), 6 * 16 * 12 * 4);
}

TEST(Program, FirstHaloIsReadFromTheFile) {
  const std::vector<Program> programs = programs_for(two_convolutions(), "h=2", 2);
  const std::vector<Load> loads = actions_of<Load>(programs[0]);
  ASSERT_EQ(loads.size(), 1U);
  EXPECT_EQ(loads[0].box[Axis::H], (Interval{0, 9}));  // 8 rows and one of halo
}

TEST(Program, AlternatingFilterAndChannelSplitMovesNothingBetween) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId middle = builder.conv(builder.input({{1, 8, 1, 4, 4}}), {.oc = 32});
  const Network network = builder.build({builder.conv(middle, {.oc = 8})});
  Plan plan = make_plan(network, parse_split("f=2", 2, 2), 2);
  plan.nodes[1].grid.parts = {{1, 1, 2, 1, 1, 1}};
  plan.nodes[1].cuts = default_cuts(network, network.nodes[1], plan.nodes[1].grid);
  const std::vector<Program> programs = programs_for(network, plan);
  ASSERT_EQ(programs[0].communications.size(), 1U);  // only the sum of the second
  EXPECT_EQ(programs[0].communications[0].kind(), CommKind::ReduceScatter);
}

// Guards against concatenating instead of summing: every owner has to add one contribution of each rank.
index_t sent_bytes(const std::vector<Program>& programs) {
  index_t bytes = 0;
  for (const Program& program : programs) bytes += sent_bytes(program);
  return bytes;
}

/// A ReLU, followed by a move of its elements.
template <class Move>
Network moved(const Extents& extents, Move&& move) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  return builder.build({move(builder, builder.relu(builder.input(extents)))});
}

struct MoveRow {
  const char* split;
  int ranks;
  index_t bytes;
};

// 24 channels of 16 x 12, 4 bytes each.
TEST(Program, ShuffledChannelsMoveOnlyWhereChannelsAreCut) {
  const Network network = moved({{1, 24, 1, 16, 12}}, [](auto& builder, ValueId x) { return builder.channel_shuffle(x, 3); });
  for (const MoveRow& row : {MoveRow{"h=4", 4, 0}, {"w=3", 3, 0}, {"h=2,w=2", 4, 0}}) {
    const auto programs = programs_for(network, row.split, row.ranks);
    EXPECT_EQ(sent_bytes(programs), row.bytes) << row.split;
  }
  // Channels [0, 12) of the result are (4, 3): 0, 8, 16, 1, 9, 17, 2, 10, 18, 3, 11, 19. Both halves need channels of both.
  // The box around the first twelve is [0, 20), around the others [4, 24): 8 channels each way.
  EXPECT_EQ(sent_bytes(programs_for(network, "f=2", 2)), 2 * 8 * 16 * 12 * 4);
}

TEST(Program, DepthToSpaceKeepsPixelsWithTheirRows) {
  const auto shuffle = [](auto& builder, ValueId x) { return builder.pixel_shuffle(x, 2); };
  // Rows 16 and 32 are cut by 4 ranks alike; 7 rows are 2, 2, 2, 1 and 14 rows 4, 4, 4, 2.
  for (const index_t rows : {16, 7})
    EXPECT_EQ(sent_bytes(programs_for(moved({{1, 24, 1, rows, 12}}, shuffle), "h=4", 4)), 0) << rows << " rows";
  // 6 rows are 2, 2, 2, 0 and 12 rows 3, 3, 3, 3: rank 1 computes rows [3, 6) from input rows [1, 3) and receives row 1 of 12 x
  // 24 elements; rank 2 owns all but row 3 of [3, 5); rank 3 owns nothing of [4, 6).
  const index_t row_bytes = 12 * 24 * 4;
  EXPECT_EQ(sent_bytes(programs_for(moved({{1, 24, 1, 6, 12}}, shuffle), "h=4", 4)), 4 * row_bytes);
}

TEST(Program, ATransposeOfRowsAndColumnsSendsEachElementOnce) {
  const std::array perm{0, 1, 3, 2};
  const Network network = moved({{1, 8, 1, 16, 12}}, [&](auto& builder, ValueId x) { return builder.transpose(x, perm); });
  const auto programs = programs_for(network, "h=4", 4);
  // All but the quarter of its columns that a rank has in its own rows.
  EXPECT_EQ(sent_bytes(programs), 8 * 16 * 12 * 4 / 4 * 3);
  for (const Program& program : programs)
    for (const Communication& communication : program.communications)
      for (const Message& receive : communication.receives) EXPECT_EQ(receive.region.box[Axis::W].size(), 3);
  // Where rows were cut before and columns are after, nothing moves.
  Plan plan = make_plan(network, parse_split("h=4", 4, 2), 4);
  plan.nodes[1].grid.parts = {{1, 1, 1, 1, 1, 4}};
  plan.nodes[1].cuts = default_cuts(network, network.nodes[1], plan.nodes[1].grid);
  EXPECT_EQ(sent_bytes(programs_for(network, plan)), 0);
}

TEST(Program, ChannelSplitSumsOnePartialPerRank) {
  const std::vector<Program> programs = programs_for(two_convolutions(), "c=4", 4);
  for (const Program& program : programs)
    for (const Reduce& reduce : actions_of<Reduce>(program)) {
      ASSERT_EQ(reduce.partials.size(), 4U);
      EXPECT_EQ(reduce.dst.box, reduce.box);
      for (const Region& partial : reduce.partials) EXPECT_EQ(partial.box, reduce.box);
    }
}

TEST(Program, DepthwiseUnderChannelSplitNeedsNoSum) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId src = builder.input({{1, 64, 1, 8, 8}});
  const Network network = builder.build({builder.conv(src, {.oc = 64, .window = same, .groups = 64})});
  for (const Program& program : programs_for(network, "c=4", 4)) {
    EXPECT_TRUE(program.communications.empty());
    EXPECT_TRUE(actions_of<Reduce>(program).empty());
  }
}

TEST(Program, RanksSendOnePartialSumForEachNodeOfTheTree) {
  Network network = two_convolutions();  // 8 input channels each
  set_leaf_rule(network, LeafRule::Fine);
  const auto partials = [&](int num_ranks) {
    std::vector<std::size_t> counts;
    for (const Program& program : programs_for(network, "c", num_ranks))
      for (const Reduce& reduce : actions_of<Reduce>(program)) counts.push_back(reduce.partials.size());
    return counts;
  };
  EXPECT_THAT(partials(2), testing::Each(2U));
  EXPECT_THAT(partials(4), testing::Each(4U));
  EXPECT_THAT(partials(8), testing::Each(8U));
  EXPECT_THAT(partials(3), testing::Each(5U)) << "[0, 3), [3, 6), [6, 8): 2 + 1, 1 + 2 and 2 leaves";
  EXPECT_EQ(partials(8).size(), 16U);
  EXPECT_EQ(partials(9).size(), 0U) << "fewer leaves than ranks";
}

TEST(Program, PipelineSendsWithTwoSlots) {
  const std::vector<Program> programs = programs_for(two_convolutions(), "stages=2", 2);
  const Communication& communication = programs[0].communications[0];
  EXPECT_EQ(programs[0].buffer(communication.sends[0].region.buffer).slots, 2);
  EXPECT_EQ(programs[1].buffer(programs[1].communications[0].receives[0].region.buffer).slots, 2);
  // The receiver posts before it computes the micro-batch before.
  ASSERT_TRUE(std::holds_alternative<Start>(programs[1].steps[0].action));
  EXPECT_EQ(programs[1].steps[0].stage, 0);
  EXPECT_EQ(last_stage(programs[1]), 1);
}

TEST(Program, SkipOverTwoStagesGetsThreeSlots) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId a = builder.conv(builder.input({{1, 4, 1, 6, 6}}), {.oc = 4, .window = same});
  const ValueId b = builder.conv(a, {.oc = 4, .window = same});
  const ValueId c = builder.conv(b, {.oc = 4, .window = same});
  const Network network = builder.build({builder.sum({c, a})});
  Plan plan{.num_ranks = 3, .num_stages = 3};
  for (int stage : {0, 1, 2, 2}) {
    NodePlan node{.grid = {.first_rank = stage}, .stage = stage};
    node.cuts = default_cuts(network, network.nodes[plan.nodes.size()], node.grid);
    plan.nodes.push_back(node);
  }
  const auto programs = programs_for(network, plan);
  int most_slots = 0;
  for (const Buffer& buffer : programs[2].buffers) most_slots = std::max(most_slots, buffer.slots);
  EXPECT_EQ(most_slots, 3);
}

TEST(Program, OverlapSendsBordersBeforeTheRest) {
  const auto programs = programs_for(two_convolutions({{1, 8, 1, 64, 10}}), "h=2", 2, {.overlap = Overlap::On});
  std::vector<std::string_view> names;
  for (const Step& step : programs[0].steps) names.push_back(name_of(step.action));
  // The low border, when rank 1 sends its own; the high border, sent at once; the rest; then the Await of the second convolution.
  const std::vector<std::string_view> expected{"load",    "compute", "start", "compute", "start",
                                               "compute", "await",   "await", "compute", "store"};
  EXPECT_EQ(names, expected);
}

TEST(Program, BuffersOfDisjointLifetimesShareMemory) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  ValueId value = builder.input({{1, 16, 1, 32, 32}});
  for (int k = 0; k < 10; ++k) value = builder.conv(value, {.oc = 16, .window = same});
  const Program program = programs_for(builder.build({value}), "1", 1)[0];
  EXPECT_EQ(program.arena_bytes, 2 * 16 * 32 * 32 * 4);
}

}  // namespace
}  // namespace parconv::test
