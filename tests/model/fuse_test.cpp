// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <random>

#include "model/named_network_builder.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using parconv::test::NamedNetworkBuilder;
using parconv::test::node_making;
using parconv::test::output_name;
using parconv::test::output_names;
using ::testing::ElementsAre;

const Extents image{{1, 2, 1, 4, 4}};

Network fused(const Network& network) {
  validate(network);
  Network result = fuse(network);
  validate(result);
  return result;
}

TEST(Fuse, ConvNormActivationBecomeOneNode) {
  NamedNetworkBuilder build;
  const ValueId conv = build.conv("conv", build.input("x", image), 2);
  const ValueId norm = build.add("norm", ScaleShift{{2, 3}, {10, 20}}, {conv});
  Network network = build.build({build.relu("relu", norm)});
  network.nodes[0].epilogue.bias = {5, 7};
  const Network result = fused(network);
  ASSERT_THAT(output_names(result), ElementsAre("relu"));
  EXPECT_THAT(result.nodes[0].epilogue.bias, ElementsAre(20, 41)) << "5 * 2 + 10, 7 * 3 + 20";
  EXPECT_THAT(*std::get<Conv>(result.nodes[0].op).filter.scale, ElementsAre(2, 3));
  EXPECT_EQ(result.nodes[0].epilogue.activation.kind, ActivationKind::Relu);
  EXPECT_EQ(result.values.size(), network.values.size()) << "ids stay valid";
}

TEST(Fuse, TwoNormsMultiply) {
  NamedNetworkBuilder build;
  const ValueId conv = build.conv("conv", build.input("x", image), 2);
  const ValueId first = build.add("first", ScaleShift{{2, 3}, {1, 0}}, {conv});
  const Network result = fused(build.build({build.add("second", ScaleShift{{10, 100}, {5, 6}}, {first})}));
  ASSERT_THAT(output_names(result), ElementsAre("second"));
  EXPECT_THAT(*std::get<Conv>(result.nodes[0].op).filter.scale, ElementsAre(20, 300));
  EXPECT_THAT(result.nodes[0].epilogue.bias, ElementsAre(15, 6)) << "(0 + 1) * 10 + 5, 0 * 100 + 6";
}

TEST(Fuse, AValueTimesItsSigmoidIsSilu) {
  for (const bool comes_first : {false, true}) {
    NamedNetworkBuilder build;
    const ValueId conv = build.conv("conv", build.input("x", image), 2);
    const ValueId gate = build.add("gate", Elementwise{}, {conv});
    const auto inputs = comes_first ? std::vector{gate, conv} : std::vector{conv, gate};
    Network network = build.build({build.add("silu", Binary{BinaryKind::Mul}, inputs)});
    network.nodes[1].epilogue.activation = {.kind = ActivationKind::Sigmoid};
    const Network result = fused(network);
    ASSERT_THAT(output_names(result), ElementsAre("silu"));
    EXPECT_EQ(result.nodes[0].epilogue.activation.kind, ActivationKind::Silu);
    EXPECT_TRUE(std::holds_alternative<Conv>(result.nodes[0].op));
  }
}

TEST(Fuse, AValueTimesTheSigmoidOfAnotherStays) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", image);
  const ValueId conv = build.conv("conv", x, 2);
  Network network = build.build({build.add("out", Binary{BinaryKind::Mul}, {conv, build.add("gate", Elementwise{}, {x})})});
  network.nodes[1].epilogue.activation = {.kind = ActivationKind::Sigmoid};
  EXPECT_THAT(output_names(fused(network)), ::testing::UnorderedElementsAre("conv", "gate", "out"));
}

TEST(Fuse, NormAfterActivationOrPoolStays) {
  NamedNetworkBuilder build;
  const ValueId relu = build.relu("relu", build.conv("conv", build.input("x", image), 2));
  const ValueId norm = build.add("norm", ScaleShift{{2, 3}, {0, 0}}, {relu});
  const ValueId pool = build.add("pool", Pool{}, {norm});
  const Network result = fused(build.build({build.add("last", ScaleShift{{2, 3}, {0, 0}}, {pool})}));
  EXPECT_THAT(output_names(result), ElementsAre("relu", "norm", "pool", "last"));
}

TEST(Fuse, AValueWithAnotherReaderStays) {
  NamedNetworkBuilder build;
  const ValueId conv = build.conv("conv", build.input("x", image), 2);
  const ValueId relu = build.relu("relu", conv);
  const Network result = fused(build.build({build.add("both", Concat{}, {conv, relu})}));
  EXPECT_THAT(output_names(result), ElementsAre("conv", "relu", "both"));
}

TEST(Fuse, AnOutputKeepsItsName) {
  NamedNetworkBuilder build;
  const ValueId conv = build.conv("conv", build.input("x", image), 2);
  const Network result = fused(build.build({conv, build.relu("relu", conv)}));
  EXPECT_THAT(output_names(result), ElementsAre("conv", "relu"));
  EXPECT_EQ(result.nodes[0].epilogue.activation.kind, ActivationKind::None);
}

TEST(Fuse, ResidualGoesToTheLaterConvolutionAndOrderIsKept) {
  // The projection comes after the main branch: the sum is fused into the projection, which then reads the main branch.
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", image);
  const ValueId main = build.conv("main", x, 2);
  const ValueId projection = build.conv("projection", x, 2, 1);
  const Network result = fused(build.build({build.relu("out", build.add("sum", Sum{}, {main, projection}))}));
  ASSERT_THAT(output_names(result), ElementsAre("main", "out"));
  const Node& taker = result.nodes[1];
  EXPECT_TRUE(taker.epilogue.has_residual);
  EXPECT_EQ(std::get<Conv>(taker.op).filter.kernel[1], 1) << "the projection";
  EXPECT_EQ(result.value(taker.inputs.back()).name, "main");
  EXPECT_EQ(taker.epilogue.activation.kind, ActivationKind::Relu);
}

TEST(Fuse, AConvolutionThatWaitsForALaterResidualMovesBehindIt) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", image);
  const ValueId early = build.conv("early", x, 2);
  const ValueId late = build.relu("late", build.add("pool", Pool{}, {x}));
  const Network result = fused(build.build({build.add("sum", Sum{}, {early, late})}));
  ASSERT_THAT(output_names(result), ElementsAre("late", "sum"));
  EXPECT_TRUE(std::holds_alternative<Conv>(result.nodes[1].op));
}

TEST(Fuse, IdentityBlockOfAResidualNetwork) {
  NamedNetworkBuilder build;
  const ValueId x = build.relu("x1", build.conv("x0", build.input("x", image), 2));
  const ValueId a = build.relu("a", build.conv("a0", x, 2));
  const ValueId b = build.conv("b", a, 2);
  const Network result = fused(build.build({build.relu("out", build.add("sum", Sum{}, {b, x}))}));
  ASSERT_THAT(output_names(result), ElementsAre("x1", "a", "out"));
  EXPECT_EQ(result.nodes[2].num_operands(), 1U);
  EXPECT_EQ(result.value(result.nodes[2].inputs.back()).name, "x1");
}

TEST(Fuse, SumsWithoutAResidualStay) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", image);
  const ValueId broadcast = build.add("broadcast", Sum{}, {build.conv("a", x, 2), build.conv("b", x, 1)});
  const ValueId constant = build.add("constant", Sum{}, {build.conv("c", x, 2), build.constant("k", image)});
  const ValueId d = build.conv("d", x, 2);
  const ValueId twice = build.add("twice", Sum{}, {d, d});
  const ValueId active = build.add("active", Sum{}, {build.relu("e", build.conv("e0", x, 2)), x});
  const ValueId three = build.add("three", Sum{}, {build.conv("f", x, 2), x, x});
  const Network result = fused(build.build({broadcast, constant, twice, active, three}));
  for (const char* name : {"broadcast", "constant", "twice", "active", "three"})
    EXPECT_TRUE(std::holds_alternative<Sum>(node_making(result, name).op)) << name;
}

TEST(Fuse, ActivationGoesIntoAnyOperatorButConcatAndReshape) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", image);
  const ValueId pool = build.relu("pool", build.add("pool0", Pool{}, {x}));
  const ValueId sum = build.relu("sum", build.add("sum0", Sum{}, {pool, x}));
  const ValueId norm = build.relu("norm", build.add("norm0", ScaleShift{{1, 1}, {0, 0}}, {sum}));
  const ValueId joined = build.relu("joined", build.add("joined0", Concat{}, {norm, x}));
  const ValueId flat = build.add_as("flat0", {.extents = {{1, 64, 1, 1, 1}}, .ndims = 2}, Reshape{}, {joined});
  const Network result = fused(build.build({build.relu("flat", flat)}));
  EXPECT_THAT(output_names(result), ElementsAre("pool", "sum", "norm", "joined0", "joined", "flat0", "flat"));
}

TEST(Fuse, ASecondActivationStaysOnItsOwn) {
  NamedNetworkBuilder build;
  const ValueId relu = build.relu("relu", build.conv("conv", build.input("x", image), 2));
  const Activation clip{.kind = ActivationKind::Clip, .alpha = 1, .beta = 6};
  const Network result = fused(build.build({build.add("clip", Elementwise{}, {relu}, {.activation = clip})}));
  ASSERT_THAT(output_names(result), ElementsAre("relu", "clip"));
  EXPECT_EQ(result.nodes[1].epilogue.activation, clip);
}

TEST(Fuse, CopiesDisappear) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", image);
  const ValueId copy = build.add("copy", Elementwise{}, {x});
  const ValueId conv = build.conv("conv", copy, 2);
  const ValueId again = build.add("again", Elementwise{}, {conv});
  const ValueId sum = build.add("sum", Sum{}, {conv, again, copy});
  const Network result = fused(build.build({build.add("out", Elementwise{}, {sum})}));
  ASSERT_THAT(output_names(result), ElementsAre("conv", "out"));
  EXPECT_EQ(result.nodes[0].inputs, std::vector<ValueId>{x});
  EXPECT_EQ(result.nodes[1].inputs, (std::vector<ValueId>{conv, conv, x}));
}

TEST(Fuse, ACopyToAnOutputRenamesItsSource) {
  NamedNetworkBuilder build;
  const ValueId joined = build.add("joined", Concat{}, {build.input("x", image)});
  const ValueId pool = build.add("pool", Pool{}, {joined});
  const ValueId out = build.add("out", Elementwise{}, {joined});
  const Network result = fused(build.build({out, pool}));
  ASSERT_THAT(output_names(result), ElementsAre("out", "pool"));
  EXPECT_EQ(result.nodes[1].inputs, std::vector<ValueId>{out});
}

TEST(Fuse, ACopyBetweenNamesOfTheUserStays) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", image);
  const ValueId conv = build.conv("conv", x, 2);
  const ValueId from_input = build.add("from_input", Elementwise{}, {x});
  const ValueId from_output = build.add("from_output", Elementwise{}, {conv});
  const Network result = fused(build.build({conv, from_input, from_output}));
  EXPECT_THAT(output_names(result), ElementsAre("conv", "from_input", "from_output"));
}

TEST(Fuse, UnusedNodesDisappear) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", image);
  const ValueId conv = build.conv("conv", x, 2);
  build.relu("unused", build.conv("unused0", conv, 2));
  const Network result = fused(build.build({build.relu("relu", conv)}));
  EXPECT_THAT(output_names(result), ElementsAre("relu")) << "the unused reader does not prevent fusion";
}

/// A random network of 1x1 convolutions, norms, activations, copies, sums and concatenations of 2-channel values.
Network random_network(std::mt19937& random) {
  NamedNetworkBuilder build;
  std::vector<ValueId> values{build.input("x", image)};
  const auto any = [&] { return values[std::uniform_int_distribution<std::size_t>(0, values.size() - 1)(random)]; };
  const int nodes = std::uniform_int_distribution<int>(1, 14)(random);
  for (int k = 0; k < nodes; ++k) {
    const std::string name = concat("v", k);
    const auto coefficient = [&] { return static_cast<float>(std::uniform_int_distribution<int>(1, 3)(random)); };
    switch (std::uniform_int_distribution<int>(0, 4)(random)) {
      case 0:
        values.push_back(build.conv(name, any(), 2, 1));
        break;
      case 1:
        values.push_back(build.add(name, ScaleShift{{coefficient(), coefficient()}, {coefficient(), 0}}, {any()}));
        break;
      case 2:
        values.push_back(build.relu(name, any()));
        break;
      case 3:
        values.push_back(build.add(name, Elementwise{}, {any()}));
        break;
      default:
        values.push_back(build.add(name, Sum{}, {any(), any()}));
    }
  }
  std::vector<ValueId> outputs{values.back()};
  if (values.size() > 3 && outputs[0] != values[2]) outputs.push_back(values[2]);
  return build.build(outputs);
}

using Pixel = std::array<double, 2>;

/// The result of a node for one pixel, with a fixed filter that mixes channels and produces negative values, so that order
/// matters.
Pixel evaluate(const Node& node, const std::vector<Pixel>& in) {
  Pixel out = in.front();
  if (const auto* conv = std::get_if<Conv>(&node.op)) {
    const auto scale = [&](std::size_t c) { return conv->filter.scale ? static_cast<double>((*conv->filter.scale)[c]) : 1.0; };
    out = {scale(0) * (in[0][1] - 2 * in[0][0]), scale(1) * (in[0][0] - 3 * in[0][1])};
  }
  if (const auto* norm = std::get_if<ScaleShift>(&node.op))
    for (std::size_t c = 0; c < 2; ++c)
      out[c] = out[c] * static_cast<double>(norm->scale[c]) + static_cast<double>(norm->shift[c]);
  if (std::holds_alternative<Sum>(node.op))
    for (std::size_t k = 1; k < node.num_operands(); ++k)
      for (std::size_t c = 0; c < 2; ++c) out[c] += in[k][c];
  for (std::size_t c = 0; c < 2; ++c) {
    if (!node.epilogue.bias.empty()) out[c] += static_cast<double>(node.epilogue.bias[c]);
    if (node.epilogue.has_residual) out[c] += in.back()[c];
    if (node.epilogue.activation.kind == ActivationKind::Relu) out[c] = std::max(out[c], 0.0);
  }
  return out;
}

std::vector<Pixel> outputs_of(const Network& network) {
  std::vector<Pixel> values(network.values.size());
  values[static_cast<std::size_t>(network.inputs[0])] = {3, -2};
  for (const Node& node : network.nodes) {
    std::vector<Pixel> in;
    for (ValueId id : node.inputs) in.push_back(values[static_cast<std::size_t>(id)]);
    values[static_cast<std::size_t>(node.output)] = evaluate(node, in);
  }
  std::vector<Pixel> outputs;
  for (ValueId id : network.outputs) outputs.push_back(values[static_cast<std::size_t>(id)]);
  return outputs;
}

TEST(Fuse, KeepsResultsOfRandomNetworks) {
  std::mt19937 random(9);
  std::size_t nodes_before = 0;
  std::size_t nodes_after = 0;
  int residuals = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const Network network = random_network(random);
    const Network result = fused(network);
    ASSERT_EQ(outputs_of(result), outputs_of(network)) << "trial " << trial;
    ASSERT_EQ(result.outputs, network.outputs);
    nodes_before += network.nodes.size();
    nodes_after += result.nodes.size();
    for (const Node& node : result.nodes) residuals += node.epilogue.has_residual ? 1 : 0;
  }
  EXPECT_LT(2 * nodes_after, nodes_before);
  EXPECT_GT(residuals, 100);
}

}  // namespace
}  // namespace parconv
