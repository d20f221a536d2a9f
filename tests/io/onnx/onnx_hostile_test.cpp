// SPDX-License-Identifier: Apache-2.0
// Malicious models: each is rejected with exit code 65 (66 for a missing file) and a message that identifies the problem,
// promptly and without allocating what a few bytes request.
#include <sys/stat.h>

#include <ctime>
#include <fstream>
#include <limits>

#include "io/onnx/onnx_test.hpp"
#include "parconv/io/onnx/onnx_summary.hpp"

namespace parconv::test {
namespace {

namespace fs = std::filesystem;
using Ints = std::vector<index_t>;

constexpr index_t huge = index_t{1} << 62;
constexpr index_t lowest = std::numeric_limits<index_t>::min();
constexpr index_t highest = std::numeric_limits<index_t>::max();

struct Row {
  const char* message;  ///< part of the message
  OneNode model;
};

void expect_refusals(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const std::string error = read_error(row.model.writer());
    EXPECT_THAT(error, testing::StartsWith("65: ")) << row.message;
    EXPECT_THAT(error, testing::HasSubstr("'it'")) << row.message;
    EXPECT_THAT(error, testing::HasSubstr(row.message));
    EXPECT_LT(error.size(), 1000U) << row.message;
  }
}

OneNode simple(const std::string& op_type, std::vector<OnnxAttribute> attributes, std::vector<OnnxDim> input = {2, 3, 8, 8}) {
  return {.input = std::move(input), .node = {.op_type = op_type, .attributes = std::move(attributes)}};
}

OneNode with_tensor(const std::string& op_type, const OnnxTensor& tensor, std::vector<OnnxAttribute> attributes = {}) {
  return {.node = {.op_type = op_type, .inputs = {"x", "w"}, .attributes = std::move(attributes)},
          .prepare = [tensor](OnnxWriter& model) { model.add_initializer("w", tensor); }};
}

/// The weights are a ConstantOfShape: any size in a few bytes.
OneNode with_fill(const std::string& op_type, const Ints& dims, std::vector<OnnxDim> input,
                  std::vector<OnnxAttribute> attributes = {}, std::vector<std::string> inputs = {"x", "w"}) {
  return {.input = std::move(input),
          .node = {.op_type = op_type, .inputs = std::move(inputs), .attributes = std::move(attributes)},
          .prepare = [dims](OnnxWriter& model) {
            model.add_initializer("dims", int64_tensor({std::ssize(dims)}, dims));
            model.add_node({.op_type = "ConstantOfShape", .inputs = {"dims"}, .outputs = {"w"}});
          }};
}

TEST(OnnxHostile, Windows) {
  const auto pool = [](const char* name, const Ints& values) {
    std::vector<OnnxAttribute> attributes{{name, values}};
    if (std::string_view(name) != "kernel_shape") attributes.push_back({"kernel_shape", Ints{3, 3}});
    return simple("AveragePool", std::move(attributes));
  };
  expect_refusals({
      {"attribute kernel_shape is [1099511627776, 1]", pool("kernel_shape", {index_t{1} << 40, 1})},
      {"attribute kernel_shape is [-9223372036854775808, 1]", pool("kernel_shape", {lowest, 1})},
      {"window spans 1073741824 along h", pool("kernel_shape", {index_t{1} << 30, 1})},
      {"attribute strides is [9223372036854775807, 1]", pool("strides", {highest, 1})},
      {"attribute dilations is [0, 1]", pool("dilations", {0, 1})},
      {"attribute pads has 300000 values", pool("pads", Ints(300'000, 1))},
      {"leaves nothing", with_tensor("ConvTranspose", float_tensor({3, 1, 1, 1}, {1, 1, 1}), {{"pads", Ints{1 << 30, 0, 0, 0}}})},
      {"does not fit in 64 bits",
       with_fill("ConvTranspose", {1, 1, 1, 1}, {1, 1, index_t{1} << 40, 1}, {{"strides", Ints{1 << 30, 1}}})},
  });
}

TEST(OnnxHostile, Attributes) {
  expect_refusals({
      {"impossibly large pads", with_tensor("Pad", int64_tensor({8}, {0, 0, lowest, 0, 0, 0, 0, 0}))},
      {"impossibly large pads", with_tensor("Pad", int64_tensor({8}, {0, 0, 0, 0, 0, 0, huge, 0}))},
      {"attribute axis is -9223372036854775808", simple("Softmax", {{"axis", lowest}})},
      {"attribute axis is 9223372036854775807", simple("Flatten", {{"axis", highest}})},
      {"cannot scale", with_tensor("Upsample", float_tensor({4}, {1, 1, 1e38F, 1}))},
      {"attribute scales has 0 values",
       {.node = {.op_type = "Upsample", .attributes = {{"scales", std::vector<float>{}}}}, .opset = 8}},
      {"variance of channel 0 is nan",
       {.node = {.op_type = "BatchNormalization", .inputs = {"x", "w", "w", "w", "n"}},
        .prepare =
            [](OnnxWriter& model) {
              model.add_initializer("w", float_tensor({3}, {1, 1, 1}));
              model.add_initializer("n", float_tensor({3}, {std::numeric_limits<float>::quiet_NaN(), 1, 1}));
            }}},
      {"scale holds inf",
       {.node = {.op_type = "BatchNormalization", .inputs = {"x", "i", "w", "w", "w"}},
        .prepare =
            [](OnnxWriter& model) {
              model.add_initializer("w", float_tensor({3}, {1, 1, 1}));
              model.add_initializer("i", float_tensor({3}, {std::numeric_limits<float>::infinity(), 1, 1}));
            }}},
      {"attribute axis has type STRING", simple("Softmax", {{"axis", std::string("\xff\xfe")}})},
  });
}

TEST(OnnxHostile, FillsOfAnySizeTakeNoMemory) {
  constexpr index_t many = index_t{1} << 40;
  const std::vector<OnnxDim> wide{1, many, 1, 1};
  expect_refusals({
      {"more than 2^24", with_fill("BatchNormalization", {many}, wide, {}, {"x", "w", "w", "w", "w"})},
      {"more than 2^24", with_fill("Conv", {many, 1, 1, 1}, {1, 1, 1, 1}, {}, {"x", "w", "w"})},
      {"impossibly large", with_fill("Gemm", {1, many}, {1, 1}, {{"alpha", 2.0F}})},
      {"more than 2^24", with_fill("ConvTranspose", {2, many, 1, 1}, {1, 2, 1, 1}, {{"group", index_t{2}}})},
  });
}

TEST(OnnxHostile, Dimensions) {
  const auto relu_of = [](std::vector<OnnxDim> dims) { return read_error(simple("Relu", {}, std::move(dims)).writer()); };
  EXPECT_THAT(relu_of({1, huge, huge, 1}), testing::StartsWith("65: number of elements of input 'x'"));
  EXPECT_THAT(relu_of({1, index_t{1} << 32, index_t{1} << 32, 1}), testing::StartsWith("65: number of elements of input 'x'"));
  EXPECT_THAT(relu_of({1, 1, index_t{1} << 49, 1}), testing::HasSubstr("more than 2^48"));
  EXPECT_THAT(relu_of({lowest, 1}), testing::StartsWith("65: 'x' has dimension -9223372036854775808"));
  EXPECT_THAT(relu_of(std::vector<OnnxDim>(100, 1)), testing::StartsWith("65: input 'x': has 100 dimensions"));
  EXPECT_THAT(read_error(with_tensor("Add", {static_cast<OnnxType>(99), {1}, "1234"}).writer()),
              testing::StartsWith("65: initializer 'w' has element type number 99"));
  EXPECT_THAT(read_error(with_tensor("Add", {OnnxType::Float, Ints(100'000, 2), ""}).writer()),
              testing::StartsWith("65: initializer 'w' has impossibly large dimensions: [2, 2"));
}

TEST(OnnxHostile, Graphs) {
  const auto error = [](const std::function<void(OnnxWriter&)>& change, index_t opset = 13, index_t ir_version = 8) {
    OnnxWriter model(opset, ir_version);
    change(model);
    return read_error(model);
  };
  const auto relu = [](OnnxWriter& model) {
    model.add_input("x", {1, 3, 8, 8});
    model.add_node({.op_type = "Relu", .inputs = {"x"}, .outputs = {"y"}});
    model.add_output("y");
  };
  EXPECT_EQ(error(relu), "no error");
  EXPECT_THAT(error(relu, 99), testing::StartsWith("65: the model has operator set 99"));
  EXPECT_THAT(error(relu, highest), testing::StartsWith("65: the model has operator set"));
  EXPECT_THAT(error(relu, 13, 99), testing::StartsWith("65: the model has IR version 99"));
  EXPECT_EQ(error([](OnnxWriter&) {}), "65: the model has no outputs");
  EXPECT_EQ(error([&](OnnxWriter& model) {
              relu(model);
              model.add_output("y");
            }),
            "65: output 'y' is listed twice");
  EXPECT_EQ(error([](OnnxWriter& model) {
              model.add_initializer("w", float_tensor({1, 1}, {1}));
              model.add_node({.op_type = "Relu", .inputs = {"w"}, .outputs = {"y"}});
              model.add_output("y");
            }),
            "65: the model has no inputs");
  EXPECT_EQ(error([](OnnxWriter& model) {
              model.add_input("x", {1, 3, 8, 8});
              model.add_node({.op_type = "Add", .inputs = {"x", "y"}, .outputs = {"y"}});
              model.add_output("y");
            }),
            "65: node 'y' (Add) is part of a cycle or depends on one");
  for (const char* op_type : {"If", "Loop", "Scan"})
    EXPECT_THAT(read_error(simple(op_type, {}).writer()),
                testing::StartsWith(concat("65: node 'it' (", op_type, "): operator ", op_type)));
}

/// Found by fuzzing: a Slice without inputs, whose input shape was read.
TEST(OnnxHostile, NodesWithoutInputs) {
  for (const char* op_type : {"Abs",
                              "Add",
                              "AveragePool",
                              "BatchNormalization",
                              "Cast",
                              "Clip",
                              "Concat",
                              "Conv",
                              "ConvTranspose",
                              "DepthToSpace",
                              "Div",
                              "Dropout",
                              "Elu",
                              "Expand",
                              "Flatten",
                              "Gather",
                              "Gemm",
                              "GlobalAveragePool",
                              "Identity",
                              "LRN",
                              "InstanceNormalization",
                              "LayerNormalization",
                              "LeakyRelu",
                              "LogSoftmax",
                              "MatMul",
                              "Max",
                              "MaxPool",
                              "Mean",
                              "Mul",
                              "PRelu",
                              "Pad",
                              "Pow",
                              "ReduceMean",
                              "ReduceSum",
                              "Relu",
                              "Reshape",
                              "Resize",
                              "Shape",
                              "Sigmoid",
                              "Slice",
                              "Softmax",
                              "SpaceToDepth",
                              "Split",
                              "Squeeze",
                              "Sum",
                              "Tile",
                              "Transpose",
                              "Unsqueeze",
                              "Upsample"}) {
    for (const index_t opset : {index_t{9}, index_t{13}, index_t{18}}) {
      OnnxWriter model(opset);
      model.add_input("x", {2, 3, 8, 8});
      model.add_node({.op_type = op_type, .outputs = {"y"}, .name = "it"});
      model.add_node({.op_type = "Sum", .inputs = {"x", "y"}, .outputs = {"z"}});
      model.add_output("z");
      const std::string error = read_error(model);
      EXPECT_THAT(error, testing::StartsWith("65: ")) << op_type << " of operator set " << opset;
      EXPECT_THAT(error, testing::HasSubstr("'it'")) << op_type << " of operator set " << opset;
    }
  }
}

TEST(OnnxHostile, LongNamesAndLists) {
  const std::string name(100'000, 'x');
  for (const auto& node :
       {OnnxNode{.op_type = name}, OnnxNode{.op_type = "Relu", .name = name}, OnnxNode{.op_type = "Relu", .inputs = {name}},
        OnnxNode{.op_type = "Relu", .domain = name}, OnnxNode{.op_type = "Relu", .attributes = {{name, index_t{1}}}},
        OnnxNode{.op_type = "MaxPool", .attributes = {{"auto_pad", name}}}}) {
    const std::string error = read_error(OneNode{.node = node}.writer());
    EXPECT_THAT(error, testing::HasSubstr("has a string of 100000 bytes near byte"));
    EXPECT_LT(error.size(), 500U);
  }
  OnnxWriter model;
  model.add_input("x", {1, 3, 8, 8});
  for (int k = 0; k < 5000; ++k)
    model.add_node({.op_type = "Wombat", .inputs = {k == 0 ? "x" : concat("v", k - 1)}, .outputs = {concat("v", k)}});
  model.add_output("v4999");
  const std::string error = read_error(model);
  EXPECT_THAT(error, testing::HasSubstr("5000 nodes are not supported"));
  EXPECT_THAT(error, testing::HasSubstr("\n  5000 Wombat: operator Wombat is not supported (first: node 'v0' (Wombat))"));
  EXPECT_LT(error.size(), 5000U);
}

/// `bytes` encoded as the field `tag` of a message.
std::string as_field(char tag, const std::string& bytes) {
  std::string field(1, tag);
  for (std::size_t size = bytes.size(); size > 0 || field.size() == 1; size >>= 7)
    field += static_cast<char>((size & 127) | (size >= 128 ? 128 : 0));
  return field + bytes;
}

/// `count` empty messages as field `tag`, the shortest encoding, nested in messages of the fields `path`.
std::string many_empty(const std::string& path, char tag, std::size_t count) {
  std::string bytes;
  for (std::size_t k = 0; k < count; ++k) bytes += {tag, '\0'};
  for (auto field = path.rbegin(); field != path.rend(); ++field) bytes = as_field(*field, bytes);
  return std::string("\x08\x08", 2) + bytes;
}

/// Newer exporters record the origin of every node (metadata_props, field 9), at any length.
TEST(OnnxHostile, ExporterMetadataIsDropped) {
  OnnxWriter model;
  model.add_input("x", {1, 3, 8, 8});
  model.add_node({.op_type = "Relu", .inputs = {"x"}, .outputs = {"y"}});
  model.add_output("y");
  constexpr char graph = 0x3a, node = 0x0a, output = 0x12, notes = 0x4a;
  const std::string noted = as_field(output, "z") + as_field(notes, std::string(100'000, 'x'));
  const TemporaryFolder folder;
  std::ofstream(folder / "noted.onnx", std::ios::binary) << model.serialized() + as_field(graph, as_field(node, noted));
  EXPECT_EQ(error_of([&] { read_network(OnnxModel(folder / "noted.onnx")); }), "no error");
}

TEST(OnnxHostile, ManyEmptyMessagesAreCounted) {
  const TemporaryFolder folder;
  constexpr char graph = 0x3a, node = 0x0a, input_name = 0x0a, attribute = 0x2a, graph_input = 0x5a;
  for (const auto& [path, tag] : std::vector<std::pair<std::string, char>>{
           {{graph, node}, input_name}, {{graph, node}, attribute}, {{graph}, node}, {{graph}, graph_input}}) {
    std::ofstream(folder / "empty.onnx", std::ios::binary) << many_empty(path, tag, 5'000'000);
    EXPECT_THAT(error_of([&] { OnnxModel model(folder / "empty.onnx"); }),
                testing::MatchesRegex("65: '.*empty.onnx' has more than .*"));
  }
}

TEST(OnnxHostile, SpecialFiles) {
  const TemporaryFolder folder;
  const auto error = [](const std::string& path) { return error_of([&] { OnnxModel model(path); }); };
  ASSERT_EQ(::mkfifo((folder / "pipe.onnx").c_str(), 0600), 0);
  EXPECT_THAT(error(folder / "pipe.onnx"), testing::HasSubstr("is not a regular file"));
  EXPECT_THAT(error("/dev/zero"), testing::StartsWith("66: '/dev/zero' is not a regular file"));
  EXPECT_THAT(error(folder.path().string()), testing::HasSubstr("is not a regular file"));
  fs::create_symlink("loop.onnx", folder / "loop.onnx");
  EXPECT_THAT(error(folder / "loop.onnx"), testing::StartsWith("66: cannot open"));
}

TEST(OnnxHostile, ExternalDataElsewhere) {
  const TemporaryFolder elsewhere;
  std::ofstream(elsewhere / "w.bin") << "123456789012";
  const TemporaryFolder folder;
  fs::create_directory_symlink(elsewhere.path(), folder / "away");
  fs::create_directory(folder / "sub");
  fs::create_symlink("/dev/zero", folder / "zero");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const auto error = [&](const OnnxExternal& external) {
    OnnxWriter model;
    model.add_input("x", {1, 3, 8, 8});
    model.add_external("w", {OnnxType::Float, {3, 1, 1}, {}}, external);
    model.add_node({.op_type = "Add", .inputs = {"x", "w"}, .outputs = {"y"}});
    model.add_output("y");
    model.save(folder / "model.onnx");
    return error_of([&] { read_network(OnnxModel(folder / "model.onnx")); });
  };
  EXPECT_THAT(error({.location = "away/w.bin"}),
              testing::HasSubstr("65: initializer 'w': external data 'away/w.bin' is a symbolic link"));
  EXPECT_THAT(error({.location = "zero"}), testing::HasSubstr("65: initializer 'w': external data 'zero' is a symbolic link"));
  EXPECT_THAT(error({.location = "sub"}), testing::HasSubstr("is not a regular file"));
  EXPECT_THAT(error({.location = "pipe"}), testing::HasSubstr("is not a regular file"));
  EXPECT_THAT(error({.location = "./sub/../sub"}), testing::StartsWith("65: initializer 'w'"));
  EXPECT_THAT(error({.location = std::string("w\0.bin", 6)}), testing::StartsWith("6"));
  EXPECT_THAT(error({.location = "model.onnx", .offset = "9223372036854775807", .length = "9223372036854775807"}),
              testing::StartsWith("65: initializer 'w'"));
}

TEST(OnnxHostile, AThousandNodesLoadQuickly) {
  OnnxWriter model;
  std::string x = model.add_input("x", {1, 3, 8, 8});
  for (int k = 0; k < 1000; ++k) x = model.add_node({.op_type = "Relu", .inputs = {x}});
  model.add_output(x);
  const std::clock_t begin = std::clock();  // CPU time, unaffected by other programs
  read(model);
  EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 1);
}

}  // namespace
}  // namespace parconv::test
