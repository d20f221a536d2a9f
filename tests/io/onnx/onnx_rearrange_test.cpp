// SPDX-License-Identifier: Apache-2.0
// Lowering of chains of Reshape, Transpose and similar operators.
#include "io/onnx/onnx_test.hpp"
#include "parconv/io/constants.hpp"

namespace parconv::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Ints = std::vector<index_t>;

/// One operator of a chain: a Reshape to dimensions or a Transpose by a permutation.
struct Step {
  std::string op_type;
  Ints numbers;
};

/// Appends the operators; returns the name of the last output.
std::string add_steps(OnnxWriter& model, std::string x, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    OnnxNode node{.op_type = step.op_type, .inputs = {x}};
    if (step.op_type == "Transpose") {
      node.attributes = {{"perm", step.numbers}};
    } else {
      const std::string shape = x + "_shape";
      model.add_initializer(shape, int64_tensor({std::ssize(step.numbers)}, step.numbers));
      node.inputs.push_back(shape);
    }
    x = model.add_node(node);
  }
  return x;
}

OnnxWriter model_of(std::vector<OnnxDim> input, const std::vector<Step>& steps) {
  OnnxWriter model;
  model.add_input("x", std::move(input));
  model.add_output(add_steps(model, "x", steps));
  return model;
}

OneNode one_node(const std::string& op_type, std::vector<OnnxDim> input, std::vector<OnnxAttribute> attributes = {},
                 index_t opset = 13) {
  return {.input = std::move(input), .node = {.op_type = op_type, .attributes = std::move(attributes)}, .opset = opset};
}

OneNode with_axes(const std::string& op_type, std::vector<OnnxDim> input, const Ints& axes) {
  return {.input = std::move(input), .node = {.op_type = op_type, .inputs = {"x", "axes"}}, .prepare = [=](OnnxWriter& model) {
            model.add_initializer("axes", int64_tensor({std::ssize(axes)}, axes));
          }};
}

/// The single node, a Rearrange.
Rearrange only_move(const Network& network) {
  EXPECT_EQ(network.nodes.size(), 1U);
  return last_op<Rearrange>(network);
}

TEST(OnnxRearrange, TransposesByAnyOrder) {
  EXPECT_EQ(only_move(read(one_node("Transpose", {2, 3, 4, 5}, {{"perm", Ints{0, 2, 3, 1}}}).writer())),
            (Rearrange{{2, 3, 4, 5}, {0, 2, 3, 1}, {2, 4, 5, 3}}));
  EXPECT_EQ(only_move(read(one_node("Transpose", {2, 3, 4}).writer())), (Rearrange{{2, 3, 4}, {2, 1, 0}, {4, 3, 2}}));
  const Network copy = read(one_node("Transpose", {2, 3, 4}, {{"perm", Ints{0, 1, 2}}}).writer());
  EXPECT_TRUE(std::holds_alternative<Elementwise>(copy.nodes.back().op));
}

TEST(OnnxRearrange, BlocksOfPixels) {
  const std::vector<OnnxAttribute> two{{"blocksize", index_t{2}}};
  EXPECT_EQ(only_move(read(one_node("DepthToSpace", {3, 20, 6, 7}, two).writer())),
            (Rearrange{{3, 2, 2, 5, 6, 7}, {0, 3, 4, 1, 5, 2}, {3, 5, 12, 14}}));
  EXPECT_EQ(only_move(read(
                one_node("DepthToSpace", {3, 20, 6, 7}, {{"blocksize", index_t{2}}, {"mode", std::string("CRD")}}).writer())),
            (Rearrange{{3, 5, 2, 2, 6, 7}, {0, 1, 4, 2, 5, 3}, {3, 5, 12, 14}}));
  EXPECT_EQ(only_move(read(one_node("SpaceToDepth", {3, 5, 6, 8}, two).writer())),
            (Rearrange{{3, 5, 3, 2, 4, 2}, {0, 3, 5, 1, 2, 4}, {3, 20, 3, 4}}));
}

TEST(OnnxRearrange, PixelShuffleInThreeNodesIsOneMove) {
  const auto network =
      read(model_of({"N", 20, 6, 7},
                    {{"Reshape", {-1, 5, 2, 2, 6, 7}}, {"Transpose", {0, 1, 4, 2, 5, 3}}, {"Reshape", {-1, 5, 12, 14}}}),
           {.batch = 3});
  EXPECT_EQ(only_move(network), (Rearrange{{3, 5, 2, 2, 6, 7}, {0, 1, 4, 2, 5, 3}, {3, 5, 12, 14}}));
  const auto one =
      read(one_node("DepthToSpace", {"N", 20, 6, 7}, {{"blocksize", index_t{2}}, {"mode", std::string("CRD")}}).writer(),
           {.batch = 3});
  EXPECT_EQ(only_move(network), only_move(one));
}

TEST(OnnxRearrange, ChannelShuffleIsOneMove) {
  const auto network =
      read(model_of({2, 12, 4, 5}, {{"Reshape", {2, 3, 4, 4, 5}}, {"Transpose", {0, 2, 1, 3, 4}}, {"Reshape", {2, 12, 4, 5}}}));
  EXPECT_EQ(only_move(network), (Rearrange{{2, 3, 4, 4, 5}, {0, 2, 1, 3, 4}, {2, 12, 4, 5}}));
}

TEST(OnnxRearrange, MergedPatchesAreOneMove) {
  // Tokens (n, h * w, c) as an image whose 2 x 2 blocks become one token, with six intermediate dimensions.
  const auto network = read(model_of(
      {2, 24, 3},
      {{"Reshape", {2, 4, 6, 3}}, {"Reshape", {2, 2, 2, 3, 2, 3}}, {"Transpose", {0, 1, 3, 2, 4, 5}}, {"Reshape", {2, 6, 12}}}));
  EXPECT_EQ(output_dims(network), (Ints{2, 6, 12}));
  EXPECT_EQ(only_move(network), (Rearrange{{2, 2, 2, 3, 2, 3}, {0, 1, 3, 2, 4, 5}, {2, 6, 12}}));
}

TEST(OnnxRearrange, InverseTransposesAreACopy) {
  const auto network = read(
      model_of({2, 12, 4, 5},
               {{"Transpose", {0, 2, 3, 1}}, {"Reshape", {2, 20, 12}}, {"Reshape", {0, 4, 5, 12}}, {"Transpose", {0, 3, 1, 2}}}));
  ASSERT_EQ(network.nodes.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Elementwise>(network.nodes[0].op));
}

TEST(OnnxRearrange, UnreadChainsAddNoNode) {
  OnnxWriter model;
  model.add_input("x", {2, 12, 4, 5});
  const std::string middle = add_steps(model, "x", {{"Reshape", {2, 3, 4, 20}}, {"Transpose", {0, 2, 1, 3}}});
  const std::string last = add_steps(model, middle, {{"Reshape", {2, 12, 20}}});
  model.add_output(model.add_node({.op_type = "Relu", .inputs = {middle}}));
  model.add_output(last);
  const Network network = read(model);
  ASSERT_EQ(network.nodes.size(), 3U) << "the middle, its Relu, the end";
  EXPECT_EQ(std::get<Rearrange>(network.nodes[0].op).dims, (Ints{2, 4, 3, 20}));
  EXPECT_EQ(std::get<Rearrange>(network.nodes[2].op).dims, (Ints{2, 12, 20}));
  EXPECT_EQ(network.nodes[2].inputs, network.inputs) << "the end is made of the beginning";
}

TEST(OnnxRearrange, DimensionsWithoutCommonFactorsAreAReshape) {
  const auto network = read(model_of({2, 4, 6}, {{"Reshape", {2, 3, 8}}}));
  EXPECT_TRUE(std::holds_alternative<Reshape>(network.nodes.back().op));
  EXPECT_EQ(output_dims(network), (Ints{2, 3, 8}));
}

TEST(OnnxRearrange, UnalignedTransposedFactorsTakeTwoMoves) {
  const auto network = read(model_of({2, 4, 6}, {{"Reshape", {2, 3, 8}}, {"Transpose", {0, 2, 1}}}));
  ASSERT_EQ(network.nodes.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Reshape>(network.nodes[0].op));
  EXPECT_EQ(network.value(network.nodes[0].output).extents[Axis::N], 2) << "samples stay apart";
  EXPECT_EQ(last_op<Rearrange>(network), (Rearrange{{2, 3, 8}, {0, 2, 1}, {2, 8, 3}}));
}

TEST(OnnxRearrange, AReshapeAcrossTransposedDimensionsStartsANewChain) {
  const auto network = read(model_of({2, 3, 4}, {{"Transpose", {0, 2, 1}}, {"Reshape", {2, 3, 4}}}));
  ASSERT_EQ(network.nodes.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Rearrange>(network.nodes[0].op));
  EXPECT_TRUE(std::holds_alternative<Reshape>(network.nodes[1].op));
  // The same with six intermediate dimensions.
  const auto longer = read(
      model_of({2, 4, 9, 8}, {{"Reshape", {2, 2, 2, 9, 4, 2}}, {"Transpose", {0, 5, 3, 1, 4, 2}}, {"Reshape", {2, 9, 8, 4}}}));
  EXPECT_EQ(longer.nodes.size(), 2U);
  EXPECT_EQ(output_dims(longer), (Ints{2, 9, 8, 4}));
}

TEST(OnnxRearrange, DroppedAndNewAxes) {
  struct Row {
    const char* name;
    OneNode model;
    Ints expected;
  };
  const std::vector<Row> rows{
      {"squeeze all", one_node("Squeeze", {2, 1, 4, 1}), {2, 4}},
      {"squeeze an input", with_axes("Squeeze", {2, 1, 4, 1}, {-1}), {2, 1, 4}},
      {"squeeze two", with_axes("Squeeze", {2, 1, 4, 1}, {3, 1}), {2, 4}},
      {"squeeze an attribute", one_node("Squeeze", {2, 1, 4, 1}, {{"axes", Ints{1}}}, 11), {2, 4, 1}},
      {"squeeze a signal", with_axes("Squeeze", {2, 3, 1, 5}, {2}), {2, 3, 5}},
      {"unsqueeze an input", with_axes("Unsqueeze", {2, 3}, {-1, 1}), {2, 1, 3, 1}},
      {"unsqueeze an attribute", one_node("Unsqueeze", {2, 3}, {{"axes", Ints{0}}}, 11), {1, 2, 3}},
      {"unsqueeze to five", with_axes("Unsqueeze", {2, 3, 4, 5}, {2}), {2, 3, 1, 4, 5}},
  };
  for (const Row& row : rows) EXPECT_EQ(output_dims(read(row.model.writer())), row.expected) << row.name;
}

TEST(OnnxRearrange, OnlyTheProductReadsBeforeTheFlatten) {
  OnnxWriter model;
  model.add_input("x", {2, 3, 4, 5});
  model.add_initializer("w", float_tensor({60, 2}, std::vector<float>(120, 1.0F)));
  const std::string flat = add_steps(model, "x", {{"Reshape", {2, 3, 20}}, {"Reshape", {2, 60}}});
  model.add_output(model.add_node({.op_type = "Gemm", .inputs = {flat, "w"}}));
  EXPECT_EQ(read(model).nodes.size(), 1U) << "the filter covers the image";

  OnnxWriter moved;
  moved.add_input("x", {2, 3, 4, 5});
  moved.add_initializer("w", float_tensor({60, 2}, std::vector<float>(120, 1.0F)));
  const std::string other = add_steps(moved, "x", {{"Transpose", {0, 2, 3, 1}}, {"Reshape", {2, 60}}});
  moved.add_output(moved.add_node({.op_type = "Gemm", .inputs = {other, "w"}}));
  const Network network = read(moved);
  ASSERT_EQ(network.nodes.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Rearrange>(network.nodes[0].op));
}

TEST(OnnxRearrange, ConstantsAreMovedWhenTheyAreRead) {
  const auto network = read(OneNode{
      .input = {1, 3, 2}, .node = {.op_type = "Add", .inputs = {"x", "moved"}}, .prepare = [](OnnxWriter& model) {
        model.add_initializer("c", float_tensor({2, 3}, {1, 2, 3, 4, 5, 6}));
        model.add_node({.op_type = "Transpose", .inputs = {"c"}, .outputs = {"moved"}});
      }}.writer());
  const Value& constant = network.value(network.nodes.back().inputs[1]);
  EXPECT_EQ(constant.extents, (Extents{{1, 3, 1, 2, 1}}));
  EXPECT_THAT(read_constant(constant.constant), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(OnnxRearrange, SixDimensionsCannotBeOperands) {
  OnnxWriter model;
  model.add_input("x", {2, 12, 4, 6});
  const std::string six = add_steps(model, "x", {{"Reshape", {2, 3, 4, 2, 2, 6}}});
  model.add_output(model.add_node({.op_type = "Relu", .inputs = {six}, .outputs = {"y"}, .name = "it"}));
  EXPECT_THAT(read_error(model), HasSubstr("65: node 'it' (Relu): reads 'Reshape_1' of 6 dimensions [2, 3, 4, 2, 2, 6]"));
  EXPECT_THAT(read_error(model_of({2, 12, 4, 6}, {{"Reshape", {2, 3, 4, 2, 2, 6}}})), HasSubstr("has 6 dimensions"));
  EXPECT_THAT(read_error(one_node("Squeeze", {1, 1}).writer()), HasSubstr("has 0 dimensions"));
}

TEST(OnnxRearrange, RejectsImpossibleShapes) {
  const auto refusal = [](const OneNode& model) { return read_error(model.writer()); };
  const OnnxAttribute two{"blocksize", index_t{2}};
  EXPECT_THAT(refusal(one_node("Transpose", {2, 3, 4}, {{"perm", Ints{0, 2}}})),
              HasSubstr("65: node 'it' (Transpose): attribute perm is [0, 2]"));
  EXPECT_THAT(refusal(one_node("Transpose", {2, 3, 4}, {{"perm", Ints{0, 2, 2}}})),
              HasSubstr("not a permutation of 3 dimensions"));
  EXPECT_THAT(refusal(one_node("Transpose", {2, 3, 4}, {{"perm", Ints{0, -1, 1}}})),
              HasSubstr("not a permutation of 3 dimensions"));
  EXPECT_THAT(refusal(one_node("DepthToSpace", {1, 8, 4, 4})), HasSubstr("attribute blocksize is 0"));
  EXPECT_THAT(refusal(one_node("DepthToSpace", {1, 6, 4, 4}, {two})), HasSubstr("6 channels are not a multiple of 2 x 2"));
  EXPECT_THAT(refusal(one_node("DepthToSpace", {1, 8, 4}, {two})), HasSubstr("has 3 dimensions, expected 4"));
  EXPECT_THAT(refusal(one_node("DepthToSpace", {1, 8, 4, 4}, {two, {"mode", std::string("RCD")}})), HasSubstr("mode is 'RCD'"));
  EXPECT_THAT(refusal(one_node("SpaceToDepth", {1, 8, 5, 4}, {two})), HasSubstr("5 x 4 pixels are not a multiple"));
  EXPECT_THAT(refusal(with_axes("Squeeze", {2, 1, 4}, {0})), HasSubstr("cannot drop axis 0 of [2, 1, 4]"));
  EXPECT_THAT(refusal(with_axes("Squeeze", {2, 1, 4}, {3})), HasSubstr("axis is 3"));
  EXPECT_THAT(refusal(with_axes("Unsqueeze", {2, 3}, {1, -3})), HasSubstr("names axis -3 twice"));
  EXPECT_THAT(refusal(one_node("Unsqueeze", {2, 3})), HasSubstr("has no axes"));
}

}  // namespace
}  // namespace parconv::test
