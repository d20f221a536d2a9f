// SPDX-License-Identifier: Apache-2.0
// Dimensions of inputs, resolved from the model and the data.
#include "io/onnx/onnx_test.hpp"

namespace parconv::test {
namespace {

using Ints = std::vector<index_t>;

OnnxWriter relu_of(const std::vector<OnnxDim>& dims, OnnxType type = OnnxType::Float) {
  OnnxWriter model;
  model.add_input("x", dims, type);
  model.add_node({.op_type = "Relu", .inputs = {"x"}, .outputs = {"y"}});
  model.add_output("y");
  return model;
}

ReadOptions data(Ints dims) { return {.inputs = {{.dims = std::move(dims)}}}; }

TEST(OnnxInputs, TheDataResolvesOpenDimensions) {
  EXPECT_EQ(output_dims(read(relu_of({"N", 3, "H", "W"}), data({4, 3, 10, 12}))), (Ints{4, 3, 10, 12}));
  EXPECT_EQ(output_dims(read(relu_of({OnnxDim(), 3, OnnxDim(), 5}), data({4, 3, 10, 5}))), (Ints{4, 3, 10, 5}));
  EXPECT_EQ(output_dims(read(relu_of({}), data({4, 3}))), (Ints{4, 3}));
}

TEST(OnnxInputs, TheDataDeterminesTheBatch) {
  EXPECT_EQ(output_dims(read(relu_of({1, 3, 8, 8}), data({5, 3, 8, 8}))), (Ints{5, 3, 8, 8}));
  EXPECT_EQ(output_dims(read(relu_of({1, 3, 8, 8}), {.batch = 6})), (Ints{6, 3, 8, 8}));
}

TEST(OnnxInputs, WithoutDataTheModelDetermines) {
  EXPECT_EQ(output_dims(read(relu_of({2, 3, 8, 8}))), (Ints{2, 3, 8, 8}));
  EXPECT_EQ(output_dims(read(relu_of({"N", 3, 8, 8}))), (Ints{1, 3, 8, 8}));
}

TEST(OnnxInputs, ASymbolIsTheSameEverywhere) {
  OnnxWriter model;
  model.add_input("x", {"N", 3, "H", "W"});
  model.add_input("z", {"N", 3, "H", "W"});
  model.add_node({.op_type = "Add", .inputs = {"x", "z"}, .outputs = {"y"}});
  model.add_output("y");
  EXPECT_EQ(output_dims(read(model, {.inputs = {{.name = "z", .dims = {2, 3, 4, 5}}}})), (Ints{2, 3, 4, 5}));
}

TEST(OnnxInputs, Disagreements) {
  const auto error = [](const std::vector<OnnxDim>& dims, Ints found) {
    return read_error(relu_of(dims), data(std::move(found)));
  };
  EXPECT_EQ(error({"N", 3, "H", 8}, {1, 4, 8, 8}),
            "65: input 'x' has dimensions [N, 3, H, 8] in the model, but the data has [1, 4, 8, 8]");
  EXPECT_EQ(error({"N", 3, "H", 8}, {1, 3, 8, 9}),
            "65: input 'x' has dimensions [N, 3, H, 8] in the model, but the data has [1, 3, 8, 9]");
  EXPECT_THAT(error({"N", 3, 8, 8}, {1, 3, 8}), testing::StartsWith("65: input 'x' has dimensions"));
  EXPECT_THAT(error({"N", 3, 8, 8}, {0, 3, 8, 8}), testing::StartsWith("65: input 'x': dimension 0 is 0"));
}

TEST(OnnxInputs, Refusals) {
  constexpr index_t huge = index_t{1} << 62;
  EXPECT_EQ(read_error(relu_of({"N", 3, "H", 8})), "65: input 'x' has open dimensions in the model: [N, 3, H, 8]");
  EXPECT_EQ(read_error(relu_of({})), "65: input 'x' has open dimensions in the model: []");
  EXPECT_EQ(read_error(relu_of({1, -3, 8, 8})), "65: 'x' has dimension -3 in the model, but must be positive");
  EXPECT_EQ(read_error(relu_of({1, 0, 8, 8})), "65: 'x' has dimension 0 in the model, but must be positive");
  EXPECT_THAT(read_error(relu_of({1, huge, huge, 8})), testing::StartsWith("65: "));
  EXPECT_THAT(read_error(relu_of({1, 1, 1, 1, 1, 1})), testing::StartsWith("65: input 'x'"));
  EXPECT_EQ(read_error(relu_of({1, 3}, OnnxType::Int64)), "65: input 'x' has element type int64, which f32 cannot represent");
  EXPECT_EQ(read_error(relu_of({1, 3}), {.inputs = {{.name = "q", .dims = {1, 3}}}}),
            "65: the model has no input 'q'; its inputs are 'x'");
}

}  // namespace
}  // namespace parconv::test
