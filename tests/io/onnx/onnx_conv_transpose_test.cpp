// SPDX-License-Identifier: Apache-2.0
// ConvTranspose: shapes, windows and weight order, in literal rows.
#include <numeric>

#include "io/onnx/onnx_test.hpp"
#include "parconv/io/constants.hpp"

namespace parconv::test {
namespace {

using Ints = std::vector<index_t>;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

OneNode transposed(std::vector<OnnxDim> input, Ints weights, std::vector<OnnxAttribute> attributes = {}) {
  return {.input = std::move(input),
          .node = {.op_type = "ConvTranspose", .inputs = {"x", "w"}, .attributes = std::move(attributes)},
          .prepare = [weights](OnnxWriter& model) {
            std::vector<float> values(std::accumulate(weights.begin(), weights.end(), std::size_t{1},
                                                      [](std::size_t a, index_t b) { return a * static_cast<std::size_t>(b); }));
            std::iota(values.begin(), values.end(), 0.0F);
            model.add_initializer("w", float_tensor(weights, values));
          }};
}

struct Row {
  const char* name;
  OneNode model;
  Ints expected;
};

TEST(OnnxConvTranspose, Shapes) {
  const OnnxAttribute two{"strides", Ints{2, 2}};
  const std::vector<Row> rows{
      {"1-D", transposed({1, 3, 5}, {3, 2, 3}), {1, 2, 7}},
      {"2-D", transposed({2, 3, 4, 5}, {3, 6, 2, 2}, {two}), {2, 6, 8, 10}},
      {"3-D", transposed({1, 2, 3, 4, 5}, {2, 1, 2, 2, 2}, {{"strides", Ints{1, 2, 3}}}), {1, 1, 4, 8, 14}},
      {"pads", transposed({1, 1, 4, 4}, {1, 1, 4, 4}, {two, {"pads", Ints{1, 0, 1, 2}}}), {1, 1, 8, 8}},
      {"output padding", transposed({1, 1, 4, 4}, {1, 1, 3, 3}, {two, {"output_padding", Ints{1, 0}}}), {1, 1, 10, 9}},
      {"dilations", transposed({1, 1, 4, 4}, {1, 1, 3, 2}, {{"dilations", Ints{2, 3}}}), {1, 1, 8, 7}},
      {"output shape", transposed({1, 1, 4, 4}, {1, 1, 3, 3}, {two, {"output_shape", Ints{8, 10}}}), {1, 1, 8, 10}},
      {"same", transposed({1, 1, 4, 4}, {1, 1, 3, 3}, {two, {"auto_pad", std::string("SAME_UPPER")}}), {1, 1, 8, 8}},
      {"valid", transposed({1, 1, 4, 4}, {1, 1, 3, 3}, {two, {"auto_pad", std::string("VALID")}}), {1, 1, 9, 9}},
      {"groups", transposed({1, 6, 4, 4}, {6, 2, 3, 3}, {{"group", index_t{3}}}), {1, 6, 6, 6}},
  };
  for (const Row& row : rows) EXPECT_EQ(output_dims(read(row.model.writer())), row.expected) << row.name;
}

WindowAxis along_h(std::vector<OnnxAttribute> attributes) {
  attributes.push_back({"strides", Ints{2}});
  return last_op<ConvTranspose>(read(transposed({1, 1, 4}, {1, 1, 3}, std::move(attributes)).writer())).window[Axis::H];
}

TEST(OnnxConvTranspose, Padding) {
  EXPECT_EQ(along_h({{"pads", Ints{1, 0}}}), (WindowAxis{3, 2, 1, 0, 1}));
  EXPECT_EQ(along_h({{"output_padding", Ints{1}}}), (WindowAxis{3, 2, 0, -1, 1}));
  EXPECT_EQ(along_h({{"auto_pad", std::string("SAME_UPPER")}}), (WindowAxis{3, 2, 0, 1, 1}));
  EXPECT_EQ(along_h({{"auto_pad", std::string("SAME_LOWER")}}), (WindowAxis{3, 2, 1, 0, 1}));
  EXPECT_EQ(along_h({{"output_shape", Ints{6}}}), (WindowAxis{3, 2, 2, 1, 1}));
}

/// The weights of output channel `oc`, in the order ic, taps.
std::vector<float> weights_of(const Network& network, index_t oc) {
  const Filter& filter = last_op<ConvTranspose>(network).filter;
  return make_filter_reader()(filter, {.oc = {oc, oc + 1},
                                       .ic = {0, filter.ic_per_group},
                                       .kernel = {{{0, filter.kernel[0]}, {0, filter.kernel[1]}, {0, filter.kernel[2]}}}});
}

TEST(OnnxConvTranspose, WeightsHaveInputChannelsFirst) {
  const Network network = read(transposed({1, 2, 4}, {2, 3, 2}).writer());
  EXPECT_THAT(weights_of(network, 0), ElementsAre(0, 1, 6, 7));
  EXPECT_THAT(weights_of(network, 2), ElementsAre(4, 5, 10, 11));
}

TEST(OnnxConvTranspose, GroupedWeightsAreReordered) {
  // Group 0 has rows 0 and 1 of 3 outputs by 2 taps, group 1 has rows 2 and 3.
  const Network network = read(transposed({1, 4, 4}, {4, 3, 2}, {{"group", index_t{2}}}).writer());
  EXPECT_THAT(weights_of(network, 1), ElementsAre(2, 3, 8, 9));
  EXPECT_THAT(weights_of(network, 3), ElementsAre(12, 13, 18, 19));
}

TEST(OnnxConvTranspose, Refusals) {
  EXPECT_THAT(read_error(transposed({1, 3, 5}, {2, 2, 3}).writer()), HasSubstr("the weights ('w') have dimensions [2, 2, 3]"));
  EXPECT_THAT(read_error(transposed({1, 3, 5}, {3, 2, 3}, {{"group", index_t{2}}}).writer()),
              HasSubstr("does not divide 3 channels"));
  EXPECT_THAT(read_error(transposed({1, 1, 1}, {1, 1, 3}, {{"pads", Ints{2, 1}}}).writer()), HasSubstr("leaves nothing"));
  EXPECT_THAT(read_error(transposed({1, 1, 3}, {1, 1, 3}, {{"kernel_shape", Ints{2}}}).writer()), HasSubstr("kernel_shape"));
}

}  // namespace
}  // namespace parconv::test
