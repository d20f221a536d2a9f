// SPDX-License-Identifier: Apache-2.0
// Jobs and their verification, without a job.
#include "parconv/engine/rank_plan.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "parconv/core/error.hpp"
#include "parconv/engine/job_verification.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/io/memory_source.hpp"
#include "parconv/program/compile.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

Plan plan_of(const Network& network, const char* split, int ranks) {
  return make_plan(network, parse_split(split, ranks, 2), ranks);
}

Network classifier(index_t samples) { return fuse(small_classifier(1, Weights::SmallIntegers, {{samples, 3, 1, 12, 10}})); }

TEST(RankPlan, HasTheProgramOfItsRank) {
  const Network network = classifier(2);
  const Plan plan = plan_of(network, "h=3", 3);
  for (int rank = 0; rank < 3; ++rank) {
    const RankPlan job = make_rank_plan(network, plan, {}, rank);
    EXPECT_EQ(job.program.rank, rank);
    EXPECT_EQ(sent_bytes(job.program), sent_bytes(compile(network, job.layout, rank)));
  }
}

TEST(RankPlan, RefusesPlansOfOtherNetworks) {
  Plan plan = plan_of(classifier(2), "h=3", 3);
  plan.nodes.pop_back();
  EXPECT_THROW(make_rank_plan(classifier(2), plan, {}, 0), Error);
  EXPECT_THROW(make_rank_plan(classifier(2), plan_of(classifier(4), "n=2", 2), {}, 1), Error);
}

TEST(RankPlan, PlansFollowTheNumberOfSamples) {
  const Network full = classifier(6);
  const Network rest = with_batch(full, 2);
  const Plan plan = plan_of(full, "n=3,h=2", 6);
  const Plan shorter = plan_for_samples(plan, rest);
  EXPECT_NO_THROW(validate(shorter, rest));
  EXPECT_EQ(shorter.nodes[0].cuts[0], (Cuts{0, 1, 2, 2}));
  EXPECT_EQ(shorter.nodes[0].cuts[3], plan.nodes[0].cuts[3]);
  EXPECT_EQ(shorter.nodes[0].grid, plan.nodes[0].grid);
  EXPECT_EQ(plan_for_samples(plan, full), plan);
}

TEST(Verification, AllLayersAreOutputs) {
  const Network network = classifier(1);
  const Network observed = with_all_outputs(network);
  ASSERT_EQ(observed.outputs.size(), network.nodes.size());
  for (std::size_t k = 0; k < network.nodes.size(); ++k) EXPECT_EQ(observed.outputs[k], network.nodes[k].output);
  EXPECT_NO_THROW(validate(observed));
}

TEST(Verification, SamplesAreSmallAndAtBothEndsOfOwnedBoxes) {
  const Network network = classifier(3);
  const Layout layout = lay_out(network, plan_of(network, "h=2", 2), {});
  const auto first = static_cast<std::size_t>(network.nodes[0].output);
  // The first convolution has 20 channels of 12 x 10; rank 1 owns rows [6, 12).
  const auto passes = boxes_to_verify(network, layout, 1, VerifyExtent::Samples);
  ASSERT_EQ(passes.size(), 2U);
  EXPECT_EQ(passes[0][first], (Box{{{{0, 1}, {0, 4}, {0, 1}, {6, 8}, {0, 2}}}}));
  EXPECT_EQ(passes[1][first], (Box{{{{2, 3}, {16, 20}, {0, 1}, {10, 12}, {8, 10}}}}));
  const auto all = boxes_to_verify(network, layout, 1, VerifyExtent::Everything);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0][first], (Box{{{{0, 3}, {0, 20}, {0, 1}, {6, 12}, {0, 10}}}}));
}

TEST(Verification, SinksKeepTheElementsOfTheirBoxes) {
  const Extents extents{{1, 2, 1, 4, 3}};
  const Box kept{{{{0, 1}, {1, 2}, {0, 1}, {1, 4}, {1, 3}}}};
  KeepingSink sink(extents, {kept, Box{}});
  HostTensor whole(Box::whole(extents));
  for (index_t h = 0; h < 4; ++h)
    for (index_t w = 0; w < 3; ++w)
      for (index_t c = 0; c < 2; ++c) whole.at(0, c, 0, h, w) = static_cast<float>(100 * c + 10 * h + w);
  for (index_t h = 0; h < 4; ++h) {  // row by row
    const Box row = Box::whole(extents).with(Axis::H, {h, h + 1});
    sink.write(row, whole.view(row));
  }
  EXPECT_EQ(sink.largest(), 132);
  ASSERT_EQ(sink.kept().size(), 2U);
  for (index_t h = 1; h < 4; ++h)
    for (index_t w = 1; w < 3; ++w) EXPECT_EQ(sink.kept()[0].at(0, 1, 0, h, w), static_cast<float>(100 + 10 * h + w));
}

LayerDifference difference_of(float actual, float expected) {
  const Box one = Box::whole({});
  HostTensor a(one);
  HostTensor b(one);
  a.at(0, 0, 0, 0, 0) = actual;
  b.at(0, 0, 0, 0, 0) = expected;
  LayerDifference difference;
  compare(a.view(), b.view(), difference);
  return difference;
}

TEST(Verification, Differences) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(difference_of(2, 2).relative(), 0);
  EXPECT_EQ(difference_of(3, -4).relative(), 7.0 / 4);
  EXPECT_EQ(difference_of(0, 0).relative(), 0);
  EXPECT_TRUE(std::isinf(difference_of(1, 0).relative()));
  EXPECT_TRUE(std::isinf(difference_of(nan, 1).relative()));
  EXPECT_TRUE(std::isinf(difference_of(1, nan).relative()));
  EXPECT_EQ(difference_of(nan, nan).relative(), 0);
  EXPECT_EQ(difference_of(infinity, infinity).relative(), 0);
  EXPECT_TRUE(std::isinf(difference_of(-infinity, infinity).relative()));
}

TEST(Verification, CountsOtherBits) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(difference_of(2, 2).different_elems, 0);
  EXPECT_EQ(difference_of(2, std::nextafter(2.0F, 3.0F)).different_elems, 1);
  EXPECT_EQ(difference_of(0, -0.0F).different_elems, 1);
  EXPECT_EQ(difference_of(nan, -nan).different_elems, 0) << "all NaNs are equal";
  EXPECT_EQ(difference_of(nan, 1).different_elems, 1);
}

/// A sum that cancels is not measured by what is left of it.
TEST(Verification, SumsAreMeasuredByTheMagnitudesOfTheirTerms) {
  RandomNetworkBuilder builder(1, Weights::Reals);
  const ValueId sum = builder.reduce(builder.input({{1, 1, 1, 4, 1}}), ReduceKind::Sum, {false, false, false, true, false});
  const Network network = builder.build({builder.relu(sum)});
  const auto passes = boxes_to_verify(network, lay_out(network, plan_of(network, "1", 1), {}), 0, VerifyExtent::Everything);
  HostTensor input(Box::whole({{1, 1, 1, 4, 1}}));
  for (index_t h = 0; h < 4; ++h) input.at(0, 0, 0, h, 0) = h % 2 == 0 ? 1000 : -1000;
  MemorySource source(std::move(input), 4);
  DataSource* const sources[] = {&source};
  std::vector<KeepingSink> sinks = make_keeping_sinks(network, passes);
  HostTensor found(Box::whole({}));
  found.at(0, 0, 0, 0, 0) = 0.001F;
  for (KeepingSink& sink : sinks) sink.write(found.box(), std::as_const(found).view());
  const auto backend = make_reference_backend();
  const auto differences = differences_from_oracle(network, sinks, passes, {.sources = sources}, *backend);
  EXPECT_EQ(differences[0].largest, 4000);
  EXPECT_NEAR(differences[0].relative(), 0.001 / 4000, 1e-12);
  EXPECT_EQ(differences[0].different_elems, 1);
  EXPECT_EQ(differences[1].relative(), 1) << "no sum: measured by its value";
}

/// Differences are relative to the whole layer, also if only small values of it are compared.
TEST(Verification, LayersAreMeasuredByTheirLargestValue) {
  const Network network = classifier(1);
  const Layout layout = lay_out(network, plan_of(network, "1", 1), {});
  const auto passes = boxes_to_verify(network, layout, 0, VerifyExtent::Samples);
  std::vector<KeepingSink> sinks = make_keeping_sinks(network, passes);
  for (std::size_t k = 0; k < sinks.size(); ++k) {
    HostTensor layer(Box::whole(network.value(network.nodes[k].output).extents));
    for (index_t c = 0; c < layer.box()[Axis::C].size(); ++c) layer.at(0, c, 0, 0, 0) = -1000;
    sinks[k].write(layer.box(), std::as_const(layer).view());
  }
  MemorySource source(HostTensor(Box::whole(network.value(network.inputs[0]).extents)), 4);
  DataSource* const sources[] = {&source};
  const auto backend = make_reference_backend();
  for (const LayerDifference& difference :
       differences_from_oracle(network, sinks, passes, {.sources = sources, .read_filter = make_filter_reader()}, *backend))
    EXPECT_GE(difference.largest, 1000) << difference.node;
}

/// The oracle compared with its own results, one of which is altered.
TEST(Verification, FindsOneAlteredValue) {
  const Network network = classifier(1);
  const Layout layout = lay_out(network, plan_of(network, "1", 1), {});
  const auto passes = boxes_to_verify(network, layout, 0, VerifyExtent::Everything);
  const auto backend = make_reference_backend();
  Random random(1);
  HostTensor input(Box::whole(network.value(network.inputs[0]).extents));
  for (index_t h = 0; h < 12; ++h) input.at(0, 0, 0, h, 0) = random.real();
  MemorySource source(std::move(input), 4);
  DataSource* const sources[] = {&source};
  const OracleInput oracle{.sources = sources, .read_filter = make_filter_reader()};
  std::vector<HostTensor> values = evaluate(network, oracle, passes[0], *backend);
  const std::size_t altered = network.nodes.size() / 2;
  const auto altered_value = static_cast<std::size_t>(network.nodes[altered].output);
  *reinterpret_cast<float*>(values[altered_value].view().data) += 100;
  std::vector<KeepingSink> sinks = make_keeping_sinks(network, passes);
  for (std::size_t k = 0; k < sinks.size(); ++k) {
    const HostTensor& tensor = std::as_const(values[static_cast<std::size_t>(network.nodes[k].output)]);
    sinks[k].write(tensor.box(), tensor.view());
  }
  const auto differences = differences_from_oracle(network, sinks, passes, oracle, *backend);
  for (const LayerDifference& difference : differences)
    EXPECT_EQ(difference.worst > 0, difference.node == static_cast<NodeId>(altered)) << difference.node;
}

}  // namespace
}  // namespace parconv::test
