// SPDX-License-Identifier: Apache-2.0
// Lowering of Concat, Split, Gather, Expand and Tile, of reductions, products and functions of several inputs.
#include <algorithm>

#include "io/onnx/onnx_test.hpp"
#include "parconv/io/constants.hpp"

namespace parconv::test {
namespace {

using Ints = std::vector<index_t>;

OneNode node_of(const std::string& op_type, std::vector<OnnxDim> input, std::vector<OnnxAttribute> attributes, index_t opset,
                std::vector<Ints> lists = {}) {
  OneNode model{.input = std::move(input),
                .node = {.op_type = op_type, .inputs = {"x"}, .attributes = std::move(attributes)},
                .opset = opset};
  for (std::size_t k = 0; k < lists.size(); ++k) model.node.inputs.push_back(concat("list", k));
  model.prepare = [lists](OnnxWriter& writer) {
    for (std::size_t k = 0; k < lists.size(); ++k)
      writer.add_initializer(concat("list", k), int64_tensor({std::ssize(lists[k])}, lists[k]));
  };
  return model;
}

const std::vector<OnnxDim> image{2, 3, 4, 6};

template <class Op>
index_t count_of_op(const Network& network) {
  return std::count_if(network.nodes.begin(), network.nodes.end(),
                       [](const Node& node) { return std::holds_alternative<Op>(node.op); });
}

TEST(OnnxParts, ConcatAlongAnyAxis) {
  const std::vector<std::pair<index_t, Ints>> rows{{0, {4, 3, 4, 6}}, {1, {2, 6, 4, 6}}, {2, {2, 3, 8, 6}}, {-1, {2, 3, 4, 12}}};
  for (const auto& [axis, dims] : rows) {
    OneNode model = node_of("Concat", image, {{"axis", axis}}, 13);
    model.node.inputs = {"x", "x"};
    EXPECT_EQ(output_dims(read(model.writer())), dims) << "axis " << axis;
  }
  OneNode signal = node_of("Concat", {2, 3, 4}, {{"axis", index_t{2}}}, 13);
  signal.node.inputs = {"x", "x"};
  EXPECT_EQ(last_op<Concat>(read(signal.writer())).axis, Axis::H);
}

TEST(OnnxParts, SplitInEveryOperatorSet) {
  const auto parts = [](OneNode model, std::size_t outputs) {
    model.node.outputs = {"y", "z", "last"};
    model.node.outputs.resize(outputs);
    OnnxWriter writer = model.writer();
    for (std::size_t k = 1; k < outputs; ++k) writer.add_output(model.node.outputs[k]);
    const Network network = read(writer);
    std::vector<index_t> starts_and_sizes;
    for (const Node& node : network.nodes) {
      const ResampledAxis& axis = std::get<Resample>(node.op)[Axis::W];
      starts_and_sizes.insert(starts_and_sizes.end(), {std::get<TakeAxis>(axis.method).start, axis.size});
    }
    return starts_and_sizes;
  };
  const OnnxAttribute columns{"axis", index_t{3}};
  EXPECT_EQ(parts(node_of("Split", image, {columns}, 11), 3), (Ints{0, 2, 2, 2, 4, 2}));
  EXPECT_EQ(parts(node_of("Split", image, {columns, {"split", Ints{1, 5}}}, 11), 2), (Ints{0, 1, 1, 5}));
  EXPECT_EQ(parts(node_of("Split", image, {columns}, 13, {{4, 2}}), 2), (Ints{0, 4, 4, 2}));
  const std::vector<OnnxDim> seven{2, 3, 4, 7};
  EXPECT_EQ(parts(node_of("Split", seven, {columns, {"num_outputs", index_t{3}}}, 18), 3), (Ints{0, 3, 3, 3, 6, 1}));
}

TEST(OnnxParts, GatherTakesRuns) {
  const auto rows_of = [](const Ints& indices) {
    return read(node_of("Gather", image, {{"axis", index_t{2}}}, 13, {indices}).writer());
  };
  const Network even = rows_of({3, 1, -4 + 3});
  EXPECT_EQ(count_of_op<Concat>(even), 1) << "rows 3, 1 and then 3 again";
  EXPECT_EQ(output_dims(even), (Ints{2, 3, 3, 6}));
  const Network reverse = fuse(rows_of({-1, -2, -3}));
  ASSERT_EQ(reverse.nodes.size(), 1U);
  EXPECT_EQ(last_op<Resample>(reverse)[Axis::H], (ResampledAxis{TakeAxis{.start = 3, .step = -1}, 3}));
  OneNode one = node_of("Gather", image, {{"axis", index_t{1}}}, 13);
  one.node.inputs = {"x", "place"};
  one.prepare = [](OnnxWriter& writer) { writer.add_initializer("place", int64_tensor({}, {2})); };
  EXPECT_EQ(output_dims(read(one.writer())), (Ints{2, 4, 6})) << "a single index drops its dimension";
}

TEST(OnnxParts, ExpandAndTileRepeat) {
  const Network expanded = read(node_of("Expand", {2, 1, 4, 1}, {}, 13, {{3, 1, 6}}).writer());
  EXPECT_EQ(output_dims(expanded), (Ints{2, 3, 4, 6}));
  EXPECT_EQ(output_dims(read(node_of("Expand", {3, 4, 1}, {}, 13, {{2, 3, 4, 5}}).writer())), (Ints{2, 3, 4, 5}));
  const Network tiled = read(node_of("Tile", image, {}, 13, {{2, 1, 3, 1}}).writer());
  EXPECT_EQ(output_dims(tiled), (Ints{4, 3, 12, 6}));
  EXPECT_EQ(count_of_op<Concat>(tiled), 1) << "samples are joined";
  EXPECT_EQ(count_of_op<Resample>(tiled), 1) << "rows are taken again";
}

TEST(OnnxReductions, DimensionsOfEveryForm) {
  const auto dims = [](const char* op_type, std::vector<OnnxAttribute> attributes, index_t opset, std::vector<Ints> lists = {}) {
    return output_dims(read(node_of(op_type, image, std::move(attributes), opset, std::move(lists)).writer()));
  };
  const OnnxAttribute dropped{"keepdims", index_t{0}};
  EXPECT_EQ(dims("ReduceMax", {{"axes", Ints{1, -1}}}, 13), (Ints{2, 1, 4, 1}));
  EXPECT_EQ(dims("ReduceMax", {{"axes", Ints{1, -1}}, dropped}, 13), (Ints{2, 4}));
  EXPECT_EQ(dims("ReduceMin", {}, 18, {{2}}), (Ints{2, 3, 1, 6}));
  EXPECT_EQ(dims("ReduceSum", {dropped}, 13, {{0, 2}}), (Ints{3, 6}));
  EXPECT_EQ(dims("ReduceSum", {{"axes", Ints{3}}, dropped}, 11), (Ints{2, 3, 4}));
  EXPECT_EQ(dims("ReduceProd", {}, 13), (Ints{1, 1, 1, 1}));
  EXPECT_EQ(dims("ReduceL1", {dropped}, 13), (Ints{1})) << "ONNX has no dimensions here, we have one of 1";
  EXPECT_EQ(dims("ReduceMean", {{"noop_with_empty_axes", index_t{1}}}, 18), (Ints{2, 3, 4, 6}));
  EXPECT_EQ(dims("ReduceLogSumExp", {{"axes", Ints{2}}, dropped}, 13), (Ints{2, 3, 6}));
  EXPECT_EQ(dims("GlobalMaxPool", {}, 13), (Ints{2, 3, 1, 1}));
}

TEST(OnnxReductions, OneOperatorForAllAxesWithMoreThanOneIndex) {
  const Network network = read(node_of("ReduceL2", image, {{"axes", Ints{1, 2, 3}}}, 13).writer());
  ASSERT_EQ(network.nodes.size(), 2U);
  EXPECT_EQ(network.nodes[0].epilogue.activation, (Activation{.kind = ActivationKind::Power, .alpha = 2}));
  EXPECT_EQ(last_op<Reduction>(network).axes, (std::array<bool, num_axes>{false, true, false, true, true}));
  EXPECT_EQ(network.nodes[1].epilogue.activation.kind, ActivationKind::Sqrt);
}

TEST(OnnxReductions, LayerNormalizationOverTheLastDimensions) {
  for (const index_t axis : {-1, 2, 1}) {
    OneNode model = node_of("LayerNormalization", {2, 5, 8}, {{"axis", axis}}, 17);
    model.node.inputs = {"x", "g", "b"};
    const Ints dims = axis == 1 ? Ints{5, 8} : Ints{8};
    model.prepare = [dims](OnnxWriter& writer) {
      const auto count = static_cast<std::size_t>(dims.size() == 2 ? 40 : 8);
      writer.add_initializer("g", float_tensor(dims, std::vector<float>(count, 1)));
      writer.add_initializer("b", float_tensor(dims, std::vector<float>(count, 0)));
    };
    const Network network = read(model.writer());
    EXPECT_EQ(output_dims(network), (Ints{2, 5, 8}));
    const auto mean = std::find_if(network.nodes.begin(), network.nodes.end(),
                                   [](const Node& node) { return std::holds_alternative<Reduction>(node.op); });
    ASSERT_NE(mean, network.nodes.end());
    EXPECT_EQ(std::get<Reduction>(mean->op).axes[static_cast<std::size_t>(Axis::C)], axis == 1) << "only where normalised";
  }
}

OneNode product(std::vector<OnnxDim> input, const Ints& matrix, bool comes_first = false) {
  const auto inputs = comes_first ? std::vector<std::string>{"w", "x"} : std::vector<std::string>{"x", "w"};
  return {.input = std::move(input), .node = {.op_type = "MatMul", .inputs = inputs}, .prepare = [matrix](OnnxWriter& model) {
            index_t count = 1;
            for (const index_t dim : matrix) count *= dim;
            model.add_initializer("w", float_tensor(matrix, std::vector<float>(static_cast<std::size_t>(count), 1)));
          }};
}

TEST(OnnxMatMul, TakesTheLastTwoDimensions) {
  struct Row {
    OneNode model;
    Ints dims;
    Axis rows;
    Axis columns;
  };
  const std::vector<Row> rows{
      {product({2, 3, 4, 6}, {6, 5}), {2, 3, 4, 5}, Axis::H, Axis::W},
      {product({2, 3, 4, 6}, {3, 6, 5}), {2, 3, 4, 5}, Axis::H, Axis::W},
      {product({2, 4, 6}, {6, 5}), {2, 4, 5}, Axis::C, Axis::H},
      {product({4, 6}, {7, 4}, true), {7, 6}, Axis::N, Axis::C},
      {product({2, 3, 2, 4, 6}, {6, 5}), {2, 3, 2, 4, 5}, Axis::H, Axis::W},
      {product({4, 6}, {3, 6, 5}), {3, 4, 5}, Axis::C, Axis::H},
  };
  for (const Row& row : rows) {
    const Network network = read(row.model.writer());
    EXPECT_EQ(output_dims(network), row.dims);
    EXPECT_EQ(last_op<MatMul>(network).rows, row.rows);
    EXPECT_EQ(last_op<MatMul>(network).columns, row.columns);
  }
}

TEST(OnnxFunctions, OperandsOfOtherRankAlignAtTheirLastDimension) {
  OnnxWriter model;
  model.add_input("x", {2, 3, 4, 5});
  model.add_input("plane", {4, 5});
  model.add_node({.op_type = "Sub", .inputs = {"plane", "x"}, .outputs = {"y"}});
  model.add_output("y");
  const Network network = read(model);
  EXPECT_EQ(output_dims(network), (Ints{2, 3, 4, 5}));
  EXPECT_EQ(network.value(network.nodes.back().inputs[0]).extents, (Extents{{1, 1, 1, 4, 5}}));
}

TEST(OnnxFunctions, OfManyInputs) {
  const auto read_three = [](const char* op_type) {
    OneNode model = node_of(op_type, image, {}, 13);
    model.node.inputs = {"x", "two", "x"};
    model.prepare = [](OnnxWriter& writer) { writer.add_initializer("two", float_tensor({}, {2})); };
    return read(model.writer());
  };
  EXPECT_EQ(count_of_op<Binary>(read_three("Max")), 2);
  EXPECT_EQ(last_op<Binary>(read_three("Min")).kind, BinaryKind::Min);
  const Network mean = read_three("Mean");
  EXPECT_EQ(last_op<Binary>(mean).kind, BinaryKind::Div);
  EXPECT_EQ(read_constant(mean.value(mean.nodes.back().inputs[1]).constant), std::vector<float>{3});
}

TEST(OnnxFunctions, PowersWithOneExponentAreActivations) {
  const std::vector<std::pair<float, Activation>> rows{{2, {ActivationKind::Power, 2}},
                                                       {0.5F, {ActivationKind::Sqrt}},
                                                       {-1, {ActivationKind::Reciprocal}},
                                                       {-0.5F, {ActivationKind::InverseRoot}},
                                                       {1, {}}};
  for (const auto& [exponent, expected] : rows) {
    OneNode model = node_of("Pow", image, {}, 13);
    model.node.inputs = {"x", "e"};
    model.prepare = [e = exponent](OnnxWriter& writer) { writer.add_initializer("e", float_tensor({}, {e})); };
    EXPECT_EQ(read(model.writer()).nodes.back().epilogue.activation, expected) << exponent;
  }
}

}  // namespace
}  // namespace parconv::test
