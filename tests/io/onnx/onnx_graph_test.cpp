// SPDX-License-Identifier: Apache-2.0
// Names, node order, versions and the summary of a graph.
#include <chrono>

#include "io/onnx/onnx_test.hpp"
#include "parconv/io/onnx/onnx_summary.hpp"

namespace parconv::test {
namespace {

OnnxWriter model_with_input(index_t opset = 13, index_t ir_version = 8) {
  OnnxWriter model(opset, ir_version);
  model.add_input("x", {1, 3, 8, 8});
  return model;
}

std::string add_relu(OnnxWriter& model, const std::string& in, const std::string& out) {
  return model.add_node({.op_type = "Relu", .inputs = {in}, .outputs = {out}});
}

TEST(OnnxGraph, NodesAreSortedTopologically) {
  OnnxWriter model = model_with_input();
  add_relu(model, "b", "c");
  add_relu(model, "a", "b");
  add_relu(model, "x", "a");
  model.add_output("c");
  const Network network = read(model);
  ASSERT_EQ(network.nodes.size(), 3U);
  EXPECT_EQ(network.nodes[0].name, "a");
  EXPECT_EQ(network.nodes[2].name, "c");
}

TEST(OnnxGraph, DeadNodesAreRemoved) {
  OnnxWriter model = model_with_input();
  add_relu(model, "x", "y");
  model.add_node({.op_type = "Wombat", .inputs = {"x"}});
  model.add_output("y");
  EXPECT_EQ(read(model).nodes.size(), 1U);
}

TEST(OnnxGraph, Cycle) {
  OnnxWriter model = model_with_input();
  model.add_node({.op_type = "Add", .inputs = {"x", "b"}, .outputs = {"a"}});
  add_relu(model, "a", "b");
  model.add_output("b");
  EXPECT_EQ(read_error(model), "65: node 'a' (Add) is part of a cycle or depends on one");
}

TEST(OnnxGraph, DuplicateDefinitions) {
  OnnxWriter twice = model_with_input();
  add_relu(twice, "x", "y");
  twice.add_node({.op_type = "Identity", .inputs = {"x"}, .outputs = {"y"}, .name = "second"});
  twice.add_output("y");
  EXPECT_EQ(read_error(twice), "65: node 'second' (Identity) has the output 'y', which is also an output of node 'y' (Relu)");

  OnnxWriter input = model_with_input();
  input.add_node({.op_type = "Relu", .inputs = {"x"}, .outputs = {"x"}, .name = "it"});
  input.add_output("x");
  EXPECT_EQ(read_error(input), "65: node 'it' (Relu) has the output 'x', which is also an input or initializer");

  OnnxWriter inputs = model_with_input();
  inputs.add_input("x", {1});
  EXPECT_EQ(read_error(inputs), "65: two inputs are named 'x'");

  OnnxWriter initializers = model_with_input();
  for (int k = 0; k < 2; ++k) initializers.add_initializer("w", float_tensor({1}, {1}));
  EXPECT_EQ(read_error(initializers), "65: two initializers are named 'w'");
}

TEST(OnnxGraph, UndefinedNames) {
  OnnxWriter missing = model_with_input();
  add_relu(missing, "ghost", "y");
  missing.add_output("y");
  EXPECT_EQ(read_error(missing),
            "65: node 'y' (Relu) reads 'ghost', which is not an input, an initializer or the output of a node");
  OnnxWriter output = model_with_input();
  output.add_output("ghost");
  EXPECT_EQ(read_error(output), "65: output 'ghost' is not the output of any node");
  EXPECT_EQ(read_error(model_with_input()), "65: the model has no outputs");
}

TEST(OnnxGraph, AnInputAsAnOutputIsCopied) {
  OnnxWriter model = model_with_input();
  model.add_output("x");
  const Network network = read(model);
  ASSERT_EQ(network.nodes.size(), 1U);
  EXPECT_EQ(network.value(network.outputs.front()).name, "x");
}

TEST(OnnxGraph, AConstantAsAnOutputIsCopiedInItsOwnShape) {
  OnnxWriter model = model_with_input();
  model.add_initializer("w", float_tensor({2, 3}, {1, 2, 3, 4, 5, 6}));
  model.add_initializer("s", float_tensor({}, {1}));
  add_relu(model, "x", "y");
  for (const char* name : {"y", "w", "s"}) model.add_output(name);
  const Network network = read(model);
  ASSERT_EQ(network.outputs.size(), 3U);
  EXPECT_EQ(dims_of(shape_of(network.value(network.outputs[1]))), (std::vector<index_t>{2, 3}));
  EXPECT_EQ(dims_of(shape_of(network.value(network.outputs[2]))), (std::vector<index_t>{1}));
  EXPECT_EQ(network.value(network.outputs[1]).name, "w");
}

TEST(OnnxGraph, AConstantOutputIsRepresentedExactly) {
  OnnxWriter model = model_with_input();
  model.add_initializer("w", int64_tensor({1}, {(index_t{1} << 24) + 1}));
  add_relu(model, "x", "y");
  for (const char* name : {"y", "w"}) model.add_output(name);
  EXPECT_THAT(read_error(model), testing::StartsWith("65: output 'w' is a constant with the integer 16777217"));
}

TEST(OnnxGraph, AnInitializerIsTheDefaultOfAnInput) {
  OnnxWriter model = model_with_input(13, 3);
  model.add_input("w", {3, 1, 1});
  model.add_initializer("w", float_tensor({3, 1, 1}, {1, 2, 3}));
  model.add_node({.op_type = "Add", .inputs = {"x", "w"}, .outputs = {"y"}});
  model.add_output("y");
  EXPECT_EQ(read(model).inputs.size(), 1U);
}

TEST(OnnxGraph, Versions) {
  const auto error = [](index_t opset, index_t ir_version) {
    OnnxWriter model = model_with_input(opset, ir_version);
    add_relu(model, "x", "y");
    model.add_output("y");
    return read_error(model);
  };
  for (const index_t opset : {6, 7, 13, 21, 30}) EXPECT_EQ(error(opset, 8), "no error") << opset;
  for (const index_t ir_version : {3, 8, 10, 11, 12}) EXPECT_EQ(error(13, ir_version), "no error") << ir_version;
  EXPECT_EQ(error(5, 8), "65: node 'y' (Relu): the model uses operator set 5, but the oldest supported here is 6");
  EXPECT_EQ(error(0, 8), "65: the model does not state its operator set");
}

TEST(OnnxGraph, SparseInitializersAreRefused) {
  OnnxWriter model = model_with_input();
  add_relu(model, "x", "y");
  model.add_output("y");
  model.add_sparse_initializer();
  EXPECT_EQ(read_error(model), "65: the model has 1 sparse initializers");
}

TEST(OnnxGraph, ManyNodesAreReadQuickly) {
  OnnxWriter model = model_with_input();
  std::string x = "x";
  for (int k = 0; k < 20'000; ++k) x = model.add_node({.op_type = "Relu", .inputs = {x}});
  model.add_output(x);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(read(model).nodes.size(), 20'000U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(OnnxGraph, AbsurdCountsAreRefused) {
  OnnxWriter model = model_with_input();
  for (int k = 0; k < 100'001; ++k) model.add_node({.op_type = "A", .outputs = {"a"}, .name = "b"});
  EXPECT_THAT(read_error(model), testing::HasSubstr("has more than 100000 nodes"));
}

ModelSummary summary_of(const OnnxWriter& model, const ReadOptions& options = {}) {
  const TemporaryFolder folder;
  model.save(folder / "model.onnx");
  return summarize(OnnxModel(folder / "model.onnx"), options);
}

TEST(OnnxSummary, DescribesAModel) {
  OnnxWriter model(17, 10);
  model.add_input("x", {"N", 3, "H", OnnxDim()});
  model.add_initializer("w", float_tensor({4, 3, 1, 1}, std::vector<float>(12, 1.0F)));
  model.add_node({.op_type = "Conv", .inputs = {"x", "w"}, .attributes = {{"group", index_t{1}}}, .outputs = {"y"}});
  model.add_output("y", {"N", 4, "H", OnnxDim()});
  const ModelSummary summary = summary_of(model, {.inputs = {{.dims = {2, 3, 8, 9}}}});
  EXPECT_EQ(summary.opset, 17);
  EXPECT_EQ(summary.ir_version, 10);
  EXPECT_EQ(summary.producer, "parconv tests");
  EXPECT_EQ(summary.num_parameters, 12);
  ASSERT_EQ(summary.inputs.size(), 1U);
  EXPECT_EQ(summary.inputs[0].dims, (std::vector<std::string>{"N", "3", "H", "?"}));
  EXPECT_EQ(summary.inputs[0].type, "float");
  EXPECT_EQ(summary.outputs[0].name, "y");
  EXPECT_EQ(summary.nodes[0].op_type, "Conv");
  EXPECT_TRUE(summary.is_supported());
}

TEST(OnnxSummary, ReportsTheProblemOfEachNode) {
  OnnxWriter model = model_with_input();
  model.add_node({.op_type = "MaxPool", .inputs = {"x"}, .outputs = {"a"}});
  add_relu(model, "a", "b");
  model.add_node({.op_type = "Wombat", .inputs = {"b"}, .outputs = {"c"}});
  model.add_output("c");
  const ModelSummary summary = summary_of(model);
  ASSERT_EQ(summary.nodes.size(), 3U);
  EXPECT_EQ(summary.nodes[0].problem, "attribute kernel_shape is missing");
  EXPECT_EQ(summary.nodes[1].problem, "");
  EXPECT_EQ(summary.nodes[2].problem, "operator Wombat is not supported");
  EXPECT_FALSE(summary.is_supported());
}

TEST(OnnxSummary, ReportsOpenDimensions) {
  OnnxWriter model;
  model.add_input("x", {"N", 3, "H", "W"});
  add_relu(model, "x", "y");
  model.add_output("y");
  EXPECT_EQ(summary_of(model).problem, "input 'x' has open dimensions in the model: [N, 3, H, W]");
}

}  // namespace
}  // namespace parconv::test
