// SPDX-License-Identifier: Apache-2.0
// Invalid nodes: each is rejected with exit code 65 and a message that names the node and the problem.
#include "io/onnx/onnx_test.hpp"

namespace parconv::test {
namespace {

using Ints = std::vector<index_t>;

struct Row {
  const char* message;  ///< part of the message after the node's label
  OneNode model;
};

std::function<void(OnnxWriter&)> with_weights(const Ints& dims) {
  return [dims](OnnxWriter& model) {
    index_t count = 1;
    for (const index_t dim : dims) count *= dim;
    model.add_initializer("w", float_tensor(dims, std::vector<float>(static_cast<std::size_t>(count), 1.0F)));
  };
}

OneNode conv(std::vector<OnnxAttribute> attributes, const Ints& weights = {4, 3, 3, 3}) {
  return {.node = {.op_type = "Conv", .inputs = {"x", "w"}, .attributes = std::move(attributes)},
          .prepare = with_weights(weights)};
}

OneNode simple(const std::string& op_type, std::vector<OnnxAttribute> attributes = {}, index_t opset = 13) {
  return {.node = {.op_type = op_type, .attributes = std::move(attributes)}, .opset = opset};
}

OneNode pool(std::vector<OnnxAttribute> attributes) {
  attributes.push_back({"kernel_shape", Ints{3, 3}});
  return simple("MaxPool", std::move(attributes));
}

OneNode with_tensor(const std::string& op_type, const OnnxTensor& tensor, std::vector<OnnxAttribute> attributes = {}) {
  return {.node = {.op_type = op_type, .inputs = {"x", "w"}, .attributes = std::move(attributes)},
          .prepare = [tensor](OnnxWriter& model) { model.add_initializer("w", tensor); }};
}

OneNode gemm(std::vector<OnnxDim> input, const Ints& weights, std::vector<OnnxAttribute> attributes) {
  return {.input = std::move(input),
          .node = {.op_type = "Gemm", .inputs = {"x", "w"}, .attributes = std::move(attributes)},
          .prepare = with_weights(weights)};
}

void expect_refusals(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const std::string error = read_error(row.model.writer());
    EXPECT_THAT(error, testing::StartsWith("65: ")) << row.message;
    EXPECT_THAT(error, testing::HasSubstr("'it'")) << row.message;
    EXPECT_THAT(error, testing::HasSubstr(row.message));
  }
}

TEST(OnnxRefusals, Windows) {
  constexpr index_t huge = index_t{1} << 62;
  expect_refusals({
      {"attribute strides is [0, 1]", conv({{"strides", Ints{0, 1}}})},
      {"attribute strides is [1, -1]", conv({{"strides", Ints{1, -1}}})},
      {"attribute strides has 3 values", conv({{"strides", Ints{1, 1, 1}}})},
      {"attribute strides is [4611686018427387904, 1]", conv({{"strides", Ints{huge, 1}}})},
      {"attribute dilations is [1, 0]", conv({{"dilations", Ints{1, 0}}})},
      {"attribute dilations is [1, 4611686018427387904]", conv({{"dilations", Ints{1, huge}}})},
      {"attribute pads is [0, 0, -1, 0]", conv({{"pads", Ints{0, 0, -1, 0}}})},
      {"attribute pads has 2 values", conv({{"pads", Ints{1, 1}}})},
      {"attribute pads is [4611686018427387904, 0, 0, 0]", conv({{"pads", Ints{huge, 0, 0, 0}}})},
      {"attribute auto_pad is 'SAME'", conv({{"auto_pad", std::string("SAME")}})},
      {"attribute pads cannot be used together with auto_pad",
       conv({{"auto_pad", std::string("VALID")}, {"pads", Ints{1, 0, 0, 0}}})},
      {"kernel_shape is [5, 5]", conv({{"kernel_shape", Ints{5, 5}}})},
      {"window spans 21 along h", conv({{"dilations", Ints{10, 1}}})},
      {"attribute kernel_shape is missing", simple("MaxPool")},
      {"attribute kernel_shape is [0, 3]", simple("MaxPool", {{"kernel_shape", Ints{0, 3}}})},
      {"attribute kernel_shape has 1 values", simple("AveragePool", {{"kernel_shape", Ints{3}}})},
      {"must be smaller than the kernel", pool({{"pads", Ints{3, 0, 0, 0}}})},
      {"attribute strides is [0, 0]", pool({{"strides", Ints{0, 0}}})},
  });
}

TEST(OnnxRefusals, Convolutions) {
  expect_refusals({
      {"attribute group is 0", conv({{"group", index_t{0}}})},
      {"attribute group is -1", conv({{"group", index_t{-1}}})},
      {"attribute group is 2, which does not divide 3 channels", conv({{"group", index_t{2}}})},
      {"attribute group is 3, which does not divide 4 filters", conv({{"group", index_t{3}}}, {4, 1, 3, 3})},
      {"the input has 3 channels in 1 groups", conv({}, {4, 2, 3, 3})},
      {"the weights ('w') have dimensions [4, 3, 3]", conv({}, {4, 3, 3})},
      {"the weights ('w') are empty", conv({}, {0, 3, 3, 3})},
      {"the weights ('x') must be constant", {.node = {.op_type = "Conv", .inputs = {"x", "x"}}}},
      {"has 1 inputs, expected 2 to 3", {.node = {.op_type = "Conv", .inputs = {"x"}}}},
      {"input 1 is missing", {.node = {.op_type = "Conv", .inputs = {"x", ""}}}},
      {"its input has 2 dimensions",
       {.input = {2, 3}, .node = {.op_type = "Conv", .inputs = {"x", "w"}}, .prepare = with_weights({1, 3})}},
      {"the bias ('w') has dimensions [4, 3, 3, 3], expected 4 elements",
       {.node = {.op_type = "Conv", .inputs = {"x", "w", "w"}}, .prepare = with_weights({4, 3, 3, 3})}},
      {"attribute group has type FLOAT, expected INT", conv({{"group", 1.0F}})},
      {"attribute strides occurs twice", conv({{"strides", Ints{1, 1}}, {"strides", Ints{1, 1}}})},
      {"attribute wombat is unknown", conv({{"wombat", index_t{1}}})},
  });
}

TEST(OnnxRefusals, Matrices) {
  expect_refusals({
      {"attribute transA is 1", gemm({2, 3}, {2, 4}, {{"transA", index_t{1}}})},
      {"multiplies 3 columns by a matrix of 4 rows", gemm({2, 3}, {4, 3}, {})},
      {"multiplies 3 columns by a matrix of 4 rows", gemm({2, 3}, {3, 4}, {{"transB", index_t{1}}})},
      {"its input has 3 dimensions, expected 2", gemm({2, 3, 4}, {3, 4}, {})},
      {"expected a matrix", gemm({2, 3}, {3, 4, 1}, {})},
  });
}

TEST(OnnxRefusals, OtherOperators) {
  OneNode batch_norm{.node = {.op_type = "BatchNormalization", .inputs = {"x", "w", "w", "w", "w"}},
                     .prepare = with_weights({3})};
  OneNode wrong_count = batch_norm;
  wrong_count.prepare = with_weights({4});
  OneNode training = batch_norm;
  training.node.attributes = {{"training_mode", index_t{1}}};
  OneNode negative = batch_norm;
  negative.prepare = [](OnnxWriter& model) { model.add_initializer("w", float_tensor({3}, {1, -1, 1})); };
  OneNode dropout{.node = {.op_type = "Dropout", .inputs = {"x", "", "w"}}};
  dropout.prepare = [](OnnxWriter& model) { model.add_initializer("w", {OnnxType::Bool, {}, std::string(1, '\1')}); };
  expect_refusals({
      {"scale ('w') has dimensions [4], expected 3 elements", wrong_count},
      {"attribute training_mode is 1", training},
      {"the variance of channel 1 is -1", negative},
      {"training_mode is true", dropout},
      {"attribute axis is 4 for an input of 4", simple("Concat", {{"axis", index_t{4}}})},
      {"attribute axis is missing", simple("Concat")},
      {"attribute axis is 4 for an input of 4", simple("Softmax", {{"axis", index_t{4}}})},
      {"attribute axis is -5 for an input of 4", simple("Softmax", {{"axis", index_t{-5}}})},
      {"attribute axis is 5 for an input of 4", simple("Flatten", {{"axis", index_t{5}}})},
      {"attribute min is unknown", simple("Clip", {{"min", 0.0F}}, 11)},
      {"min ('w') has dimensions [2], expected 1 elements", with_tensor("Clip", float_tensor({2}, {0, 1}))},
      {"more than one -1", with_tensor("Reshape", int64_tensor({2}, {-1, -1}))},
      {"invalid entry -2", with_tensor("Reshape", int64_tensor({2}, {-2, -1}))},
      {"invalid entry 0", with_tensor("Reshape", int64_tensor({1}, {0}), {{"allowzero", index_t{1}}})},
      {"cannot reshape an input of [2, 3, 8, 8] to [5, 5]", with_tensor("Reshape", int64_tensor({2}, {5, 5}))},
      {"cannot reshape 384 elements to [5, -1]", with_tensor("Reshape", int64_tensor({2}, {5, -1}))},
      {"is not a short list of integers", with_tensor("Reshape", float_tensor({1}, {-1}))},
      {"the target shape ('x') must be constant", {.node = {.op_type = "Reshape", .inputs = {"x", "x"}}}},
      {"does not fit in 64 bits", with_tensor("Reshape", int64_tensor({3}, {index_t{1} << 62, index_t{1} << 62, -1}))},
      {"differ along w", with_tensor("Add", float_tensor({5}, {1, 2, 3, 4, 5}))},
      {"combines inputs of up to 6 dimensions", with_tensor("Add", float_tensor({1, 1, 1, 1, 1, 1}, {1}))},
  });
}

TEST(OnnxRefusals, PartsAndReductions) {
  const auto split = [](std::vector<OnnxAttribute> attributes, index_t opset) {
    OneNode model = simple("Split", std::move(attributes), opset);
    model.node.outputs = {"y", "z"};
    return model;
  };
  expect_refusals({
      {"splits 3 elements into 2 equal parts", split({{"axis", index_t{1}}}, 13)},
      {"splits 8 elements into parts of [5, 4] for 2 outputs", split({{"axis", index_t{2}}, {"split", Ints{5, 4}}}, 11)},
      {"has a part of 0 elements", split({{"axis", index_t{2}}, {"split", Ints{8, 0}}}, 11)},
      {"attribute num_outputs is 3, but the node has 2 outputs", split({{"axis", index_t{2}}, {"num_outputs", index_t{3}}}, 18)},
      {"index 8 is out of range for 8 elements", with_tensor("Gather", int64_tensor({1}, {8}), {{"axis", index_t{2}}})},
      {"the indices are not a short list of integers", with_tensor("Gather", float_tensor({1}, {1}), {{"axis", index_t{2}}})},
      {"cannot broadcast [2, 3, 8, 8] to [1, 1, 8, 9]", with_tensor("Expand", int64_tensor({2}, {8, 9}))},
      {"has 2 repeats for 4 dimensions", with_tensor("Tile", int64_tensor({2}, {1, 2}))},
      {"repeats dimension 3 0 times", with_tensor("Tile", int64_tensor({4}, {1, 1, 1, 0}))},
      {"attribute axis is 4 for an input of 4", simple("ReduceMax", {{"axes", Ints{4}}})},
      {"attribute noop_with_empty_axes is 1", simple("ReduceL2", {{"noop_with_empty_axes", index_t{1}}}, 18)},
      {"attribute size is 0", simple("LRN")},
      {"attribute alpha is 0", simple("Celu", {{"alpha", 0.0F}})},
      {"differ along c", with_tensor("MatMul", float_tensor({2, 8, 1}, std::vector<float>(16, 1)))},
      {"multiplies 8 columns with a matrix of 7 rows", with_tensor("MatMul", float_tensor({7, 1}, std::vector<float>(7, 1)))},
      {"multiplies by an input of 1 dimensions", with_tensor("MatMul", float_tensor({8}, std::vector<float>(8, 1)))},
  });
}

TEST(OnnxRefusals, ASecondOutputThatIsUsed) {
  OnnxWriter model;
  model.add_input("x", {1, 3, 8, 8});
  model.add_node(
      {.op_type = "MaxPool", .inputs = {"x"}, .attributes = {{"kernel_shape", Ints{2, 2}}}, .outputs = {"y", "indices"}});
  model.add_output("y");
  EXPECT_EQ(read_error(model), "no error");
  model.add_output("indices");
  EXPECT_EQ(read_error(model), "65: node 'y' (MaxPool): output 1 ('indices') is used, but only the first is supported");
}

TEST(OnnxRefusals, AnOutputThatTheOperatorDoesNotHave) {
  OnnxWriter model;
  model.add_input("x", {1, 3, 8, 8});
  model.add_node({.op_type = "Relu", .inputs = {"x"}, .outputs = {"y", "second"}});
  model.add_output("y");
  EXPECT_EQ(read_error(model), "no error") << "nothing reads it";
  model.add_output("second");
  EXPECT_EQ(read_error(model), "65: node 'y' (Relu): output 1 ('second') is used, but only the first is supported");
}

TEST(OnnxRefusals, AllUnsupportedNodesAreListedTogether) {
  OnnxWriter model;
  model.add_input("x", {1, 3, 8, 8});
  std::string x = model.add_node({.op_type = "Wombat", .inputs = {"x"}, .outputs = {"a"}});
  x = model.add_node({.op_type = "Relu", .inputs = {x}, .outputs = {"b"}});
  x = model.add_node({.op_type = "Conv", .inputs = {x}, .outputs = {"c"}, .domain = "com.example"});
  x = model.add_node({.op_type = "Relu", .inputs = {x}, .outputs = {"d"}, .domain = "ai.onnx"});
  model.add_output(x);
  EXPECT_EQ(read_error(model),
            "65: 2 nodes are not supported\n"
            "  1 Wombat: operator Wombat is not supported (node 'a' (Wombat))\n"
            "  1 Conv: operator domain 'com.example' is not supported (node 'c' (Conv))");
}

TEST(OnnxRefusals, Tensors) {
  constexpr index_t huge = index_t{1} << 62;
  const auto error = [](const OnnxTensor& tensor) { return read_error(with_tensor("Add", tensor).writer()); };
  EXPECT_THAT(error({OnnxType::Float, {3, 1, 1}, "12345678"}),
              testing::StartsWith("65: initializer 'w' has dimensions [3, 1, 1] of f32, which take 12 bytes, but holds 8"));
  EXPECT_THAT(error({OnnxType::Float, {3, 1, 1}, std::string(16, 'x')}), testing::HasSubstr("but holds 16"));
  EXPECT_THAT(error({OnnxType::Float, {300, 100, 1}, std::string(4000, 'x')}),
              testing::HasSubstr("take 120000 bytes, but holds 4000"));
  EXPECT_THAT(error({OnnxType::Float, {-3, 1, 1}, "123456789012"}),
              testing::StartsWith("65: initializer 'w' has a negative dimension"));
  EXPECT_THAT(error({OnnxType::Float, {huge, huge}, "1234"}), testing::StartsWith("65: initializer 'w' has impossibly large"));
  EXPECT_THAT(error({OnnxType::Float, {huge, 4}, ""}), testing::StartsWith("65: initializer 'w' has impossibly large"));
  EXPECT_THAT(error({OnnxType::Float, {0}, ""}), testing::HasSubstr("must be at least 1"));
  EXPECT_THAT(error({OnnxType::String, {1}, "1"}), testing::StartsWith("65: initializer 'w' has element type string"));
}

}  // namespace
}  // namespace parconv::test
