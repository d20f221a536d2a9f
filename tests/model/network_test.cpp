// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/network.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <memory>

#include "model/named_network_builder.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using parconv::test::NamedNetworkBuilder;
using ::testing::HasSubstr;

/// x -> a -> b; out = b + a.
Network branching() {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", {{2, 4, 1, 8, 8}});
  const ValueId a = build.conv("a", x, 4);
  const ValueId b = build.conv("b", a, 4);
  return build.build({build.add("out", Sum{}, {b, a})});
}

/// The message of the error that `validate` throws after `damage`.
std::string refusal(const std::function<void(Network&)>& damage) {
  Network network = branching();
  damage(network);
  try {
    validate(network);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::BadData);
    return error.what();
  }
  return "no error";
}

TEST(Network, ConsumersAndProducers) {
  const Network network = branching();
  EXPECT_EQ(consumers_of_values(network), (std::vector<std::vector<NodeId>>{{0}, {1, 2}, {2}, {}}));
  EXPECT_EQ(producers_of_values(network), (std::vector<NodeId>{-1, 0, 1, 2}));
}

TEST(Network, AReaderIsListedOnce) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", {{1, 1, 1, 2, 2}});
  const Network network = build.build({build.add("twice", Sum{}, {x, x})});
  EXPECT_EQ(consumers_of_values(network)[0], std::vector<NodeId>{0});
}

TEST(Validate, AcceptsConsistentNetworks) { EXPECT_NO_THROW(validate(branching())); }

TEST(Validate, RefusesInconsistentNetworks) {
  EXPECT_THAT(refusal([](Network& n) { n.nodes[1].inputs[0] = 99; }), HasSubstr("Conv 'b_node': refers to value 99"));
  EXPECT_THAT(refusal([](Network& n) { n.outputs[0] = -1; }), HasSubstr("the list of outputs: refers to value -1"));
  EXPECT_THAT(refusal([](Network& n) { std::swap(n.nodes[0], n.nodes[1]); }), HasSubstr("reads 'a' before any node produces it"));
  EXPECT_THAT(refusal([](Network& n) { n.nodes[1].output = 1; }), HasSubstr("produces 'a', which already has a producer"));
  EXPECT_THAT(refusal([](Network& n) { n.nodes[0].output = 0; }), HasSubstr("produces 'x', which already has a producer"));
  EXPECT_THAT(refusal([](Network& n) { n.value(2).extents[Axis::H] = 9; }), HasSubstr("declared as 2x4x1x9x8"));
  EXPECT_THAT(refusal([](Network& n) { n.value(2).name = "a"; }), HasSubstr("is not unique"));
  EXPECT_THAT(refusal([](Network& n) { n.value(0).ndims = 2; }), HasSubstr("not those of a tensor with 2 dimensions"));
  EXPECT_THAT(refusal([](Network& n) { n.value(0).extents[Axis::C] = 0; }), HasSubstr("dimension 1 is 0"));
  EXPECT_THAT(refusal([](Network& n) { n.nodes[0].epilogue.bias = {1, 2}; }), HasSubstr("has 2 biases for 4 channels"));
  EXPECT_THAT(refusal([](Network& n) { n.nodes[0].epilogue.has_residual = true; }), HasSubstr("has no input"));
  EXPECT_THAT(refusal([](Network& n) { n.value(0).kind = ValueKind::Activation; }), HasSubstr("not marked as one"));
  EXPECT_THAT(refusal([](Network& n) { n.nodes.pop_back(); }), HasSubstr("output 'out': no node produces it"));
}

TEST(Validate, ChecksResidualsAndConstants) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", {{1, 4, 1, 8, 8}});
  const ValueId small = build.conv("small", x, 4, 3, 2);
  const ValueId c = build.constant("c", {{1, 4, 1, 1, 1}});
  Network network = build.build({build.add("out", Sum{}, {x, c}, {}), small});
  EXPECT_NO_THROW(validate(network));
  network.value(c).constant = {.values = std::make_shared<const std::vector<float>>(3, 0.0F)};
  EXPECT_THROW(validate(network), Error) << "3 elements for 4";
  network = build.build({build.add("sum", Elementwise{}, {x, small}, {.has_residual = true})});
  EXPECT_THROW(validate(network), Error) << "a residual of another shape";
}

TEST(Validate, AReshapeKeepsTheNumberOfElements) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", {{2, 4, 1, 2, 2}});
  const ValueId flat = build.add_as("flat", {.extents = {{2, 16, 1, 1, 1}}, .ndims = 2}, Reshape{}, {x});
  Network network = build.build({flat});
  EXPECT_NO_THROW(validate(network));
  network.value(flat).extents[Axis::C] = 15;
  EXPECT_THROW(validate(network), Error);
}

TEST(WithBatch, ChangesEveryValueThatDependsOnAnInput) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", {{2, 4, 1, 4, 4}});
  const ValueId c = build.constant("c", {{1, 4, 1, 1, 1}});
  const ValueId sum = build.add("sum", Sum{}, {x, c});
  const ValueId flat = build.add_as("flat", {.extents = {{2, 64, 1, 1, 1}}, .ndims = 2}, Reshape{}, {sum});
  const Network network = with_batch(build.build({flat}), 5);
  EXPECT_EQ(network.value(x).extents, (Extents{{5, 4, 1, 4, 4}}));
  EXPECT_EQ(network.value(c).extents, (Extents{{1, 4, 1, 1, 1}}));
  EXPECT_EQ(network.value(flat).extents, (Extents{{5, 64, 1, 1, 1}}));
  EXPECT_NO_THROW(validate(network));
}

TEST(WithBatch, TheSameNumberChangesNothing) {
  const Network network = with_batch(branching(), 2);
  EXPECT_EQ(network.value(3).extents, branching().value(3).extents);
}

/// The message with which a network whose last node is `op` refuses another batch.
std::string batch_refusal(const Operator& op, const Shape& out, bool with_constant = false) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", {{2, 4, 1, 2, 2}});
  std::vector<ValueId> inputs{x};
  if (with_constant) inputs.push_back(build.constant("c", {{2, 4, 1, 2, 2}}));
  const Network network = build.build({build.add_as("out", out, op, inputs)});
  validate(network);
  try {
    with_batch(network, 3);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::BadData);
    return error.what();
  }
  return "no error";
}

TEST(WithBatch, RefusesOperatorsThatMixSamples) {
  const Shape same{.extents = {{2, 4, 1, 2, 2}}};
  EXPECT_THAT(batch_refusal(Reshape{}, {.extents = {{4, 2, 1, 2, 2}}}), HasSubstr("Reshape 'out_node' mixes samples"));
  EXPECT_THAT(batch_refusal(Softmax{.axes = {true, true, true, true, true}}, same),
              HasSubstr("Softmax 'out_node' mixes samples"));
  EXPECT_THAT(batch_refusal(Sum{}, same, true), HasSubstr("reads 'c' with a fixed batch size"));
  EXPECT_EQ(batch_refusal(Softmax{.axes = {false, true, false, false, false}}, same), "no error");
}

}  // namespace
}  // namespace parconv
