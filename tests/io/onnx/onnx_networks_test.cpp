// SPDX-License-Identifier: Apache-2.0
// The networks of parconv_make_models can be read, validated and fused.
#include <cmath>

#include "io/onnx/onnx_test.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/io/onnx/onnx_summary.hpp"
#include "tools/networks.hpp"

namespace parconv::test {
namespace {

using Ints = std::vector<index_t>;

struct Row {
  const char* name;
  Ints data;
  Ints output;
  std::size_t num_fused_nodes;
};

Network read_named(const char* name, const NetworkOptions& options, const ReadOptions& read_options) {
  const TemporaryFolder folder;
  write_network(name, options, folder / "model.onnx");
  const OnnxModel model(folder / "model.onnx");
  const ModelSummary summary = summarize(model, read_options);
  EXPECT_TRUE(summary.is_supported()) << name << ": " << summary.problem;
  return read_network(model, read_options);
}

TEST(OnnxNetworks, AreReadAndFused) {
  const std::vector<Row> rows{
      // 53 convolutions (with additions), a max pooling, two steps of the global average, one Gemm.
      {"resnet50", {2, 3, 64, 96}, {2, 250}, 56},
      {"vgg16", {2, 3, 64, 96}, {2, 250}, 21},
      // 23 convolutions (4 of them in up-convolutions), 4 poolings, 4 upsamplings, 4 concatenations.
      {"unet", {1, 1, 48, 32}, {1, 2, 48, 32}, 35},
      {"net3d", {2, 4, 32, 64, 96}, {2, 4}, 13},
      {"small", {3, 3, 8, 8}, {3, 10}, 11},
      {"filters", {1, 3, 20, 30}, {1, 3, 20, 30}, 4},
  };
  for (const Row& row : rows)
    for (const bool is_integer : {false, true}) {
      const bool is_fixed =
          std::string(row.name) == "vgg16" || std::string(row.name) == "net3d" || std::string(row.name) == "resnet50";
      const NetworkOptions options{.size = is_fixed ? Ints(row.data.begin() + 2, row.data.end()) : Ints{},
                                   .is_integer = is_integer};
      const Network network = read_named(row.name, options, {.inputs = {{.dims = row.data}}});
      EXPECT_EQ(output_dims(network), row.output) << row.name;
      const Network fused = fuse(network);
      validate(fused);
      EXPECT_EQ(fused.nodes.size(), row.num_fused_nodes) << row.name;
    }
}

TEST(OnnxNetworks, HaveThePublishedSize) {
  const TemporaryFolder folder;
  write_network("resnet50", {.channels_scale = 1}, folder / "model.onnx");
  // 25,557,032 weights and biases of the published network, plus mean and variance of its 26,560 normalised channels.
  EXPECT_EQ(summarize(OnnxModel(folder / "model.onnx")).num_parameters, 25'557'032 + 2 * 26'560);
}

/// Filters, scales and biases of the --integer networks are integers, so sums are exact in any order.
TEST(OnnxNetworks, OfIntegersKeepIntegers) {
  const auto is_whole = [](float value) { return value == std::round(value) && std::abs(value) <= 4; };
  for (const char* name : {"resnet50", "unet", "net3d", "small"}) {
    const bool is_cube = std::string(name) == "net3d";
    const ReadOptions options{
        .inputs = {{.dims = is_cube ? Ints{1, 4, 32, 32, 32} : Ints{1, std::string(name) == "unet" ? 1 : 3, 32, 32}}}};
    const TemporaryFolder folder;
    write_network(name, {.size = {32, 32}, .is_integer = true}, folder / "model.onnx");
    const Network network = fuse(read_network(OnnxModel(folder / "model.onnx"), options));
    for (const Node& node : network.nodes) {
      for (const float bias : node.epilogue.bias) ASSERT_TRUE(is_whole(bias)) << name << " " << node.name << " " << bias;
      const auto* conv = std::get_if<Conv>(&node.op);
      if (conv == nullptr) continue;
      const Filter& filter = conv->filter;
      const FilterBox first{.oc = {0, 1},
                            .ic = {0, filter.ic_per_group},
                            .kernel = {{{0, filter.kernel[0]}, {0, filter.kernel[1]}, {0, filter.kernel[2]}}}};
      float sum = 0;
      for (const float weight : make_filter_reader()(filter, first)) sum += std::abs(weight);
      ASSERT_EQ(sum, 1.0F) << name << " " << node.name;
    }
  }
}

TEST(OnnxNetworks, TakeAnotherBatch) {
  const Network network = read_named("small", {.size = {16, 16}, .batch = 4}, {.batch = 7});
  EXPECT_EQ(output_dims(network), (Ints{7, 10}));
  EXPECT_EQ(output_dims(with_batch(network, 3)), (Ints{3, 10}));
}

TEST(OnnxNetworks, WrongRequests) {
  EXPECT_THAT(error_of([] { write_network("wombat", {}, "/dev/null"); }), testing::StartsWith("2: there is no network"));
  EXPECT_THAT(error_of([] { write_network("vgg16", {.size = {0}}, "/dev/null"); }), testing::StartsWith("2: vgg16 needs"));
}

}  // namespace
}  // namespace parconv::test
