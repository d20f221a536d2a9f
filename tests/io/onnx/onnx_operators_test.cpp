// SPDX-License-Identifier: Apache-2.0
// Lowering of ONNX operators: shapes and attributes, in literal rows.
#include <numeric>

#include "io/onnx/onnx_test.hpp"
#include "parconv/io/constants.hpp"
#include "support/random.hpp"

namespace parconv::test {
namespace {

using Ints = std::vector<index_t>;

std::vector<float> iota(index_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

index_t product(const Ints& dims) { return std::accumulate(dims.begin(), dims.end(), index_t{1}, std::multiplies<>()); }

OneNode conv(std::vector<OnnxDim> input, Ints weights, std::vector<OnnxAttribute> attributes) {
  return {.input = std::move(input),
          .node = {.op_type = "Conv", .inputs = {"x", "w"}, .attributes = std::move(attributes)},
          .prepare = [weights](OnnxWriter& model) { model.add_initializer("w", float_tensor(weights, iota(product(weights)))); }};
}

OneNode simple(const std::string& op_type, std::vector<OnnxDim> input, std::vector<OnnxAttribute> attributes = {},
               index_t opset = 13) {
  return {.input = std::move(input), .node = {.op_type = op_type, .attributes = std::move(attributes)}, .opset = opset};
}

struct ShapeRow {
  const char* name;
  OneNode model;
  Ints expected;
};

TEST(OnnxOperators, ShapesOfWindows) {
  const OnnxAttribute kernel3{"kernel_shape", Ints{3, 3}};
  const std::vector<ShapeRow> rows{
      {"conv 1-D", conv({2, 4, 10}, {6, 4, 3}, {{"pads", Ints{1, 2}}}), {2, 6, 11}},
      {"conv 2-D", conv({2, 3, 8, 9}, {5, 3, 3, 3}, {}), {2, 5, 6, 7}},
      {"conv 3-D", conv({1, 2, 8, 9, 10}, {4, 2, 3, 3, 3}, {{"strides", Ints{2, 1, 3}}}), {1, 4, 3, 7, 3}},
      {"conv dilated", conv({1, 3, 16, 16}, {5, 3, 3, 3}, {{"dilations", Ints{3, 2}}}), {1, 5, 10, 12}},
      {"conv groups", conv({1, 6, 8, 8}, {4, 3, 3, 3}, {{"group", index_t{2}}}), {1, 4, 6, 6}},
      {"conv depthwise", conv({1, 6, 8, 8}, {6, 1, 3, 3}, {{"group", index_t{6}}}), {1, 6, 6, 6}},
      {"conv pads", conv({1, 3, 8, 8}, {2, 3, 3, 3}, {{"pads", Ints{0, 1, 2, 3}}}), {1, 2, 8, 10}},
      {"conv same",
       conv({1, 3, 9, 8}, {2, 3, 4, 3}, {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 3}}}),
       {1, 2, 5, 3}},
      {"conv valid", conv({1, 3, 9, 8}, {2, 3, 4, 3}, {{"auto_pad", std::string("VALID")}}), {1, 2, 6, 6}},
      {"max pool", simple("MaxPool", {1, 3, 7, 9}, {kernel3, {"strides", Ints{2, 2}}}), {1, 3, 3, 4}},
      {"max pool up",
       simple("MaxPool", {1, 3, 8, 9}, {kernel3, {"strides", Ints{2, 2}}, {"ceil_mode", index_t{1}}}),
       {1, 3, 4, 4}},
      {"max pool up, no window beyond the input",
       simple("MaxPool", {1, 1, 3, 3},
              {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{3, 3}}, {"pads", Ints{0, 0, 1, 1}}, {"ceil_mode", index_t{1}}}),
       {1, 1, 1, 1}},
      {"max pool dilated", simple("MaxPool", {1, 3, 8, 9}, {kernel3, {"dilations", Ints{2, 3}}}), {1, 3, 4, 3}},
      {"average pool", simple("AveragePool", {1, 3, 8, 8}, {kernel3, {"pads", Ints{1, 1, 1, 1}}}), {1, 3, 8, 8}},
      {"average pool 1-D", simple("AveragePool", {1, 3, 8}, {{"kernel_shape", Ints{2}}}), {1, 3, 7}},
      {"global average 2-D", simple("GlobalAveragePool", {2, 3, 5, 7}), {2, 3, 1, 1}},
      {"global average 3-D", simple("GlobalAveragePool", {2, 3, 5, 7, 2}), {2, 3, 1, 1, 1}},
      {"flatten", simple("Flatten", {2, 3, 5, 7}), {2, 105}},
      {"flatten 0", simple("Flatten", {2, 3, 5, 7}, {{"axis", index_t{0}}}), {1, 210}},
      {"flatten -1", simple("Flatten", {2, 3, 5, 7}, {{"axis", index_t{-1}}}), {30, 7}},
      {"flatten 4", simple("Flatten", {2, 3, 5, 7}, {{"axis", index_t{4}}}), {210, 1}},
      {"relu of a vector", simple("Relu", {7}), {7}},
  };
  for (const ShapeRow& row : rows) EXPECT_EQ(output_dims(read(row.model.writer())), row.expected) << row.name;
}

TEST(OnnxOperators, ConvWindowAndFilter) {
  const Network network = read(
      conv({1, 4, 9, 10, 11}, {6, 2, 2, 3, 4},
           {{"group", index_t{2}}, {"strides", Ints{1, 2, 3}}, {"dilations", Ints{3, 2, 1}}, {"pads", Ints{1, 2, 3, 4, 5, 6}}})
          .writer());
  const auto& op = last_op<Conv>(network);
  EXPECT_EQ(op.window[Axis::D], (WindowAxis{2, 1, 1, 4, 3}));
  EXPECT_EQ(op.window[Axis::H], (WindowAxis{3, 2, 2, 5, 2}));
  EXPECT_EQ(op.window[Axis::W], (WindowAxis{4, 3, 3, 6, 1}));
  EXPECT_EQ(op.groups, 2);
  EXPECT_EQ(op.filter.oc, 6);
  EXPECT_EQ(op.filter.ic_per_group, 2);
  EXPECT_EQ(op.filter.kernel, (std::array<index_t, 3>{2, 3, 4}));
  EXPECT_EQ(op.filter.strides, (std::array<index_t, 5>{48, 24, 12, 4, 1}));
}

TEST(OnnxOperators, OneDimensionalDataUsesH) {
  const auto network = read(conv({1, 4, 10}, {6, 4, 3}, {{"pads", Ints{1, 2}}}).writer());
  EXPECT_EQ(last_op<Conv>(network).window[Axis::H], (WindowAxis{3, 1, 1, 2, 1}));
  EXPECT_EQ(last_op<Conv>(network).window[Axis::W], WindowAxis{});
}

TEST(OnnxOperators, SamePaddingPutsTheExtraElementLastOrFirst) {
  const auto window = [](const char* mode) {
    return last_op<Conv>(read(conv({1, 3, 8}, {2, 3, 4}, {{"auto_pad", std::string(mode)}}).writer())).window[Axis::H];
  };
  EXPECT_EQ(window("SAME_UPPER"), (WindowAxis{4, 1, 1, 2, 1}));
  EXPECT_EQ(window("SAME_LOWER"), (WindowAxis{4, 1, 2, 1, 1}));
}

TEST(OnnxOperators, RoundingUpKeepsTheCountedPadding) {
  const auto network = read(simple("AveragePool", {1, 3, 9},
                                   {{"kernel_shape", Ints{3}},
                                    {"strides", Ints{3}},
                                    {"pads", Ints{1, 1}},
                                    {"ceil_mode", index_t{1}},
                                    {"count_include_pad", index_t{1}}})
                                .writer());
  const auto& pool = last_op<Pool>(network);
  EXPECT_EQ(output_dims(network),
            (Ints{1, 3, 4}));  // windows at -1, 2, 5, 8: the last covers element 8, counted padding, and one index beyond it
  EXPECT_EQ(pool.kind, PoolKind::Average);
  EXPECT_TRUE(pool.is_padding_counted);
  EXPECT_EQ(pool.window[Axis::H].pad_hi, 2);
  EXPECT_EQ(pool.counted_pad_hi, (std::array<index_t, 3>{0, 1, 0}));
}

TEST(OnnxOperators, GlobalAveragePoolSumsAndDivides) {
  const auto network = read(simple("GlobalAveragePool", {2, 3, 5, 7}).writer());
  ASSERT_EQ(network.nodes.size(), 1U);
  EXPECT_EQ(last_op<Reduction>(network).count, 35);
}

TEST(OnnxOperators, BatchNormalizationIsScaleAndShift) {
  const auto network = read(OneNode{
      .input = {1, 2, 4, 4},
      .node = {.op_type = "BatchNormalization", .inputs = {"x", "g", "b", "m", "v"}, .attributes = {{"epsilon", 1.0F}}},
      .prepare = [](OnnxWriter& model) {
        model.add_initializer("g", float_tensor({2}, {4, 6}));
        model.add_initializer("b", float_tensor({2}, {10, 20}));
        model.add_initializer("m", float_tensor({2}, {1, -2}));
        model.add_initializer("v", float_tensor({2}, {3, 8}));
      }}.writer());
  EXPECT_THAT(last_op<ScaleShift>(network).scale, testing::ElementsAre(2, 2));
  EXPECT_THAT(last_op<ScaleShift>(network).shift, testing::ElementsAre(8, 24));
}

TEST(OnnxOperators, Activations) {
  constexpr float lowest = std::numeric_limits<float>::lowest();
  constexpr float highest = std::numeric_limits<float>::max();
  const auto bounds = [](OnnxWriter& model) {
    model.add_initializer("lo", float_tensor({}, {-1}));
    model.add_initializer("hi", float_tensor({}, {6}));
  };
  const std::vector<std::pair<OneNode, Activation>> rows{
      {simple("Relu", {1, 2, 3}), {ActivationKind::Relu}},
      {simple("LeakyRelu", {1, 2, 3}), {ActivationKind::LeakyRelu, 0.01F}},
      {simple("LeakyRelu", {1, 2, 3}, {{"alpha", 0.5F}}), {ActivationKind::LeakyRelu, 0.5F}},
      {simple("Clip", {1, 2, 3}, {{"min", -1.0F}, {"max", 2.0F}}, 10), {ActivationKind::Clip, -1, 2}},
      {simple("Clip", {1, 2, 3}, {{"max", 2.0F}}, 7), {ActivationKind::Clip, lowest, 2}},
      {simple("Clip", {1, 2, 3}), {ActivationKind::Clip, lowest, highest}},
      {simple("Sigmoid", {1, 2, 3}), {ActivationKind::Sigmoid}},
      {simple("Tanh", {1, 2, 3}), {ActivationKind::Tanh}},
      {simple("Exp", {1, 2, 3}), {ActivationKind::Exp}},
      {simple("Erf", {1, 2, 3}), {ActivationKind::Erf}},
      {simple("Sqrt", {1, 2, 3}), {ActivationKind::Sqrt}},
      {simple("Abs", {1, 2, 3}), {ActivationKind::Abs}},
      {simple("Neg", {1, 2, 3}), {ActivationKind::Neg}},
      {simple("HardSwish", {1, 2, 3}, {}, 14), {ActivationKind::HardSwish}},
      {simple("Softplus", {1, 2, 3}), {ActivationKind::Softplus}},
      {simple("Softsign", {1, 2, 3}), {ActivationKind::Softsign}},
      {simple("Mish", {1, 2, 3}, {}, 18), {ActivationKind::Mish}},
      {simple("Swish", {1, 2, 3}, {}, 24), {ActivationKind::Silu}},
      {simple("Reciprocal", {1, 2, 3}), {ActivationKind::Reciprocal}},
      {simple("Log", {1, 2, 3}), {ActivationKind::Log}},
      {simple("Floor", {1, 2, 3}), {ActivationKind::Floor}},
      {simple("Ceil", {1, 2, 3}), {ActivationKind::Ceil}},
      {simple("Round", {1, 2, 3}), {ActivationKind::Round}},
      {simple("Sign", {1, 2, 3}), {ActivationKind::Sign}},
      {simple("Sin", {1, 2, 3}), {ActivationKind::Sin}},
      {simple("Cos", {1, 2, 3}), {ActivationKind::Cos}},
      {simple("Celu", {1, 2, 3}, {{"alpha", 2.0F}}), {ActivationKind::Celu, 2}},
      {simple("Selu", {1, 2, 3}, {{"alpha", 2.0F}, {"gamma", 3.0F}}), {ActivationKind::Selu, 2, 3}},
      {simple("ThresholdedRelu", {1, 2, 3}), {ActivationKind::ThresholdedRelu, 1}},
      {simple("Elu", {1, 2, 3}), {ActivationKind::Elu, 1}},
      {simple("Elu", {1, 2, 3}, {{"alpha", 0.5F}}), {ActivationKind::Elu, 0.5F}},
      {simple("HardSigmoid", {1, 2, 3}), {ActivationKind::HardSigmoid, 0.2F, 0.5F}},
      {simple("HardSigmoid", {1, 2, 3}, {{"alpha", 0.25F}, {"beta", 1.0F}}), {ActivationKind::HardSigmoid, 0.25F, 1}},
      {simple("Shrink", {1, 2, 3}), {ActivationKind::Shrink, 0.5F, 0}},
      {simple("Shrink", {1, 2, 3}, {{"lambd", 1.5F}, {"bias", 1.0F}}), {ActivationKind::Shrink, 1.5F, 1}},
      {simple("Gelu", {1, 2, 3}, {}, 20), {ActivationKind::Gelu}},
      {simple("Gelu", {1, 2, 3}, {{"approximate", std::string("tanh")}}, 20), {ActivationKind::GeluTanh}},
      {{.node = {.op_type = "Clip", .inputs = {"x", "lo", "hi"}}, .prepare = bounds}, {ActivationKind::Clip, -1, 6}},
      {{.node = {.op_type = "Clip", .inputs = {"x", "", "hi"}}, .prepare = bounds}, {ActivationKind::Clip, lowest, 6}},
  };
  for (const auto& [model, expected] : rows) {
    const Network network = read(model.writer());
    EXPECT_TRUE(std::holds_alternative<Elementwise>(network.nodes.back().op));
    EXPECT_EQ(network.nodes.back().epilogue.activation, expected);
  }
}

OneNode with_constant(const std::string& op_type, const OnnxTensor& constant) {
  return {.input = {2, 3, 4, 5}, .node = {.op_type = op_type, .inputs = {"x", "k"}}, .prepare = [=](OnnxWriter& model) {
            model.add_initializer("k", constant);
          }};
}

TEST(OnnxOperators, BinaryFunctions) {
  const std::vector<std::pair<std::string, BinaryKind>> rows{
      {"Mul", BinaryKind::Mul}, {"Sub", BinaryKind::Sub}, {"Div", BinaryKind::Div},
      {"Max", BinaryKind::Max}, {"Min", BinaryKind::Min}, {"PRelu", BinaryKind::PRelu},
  };
  for (const auto& [op_type, kind] : rows) {
    const Network network = read(with_constant(op_type, float_tensor({3, 1, 1}, {1, 2, 3})).writer());
    EXPECT_EQ(last_op<Binary>(network).kind, kind);
    EXPECT_EQ(network.value(network.nodes.back().inputs[1]).extents, (Extents{{1, 3, 1, 1, 1}}));
    EXPECT_EQ(output_dims(network), (Ints{2, 3, 4, 5}));
  }
}

TEST(OnnxOperators, Comparisons) {
  const std::vector<std::pair<std::string, BinaryKind>> rows{
      {"Equal", BinaryKind::Equal},
      {"Greater", BinaryKind::Greater},
      {"GreaterOrEqual", BinaryKind::GreaterOrEqual},
      {"Less", BinaryKind::Greater},
      {"LessOrEqual", BinaryKind::GreaterOrEqual},
  };
  for (const auto& [op_type, kind] : rows) {
    const Network network = read(with_constant(op_type, float_tensor({3, 1, 1}, {1, 2, 3})).writer());
    EXPECT_EQ(last_op<Binary>(network).kind, kind) << op_type;
    const bool is_swapped = network.nodes.back().inputs[1] == network.inputs.front();
    EXPECT_EQ(is_swapped, op_type.starts_with("Less")) << op_type;
  }
}

TEST(OnnxOperators, WhereCalculatesWithNothing) {
  OneNode where{.input = {2, 3, 4, 5}, .node = {.op_type = "Where", .inputs = {"c", "x", "k"}}, .prepare = [](OnnxWriter& model) {
                  model.add_initializer("k", float_tensor({3, 1, 1}, {1, 2, 3}));
                  model.add_input("c", {2, 1, 4, 5}, OnnxType::Bool);
                }};
  const Network network = read(where.writer());
  ASSERT_EQ(network.nodes.size(), 3U);
  EXPECT_EQ(std::get<Binary>(network.nodes[0].op).kind, BinaryKind::Keep);
  EXPECT_EQ(std::get<Binary>(network.nodes[1].op).kind, BinaryKind::Drop);
  EXPECT_EQ(output_dims(network), (Ints{2, 3, 4, 5}));
}

TEST(OnnxOperators, ArgMaxIsTwoReductions) {
  const auto kept = read(simple("ArgMax", {2, 3, 5, 7}, {{"axis", index_t{-3}}}).writer());
  EXPECT_EQ(output_dims(kept), (Ints{2, 1, 5, 7}));
  EXPECT_EQ(std::get<Reduction>(kept.nodes.front().op).axes, (std::array<bool, num_axes>{false, true, false, false, false}));
  const auto dropped = read(simple("ArgMin", {2, 3, 5, 7}, {{"axis", index_t{3}}, {"keepdims", index_t{0}}}).writer());
  EXPECT_EQ(output_dims(dropped), (Ints{2, 3, 5}));
  EXPECT_THAT(read_error(simple("ArgMax", {1, (1 << 24) + 1}, {{"axis", index_t{1}}}).writer()),
              testing::HasSubstr("up to 2^24"));
}

TEST(OnnxOperators, ReduceMeanOverSpace) {
  const auto kept = read(simple("ReduceMean", {2, 3, 5, 7}, {{"axes", Ints{-1, 2}}}).writer());
  EXPECT_EQ(last_op<Reduction>(kept).count, 35);
  EXPECT_EQ(output_dims(kept), (Ints{2, 3, 1, 1}));
  const auto dropped = read(simple("ReduceMean", {2, 3, 5, 7}, {{"axes", Ints{2, 3}}, {"keepdims", index_t{0}}}).writer());
  EXPECT_EQ(output_dims(dropped), (Ints{2, 3}));
}

OneNode normalization(const std::string& op_type, index_t count, std::vector<OnnxAttribute> attributes, index_t opset) {
  return {.input = {2, 4, 3, 5},
          .node = {.op_type = op_type, .inputs = {"x", "g", "b"}, .attributes = std::move(attributes)},
          .opset = opset,
          .prepare = [count](OnnxWriter& model) {
            model.add_initializer("g", float_tensor({count}, iota(count)));
            model.add_initializer("b", float_tensor({count}, iota(count)));
          }};
}

TEST(OnnxOperators, NormalizationsOfTheData) {
  const auto instances = read(normalization("InstanceNormalization", 4, {}, 13).writer());
  EXPECT_EQ(instances.nodes.size(), 7U) << "two means, difference, square, root, scale, product";
  EXPECT_THAT(instances.nodes.back().epilogue.bias, testing::ElementsAre(0, 1, 2, 3));
  const auto per_group = read(normalization("GroupNormalization", 2, {{"num_groups", index_t{2}}}, 18).writer());
  EXPECT_THAT(per_group.nodes.back().epilogue.bias, testing::ElementsAre(0, 0, 1, 1));
  EXPECT_EQ(per_group.nodes.size(), 9U) << "and two means over the channels of a group";
  const auto per_channel = read(normalization("GroupNormalization", 4, {{"num_groups", index_t{2}}}, 21).writer());
  EXPECT_THAT(per_channel.nodes.back().epilogue.bias, testing::ElementsAre(0, 1, 2, 3));
}

TEST(OnnxOperators, GroupsWrittenWithReshapeAreNormalisedInPlace) {
  OnnxWriter model;
  model.add_input("x", {2, 6, 3, 5});
  model.add_initializer("groups", int64_tensor({3}, {0, 2, -1}));
  model.add_initializer("back", int64_tensor({4}, {2, 6, 3, 5}));
  model.add_initializer("g", float_tensor({2}, {1, 1}));
  model.add_initializer("b", float_tensor({2}, {7, 9}));
  const std::string joined = model.add_node({.op_type = "Reshape", .inputs = {"x", "groups"}});
  const std::string normal = model.add_node({.op_type = "InstanceNormalization", .inputs = {joined, "g", "b"}});
  model.add_output(model.add_node({.op_type = "Reshape", .inputs = {normal, "back"}}));
  const Network network = fuse(read(model));
  for (const Node& node : network.nodes) EXPECT_FALSE(std::holds_alternative<Reshape>(node.op)) << node.name;
  EXPECT_THAT(network.nodes.back().epilogue.bias, testing::ElementsAre(7, 7, 7, 9, 9, 9));
}

TEST(OnnxOperators, ConstantsOfASumAlignRight) {
  const auto network = read(OneNode{
      .input = {2, 3, 4, 5},
      .node = {.op_type = "Sum", .inputs = {"x", "channels", "columns", "one"}},
      .prepare = [](OnnxWriter& model) {
        model.add_initializer("channels", float_tensor({3, 1, 1}, {1, 2, 3}));
        model.add_initializer("columns", float_tensor({5}, iota(5)));
        model.add_initializer("one", float_tensor({}, {7}));
      }}.writer());
  const Node& node = network.nodes.back();
  EXPECT_EQ(network.value(node.inputs[1]).extents, (Extents{{1, 3, 1, 1, 1}}));
  EXPECT_EQ(network.value(node.inputs[2]).extents, (Extents{{1, 1, 1, 1, 5}}));
  EXPECT_EQ(network.value(node.inputs[3]).extents, Extents{});
  EXPECT_THAT(read_constant(network.value(node.inputs[1]).constant), testing::ElementsAre(1, 2, 3));
  EXPECT_EQ(output_dims(network), (Ints{2, 3, 4, 5}));
}

TEST(OnnxOperators, AddAtAnAxisBeforeOperatorSet7) {
  const auto extents = [](std::vector<OnnxAttribute> attributes) {
    const auto network = read(OneNode{
        .input = {2, 3, 4, 4},
        .node = {.op_type = "Add", .inputs = {"x", "c"}, .attributes = std::move(attributes)},
        .opset = 6,
        .prepare = [](OnnxWriter& model) {
          model.add_initializer("c", float_tensor({3, 4}, iota(12)));
        }}.writer());
    return network.value(network.nodes.back().inputs[1]).extents;
  };
  EXPECT_EQ(extents({{"broadcast", index_t{1}}, {"axis", index_t{1}}}), (Extents{{1, 3, 1, 4, 1}}));
}

TEST(OnnxOperators, TrainingIsTheDefaultBeforeOperatorSet7) {
  EXPECT_THAT(read_error(simple("Dropout", {1, 2}, {}, 6).writer()), testing::HasSubstr("attribute is_test is 0"));
  EXPECT_EQ(read_error(simple("Dropout", {1, 2}, {{"is_test", index_t{1}}}, 6).writer()), "no error");
}

TEST(OnnxOperators, SumsBroadcastActivations) {
  OnnxWriter model;
  model.add_input("x", {2, 3, 4, 5});
  model.add_input("s", {2, 3, 1, 1});
  model.add_node({.op_type = "Add", .inputs = {"s", "x"}, .outputs = {"y"}});
  model.add_output("y");
  EXPECT_EQ(output_dims(read(model)), (Ints{2, 3, 4, 5}));
}

TEST(OnnxOperators, ConcatOfChannels) {
  for (const index_t axis : {1, -3}) {
    const auto network = read(simple("Concat", {2, 3, 4, 5}, {{"axis", axis}}).writer());
    EXPECT_EQ(output_dims(network), (Ints{2, 3, 4, 5}));
  }
  OneNode twice = simple("Concat", {2, 3, 4, 5}, {{"axis", index_t{1}}});
  twice.node.inputs = {"x", "x"};
  EXPECT_EQ(output_dims(read(twice.writer())), (Ints{2, 6, 4, 5}));
}

TEST(OnnxOperators, SoftmaxAxes) {
  struct Row {
    index_t opset;
    std::vector<OnnxAttribute> attributes;
    std::vector<OnnxDim> input;
    std::array<bool, num_axes> axes;
  };
  const std::vector<OnnxDim> matrix{2, 3};
  const std::vector<OnnxDim> image{2, 3, 4, 5};
  const std::vector<Row> rows{
      {11, {}, matrix, {false, true, false, false, false}},
      {11, {}, image, {false, true, false, true, true}},
      {11, {{"axis", index_t{2}}}, image, {false, false, false, true, true}},
      {11, {{"axis", index_t{0}}}, matrix, {true, true, false, false, false}},
      {13, {}, image, {false, false, false, false, true}},
      {13, {{"axis", index_t{1}}}, image, {false, true, false, false, false}},
      {13, {{"axis", index_t{-2}}}, image, {false, false, false, true, false}},
      {13, {{"axis", index_t{2}}}, {2, 3, 4}, {false, false, false, true, false}},
      {13, {{"axis", index_t{2}}}, {2, 3, 4, 5, 6}, {false, false, true, false, false}},
  };
  for (const Row& row : rows)
    for (const char* type : {"Softmax", "LogSoftmax"}) {
      const auto network = read(simple(type, row.input, row.attributes, row.opset).writer());
      EXPECT_EQ(last_op<Softmax>(network).axes, row.axes) << type << " at opset " << row.opset;
      EXPECT_EQ(last_op<Softmax>(network).is_logarithm, std::string(type) == "LogSoftmax");
    }
}

OneNode reshape(std::vector<OnnxDim> input, const Ints& target) {
  return {.input = std::move(input),
          .node = {.op_type = "Reshape", .inputs = {"x", "shape"}},
          .prepare = [target](OnnxWriter& model) {
            model.add_initializer("shape", int64_tensor({static_cast<index_t>(target.size())}, target));
          }};
}

TEST(OnnxOperators, ReshapeTargets) {
  EXPECT_EQ(output_dims(read(reshape({2, 12, 4, 5}, {2, 3, 4, -1}).writer())), (Ints{2, 3, 4, 20}));
  EXPECT_EQ(output_dims(read(reshape({2, 12, 4, 5}, {0, 0, -1}).writer())), (Ints{2, 12, 20}));
  EXPECT_EQ(output_dims(read(reshape({2, 12, 4, 5}, {-1, 60}).writer())), (Ints{8, 60}));
  EXPECT_EQ(output_dims(read(reshape({2, 12, 4, 5}, {480}).writer())), (Ints{480}));
}

TEST(OnnxOperators, ReshapeToTheModelsBatchUsesTheDatas) {
  const ReadOptions options{.inputs = {{.dims = {7, 12, 4, 5}}}};
  EXPECT_EQ(output_dims(read(reshape({1, 12, 4, 5}, {1, 240}).writer(), options)), (Ints{7, 240}));
  EXPECT_EQ(output_dims(read(reshape({2, 12, 4, 5}, {2, 3, -1}).writer(), options)), (Ints{7, 3, 80}));
  EXPECT_THAT(read_error(reshape({2, 12, 4, 5}, {3, 160}).writer(), options), testing::StartsWith("65: node 'it' (Reshape)"));
}

TEST(OnnxOperators, IdentityAndDropoutCopy) {
  for (const char* type : {"Identity", "Dropout"}) {
    const auto network = read(simple(type, {2, 3, 4, 5}).writer());
    EXPECT_TRUE(std::holds_alternative<Elementwise>(network.nodes.back().op)) << type;
    EXPECT_EQ(output_of(network).name, "y");
  }
}

TEST(OnnxOperators, ConstantsOfEveryForm) {
  const std::vector<std::pair<OnnxAttribute, std::vector<float>>> rows{
      {{"value", float_tensor({5}, {1, 2, 3, 4, 5})}, {1, 2, 3, 4, 5}},
      {{"value_float", 2.5F}, {2.5F}},
      {{"value_floats", std::vector<float>{1, 2, 3, 4, 5}}, {1, 2, 3, 4, 5}},
      {{"value_int", index_t{7}}, {7}},
      {{"value_ints", Ints{1, 2, 3, 4, 5}}, {1, 2, 3, 4, 5}},
  };
  for (const auto& [attribute, expected] : rows) {
    const auto network = read(OneNode{
        .input = {2, 3, 4, 5}, .node = {.op_type = "Add", .inputs = {"x", "c"}}, .prepare = [&](OnnxWriter& model) {
          model.add_node({.op_type = "Constant", .attributes = {attribute}, .outputs = {"c"}});
        }}.writer());
    ASSERT_EQ(network.nodes.size(), 1U);
    EXPECT_EQ(read_constant(network.value(network.nodes[0].inputs[1]).constant), expected) << attribute.name;
  }
}

TEST(OnnxOperators, ConstantOfShapeIsAFill) {
  const auto network = read(OneNode{
      .input = {2, 3, 4, 5}, .node = {.op_type = "Add", .inputs = {"x", "c"}}, .prepare = [](OnnxWriter& model) {
        model.add_initializer("shape", int64_tensor({3}, {3, 4, 5}));
        model.add_node({.op_type = "ConstantOfShape",
                        .inputs = {"shape"},
                        .attributes = {{"value", float_tensor({1}, {1.5F})}},
                        .outputs = {"c"}});
      }}.writer());
  const ConstantData& data = network.value(network.nodes[0].inputs[1]).constant;
  EXPECT_TRUE(data.is_fill);
  EXPECT_THAT(read_constant(data), testing::AllOf(testing::SizeIs(60), testing::Each(1.5F)));
}

OneNode gemm(std::vector<OnnxDim> input, const Ints& weights, std::vector<OnnxAttribute> attributes,
             std::optional<OnnxTensor> bias = {}) {
  OneNode model{.input = std::move(input),
                .node = {.op_type = "Gemm", .inputs = {"x", "w"}, .attributes = std::move(attributes)}};
  if (bias) model.node.inputs.push_back("b");
  model.prepare = [weights, bias](OnnxWriter& writer) {
    writer.add_initializer("w", float_tensor(weights, iota(product(weights))));
    if (bias) writer.add_initializer("b", *bias);
  };
  return model;
}

TEST(OnnxOperators, GemmIsAConvolution) {
  const auto network = read(gemm({2, 3}, {3, 4}, {{"alpha", 2.0F}}).writer());
  const auto& op = last_op<Conv>(network);
  EXPECT_EQ(output_dims(network), (Ints{2, 4}));
  EXPECT_EQ(op.filter.oc, 4);
  EXPECT_EQ(op.filter.ic_per_group, 3);
  // Filters are the columns of w = {0 1 2 3, 4 5 6 7, 8 9 10 11}, doubled by alpha.
  EXPECT_THAT(make_filter_reader()(op.filter, {.oc = {1, 3}, .ic = {0, 3}, .kernel = {{{0, 1}, {0, 1}, {0, 1}}}}),
              testing::ElementsAre(2, 10, 18, 4, 12, 20));
}

TEST(OnnxOperators, GemmBiases) {
  const std::vector<std::pair<OnnxTensor, std::vector<float>>> rows{
      {float_tensor({}, {3}), {6, 6, 6, 6}},
      {float_tensor({1}, {3}), {6, 6, 6, 6}},
      {float_tensor({4}, {1, 2, 3, 4}), {2, 4, 6, 8}},
      {float_tensor({1, 4}, {1, 2, 3, 4}), {2, 4, 6, 8}},
  };
  for (const auto& [bias, expected] : rows) {
    const auto network = read(gemm({2, 3}, {3, 4}, {{"beta", 2.0F}}, bias).writer());
    EXPECT_EQ(network.nodes.back().epilogue.bias, expected);
  }
  const auto network =
      read(gemm({2, 3}, {4, 3}, {{"transB", index_t{1}}, {"beta", 2.0F}}, float_tensor({2, 4}, iota(8))).writer());
  ASSERT_TRUE(std::holds_alternative<Sum>(network.nodes.back().op));
  EXPECT_THAT(read_constant(network.value(network.nodes.back().inputs[1]).constant),
              testing::ElementsAre(0, 2, 4, 6, 8, 10, 12, 14));
}

/// Flatten (or an equivalent Reshape), optionally a Dropout, and a Gemm.
OnnxWriter flattened_gemm(const std::string& flatten, bool is_transposed, bool has_dropout) {
  OnnxWriter model;
  model.add_input("x", {"N", 2, 3, 4});
  model.add_initializer("shape", int64_tensor({2}, {0, -1}));
  model.add_initializer("w", float_tensor(is_transposed ? Ints{5, 24} : Ints{24, 5}, iota(120)));
  std::string x =
      model.add_node({.op_type = flatten,
                      .inputs = flatten == "Flatten" ? std::vector<std::string>{"x"} : std::vector<std::string>{"x", "shape"}});
  if (has_dropout) x = model.add_node({.op_type = "Dropout", .inputs = {x}});
  model.add_node({.op_type = "Gemm", .inputs = {x, "w"}, .attributes = {{"transB", index_t{is_transposed}}}, .outputs = {"y"}});
  model.add_output("y");
  return model;
}

TEST(OnnxOperators, GemmAfterFlattenReadsTheImage) {
  for (const char* flatten : {"Flatten", "Reshape"})
    for (const bool is_transposed : {false, true})
      for (const bool has_dropout : {false, true}) {
        const auto network = read(flattened_gemm(flatten, is_transposed, has_dropout), {.batch = 6});
        ASSERT_EQ(network.nodes.size(), 1U);
        EXPECT_EQ(output_dims(network), (Ints{6, 5}));
        const auto& op = last_op<Conv>(network);
        EXPECT_EQ(op.filter.kernel, (std::array<index_t, 3>{1, 3, 4}));
        // Filter 3 at channel 1, row 2, columns 1 and 2: elements 12 + 8 + 1 = 21 and 22 of the sample.
        const std::vector<float> expected =
            is_transposed ? std::vector<float>{3 * 24 + 21, 3 * 24 + 22} : std::vector<float>{21 * 5 + 3, 22 * 5 + 3};
        EXPECT_EQ(make_filter_reader()(op.filter, {.oc = {3, 4}, .ic = {1, 2}, .kernel = {{{0, 1}, {2, 3}, {1, 3}}}}), expected);
      }
}

TEST(OnnxOperators, AFlattenWithOtherReadersIsMaterialised) {
  OnnxWriter model = flattened_gemm("Flatten", false, false);
  model.add_node({.op_type = "Relu", .inputs = {"Flatten_1"}, .outputs = {"z"}});
  model.add_output("z");
  const auto network = read(model);
  EXPECT_EQ(network.nodes.size(), 3U);
  EXPECT_EQ(network.value(network.outputs[1]).extents, (Extents{{1, 24, 1, 1, 1}}));
}

}  // namespace
}  // namespace parconv::test
