// SPDX-License-Identifier: Apache-2.0
// Lowering of Resize, Upsample, Pad and Slice in every opset, in literal rows.
#include <limits>

#include "io/onnx/onnx_test.hpp"

namespace parconv::test {
namespace {

using Ints = std::vector<index_t>;
using testing::HasSubstr;

/// Additional constant inputs: lists of floats or integers; an empty name omits one.
struct ListInput {
  std::string name{};
  std::vector<float> floats{};
  Ints integers{};
};

OneNode node_of(const std::string& op_type, index_t opset, const std::vector<ListInput>& inputs,
                std::vector<OnnxAttribute> attributes = {}) {
  OneNode result{
      .input = {2, 3, 8, 6}, .node = {.op_type = op_type, .inputs = {"x"}, .attributes = std::move(attributes)}, .opset = opset};
  for (const ListInput& input : inputs) result.node.inputs.push_back(input.name);
  result.prepare = [inputs](OnnxWriter& model) {
    for (const ListInput& input : inputs) {
      if (input.name.empty()) continue;
      const bool is_float = input.integers.empty();
      const auto count = static_cast<index_t>(is_float ? input.floats.size() : input.integers.size());
      model.add_initializer(input.name, is_float ? float_tensor({count}, input.floats) : int64_tensor({count}, input.integers));
    }
  };
  return result;
}

const Resample& resample_of(const Network& network) { return last_op<Resample>(network); }

ListInput scales(std::vector<float> values) { return {.name = "scales", .floats = std::move(values)}; }
ListInput ints(const char* name, Ints values) { return {.name = name, .integers = std::move(values)}; }

TEST(OnnxResize, ModesOfOperatorSet13) {
  const OneNode model =
      node_of("Resize", 13, {{}, scales({1, 1, 2, 0.5F})},
              {{"mode", std::string("linear")}, {"coordinate_transformation_mode", std::string("align_corners")}});
  const Network network = read(model.writer());
  EXPECT_EQ(output_dims(network), (Ints{2, 3, 16, 3}));
  EXPECT_EQ(resample_of(network)[Axis::H], (ResampledAxis{LinearAxis{2, Coordinates::AlignCorners}, 16}));
  EXPECT_EQ(resample_of(network)[Axis::W], (ResampledAxis{LinearAxis{0.5F, Coordinates::AlignCorners}, 3}));
  EXPECT_EQ(resample_of(network)[Axis::C], ResampledAxis{});
}

TEST(OnnxResize, DefaultsAreNearestHalfPixels) {
  const Network network = read(node_of("Resize", 13, {{}, scales({1, 1, 2, 1})}).writer());
  EXPECT_EQ(resample_of(network)[Axis::H],
            (ResampledAxis{NearestAxis{2, Coordinates::HalfPixel, NearestRounding::HalfDown}, 16}));
  EXPECT_EQ(resample_of(network)[Axis::W], ResampledAxis{});
}

TEST(OnnxResize, SizesInsteadOfScales) {
  const Network network =
      read(node_of("Resize", 11, {{}, {.name = "none"}, ints("sizes", {2, 3, 4, 9})}, {{"nearest_mode", std::string("ceil")}})
               .writer());
  EXPECT_EQ(resample_of(network)[Axis::H],
            (ResampledAxis{NearestAxis{0.5F, Coordinates::HalfPixel, NearestRounding::Ceil, true}, 4}));
  EXPECT_EQ(resample_of(network)[Axis::W],
            (ResampledAxis{NearestAxis{1.5F, Coordinates::HalfPixel, NearestRounding::Ceil, true}, 9}));
}

TEST(OnnxResize, CornersAreAlignedForAnySize) {
  const std::vector<OnnxAttribute> corners{{"mode", std::string("linear")},
                                           {"coordinate_transformation_mode", std::string("align_corners")}};
  const Network fraction = read(node_of("Resize", 13, {{}, scales({1, 1, 0.6F, 1})}, corners).writer());
  EXPECT_EQ(output_dims(fraction), (Ints{2, 3, 4, 6}));
  EXPECT_EQ(resample_of(fraction)[Axis::H], (ResampledAxis{LinearAxis{0.6F, Coordinates::AlignCorners}, 4}));
  const Network network = read(node_of("Resize", 13, {{}, {}, ints("sizes", {2, 3, 5, 6})}, corners).writer());
  EXPECT_EQ(output_dims(network), (Ints{2, 3, 5, 6}));
}

TEST(OnnxResize, AxesOfOperatorSet18) {
  const Network network = read(node_of("Resize", 18, {{}, {}, ints("sizes", {9, 4})}, {{"axes", Ints{-1, 2}}}).writer());
  EXPECT_EQ(output_dims(network), (Ints{2, 3, 4, 9}));
}

TEST(OnnxResize, Opset10RoundsUpWhenDownsampling) {
  const Network network = read(node_of("Resize", 10, {scales({1, 1, 0.5F, 2})}).writer());
  EXPECT_EQ(resample_of(network)[Axis::H], (ResampledAxis{NearestAxis{0.5F, Coordinates::Asymmetric, NearestRounding::Ceil}, 4}));
  EXPECT_EQ(resample_of(network)[Axis::W], (ResampledAxis{NearestAxis{2, Coordinates::Asymmetric, NearestRounding::Floor}, 12}));
}

TEST(OnnxUpsample, ByAttributeOrInput) {
  const ResampledAxis expected{NearestAxis{2, Coordinates::Asymmetric, NearestRounding::Floor}, 16};
  const Network seven = read(node_of("Upsample", 7, {}, {{"scales", std::vector<float>{1, 1, 2, 3}}}).writer());
  EXPECT_EQ(resample_of(seven)[Axis::H], expected);
  const Network nine = read(node_of("Upsample", 9, {scales({1, 1, 2, 3})}).writer());
  EXPECT_EQ(resample_of(nine)[Axis::H], expected);
  EXPECT_EQ(output_dims(nine), (Ints{2, 3, 16, 18}));
}

TEST(OnnxResize, KeepsTheAspectRatio) {
  const auto dims = [](const char* policy, Ints sizes, Ints axes) {
    return output_dims(read(node_of("Resize", 18, {{}, {}, ints("sizes", std::move(sizes))},
                                    {{"keep_aspect_ratio_policy", std::string(policy)}, {"axes", std::move(axes)}})
                                .writer()));
  };
  EXPECT_EQ(dims("not_larger", {12, 12}, {2, 3}), (Ints{2, 3, 12, 9})) << "1.5 times 8 rows and 6 columns";
  EXPECT_EQ(dims("not_smaller", {12, 12}, {-2, -1}), (Ints{2, 3, 16, 12}));
  EXPECT_EQ(dims("stretch", {12, 12}, {2, 3}), (Ints{2, 3, 12, 12}));
}

TEST(OnnxResize, IdentityIsACopy) {
  const Network network = read(node_of("Resize", 13, {{}, scales({1, 1, 1, 1})}).writer());
  EXPECT_TRUE(std::holds_alternative<Elementwise>(network.nodes.back().op));
}

TEST(OnnxResize, RejectsUnsupportedModes) {
  const auto error = [](std::vector<float> by, std::vector<OnnxAttribute> attributes) {
    return read_error(node_of("Resize", 18, {{}, scales(std::move(by))}, std::move(attributes)).writer());
  };
  EXPECT_THAT(error({1, 1, 2, 2}, {{"mode", std::string("cubic")}}), HasSubstr("attribute mode is 'cubic'"));
  EXPECT_THAT(error({1, 1, 2, 2}, {{"coordinate_transformation_mode", std::string("tf_crop_and_resize")}}),
              HasSubstr("tf_crop_and_resize"));
  EXPECT_THAT(error({1, 1, 2, 2}, {{"antialias", index_t{1}}}), HasSubstr("antialias"));
  EXPECT_THAT(error({1, 2, 2, 2}, {}), HasSubstr("only spatial dimensions can be resized"));
  EXPECT_THAT(error({1, 1, 2}, {}), HasSubstr("expected 4 elements"));
  EXPECT_THAT(error({1, 1, 0.01F, 1}, {}), HasSubstr("cannot scale"));
  EXPECT_THAT(read_error(node_of("Resize", 13, {}).writer()), HasSubstr("neither scales nor sizes"));
}

TEST(OnnxPad, InEveryOperatorSet) {
  const ResampledAxis h{TakeAxis{.start = -1}, 12};
  const ResampledAxis w{TakeAxis{.start = 2}, 5};
  const Ints amounts{0, 0, 1, -2, 0, 0, 3, 1};
  for (const OneNode& model :
       {node_of("Pad", 6, {}, {{"pads", amounts}, {"value", 5.0F}}),
        node_of("Pad", 13, {ints("pads", amounts), {.name = "value", .floats = {5}}}),
        node_of("Pad", 18, {ints("pads", {-2, 1, 1, 3}), {.name = "value", .floats = {5}}, ints("axes", {3, -2})})}) {
    const Network network = read(model.writer());
    EXPECT_EQ(resample_of(network)[Axis::H], h) << "operator set " << model.opset;
    EXPECT_EQ(resample_of(network)[Axis::W], w) << "operator set " << model.opset;
    EXPECT_EQ(resample_of(network).fill, 5) << "operator set " << model.opset;
  }
}

TEST(OnnxPad, ModesAndRefusals) {
  const auto model = [](const char* mode, Ints amounts) {
    return node_of("Pad", 13, {ints("pads", std::move(amounts))}, {{"mode", std::string(mode)}}).writer();
  };
  EXPECT_EQ(resample_of(read(model("reflect", {0, 0, 7, 0, 0, 0, 0, 0})))[Axis::H],
            (ResampledAxis{TakeAxis{.start = -7, .border = Border::Reflect}, 15}));
  EXPECT_EQ(resample_of(read(model("edge", {0, 0, 9, 0, 0, 0, 0, 0})))[Axis::H],
            (ResampledAxis{TakeAxis{.start = -9, .border = Border::Edge}, 17}));
  EXPECT_EQ(output_dims(read(model("reflect", {0, 0, 20, 0, 0, 0, 0, 0}))), (Ints{2, 3, 28, 6}));
  EXPECT_EQ(resample_of(read(model("wrap", {0, 0, 9, 0, 0, 0, 0, 0})))[Axis::H],
            (ResampledAxis{TakeAxis{.start = -9, .border = Border::Wrap}, 17}));
  EXPECT_THAT(read_error(model("mirror", {0, 0, 1, 0, 0, 0, 0, 0})), HasSubstr("attribute mode is 'mirror'"));
  EXPECT_EQ(output_dims(read(model("constant", {1, 1, 0, 0, 0, 2, 1, 0}))), (Ints{3, 6, 9, 6}));
  EXPECT_THAT(read_error(model("edge", {0, index_t{1} << 30, 0, 0, 0, 0, 0, 0})), HasSubstr("pads to 1073741827 elements"));
  EXPECT_THAT(read_error(model("constant", {0, 0, 1, 0})), HasSubstr("has 4 pads for 4 dimensions"));
  EXPECT_THAT(read_error(model("constant", {0, 0, -8, 0, 0, 0, 0, 0})), HasSubstr("makes 0 outputs along h"));
}

TEST(OnnxSlice, StartsFromTheEndAndSteps) {
  constexpr index_t all = std::numeric_limits<index_t>::max();
  const Network network =
      read(node_of("Slice", 13,
                   {ints("starts", {-7, 1, 0}), ints("ends", {all, -1, 2}), ints("axes", {2, -1, 0}), ints("steps", {3, 1, 1})})
               .writer());
  EXPECT_EQ(output_dims(network), (Ints{2, 3, 3, 4}));
  EXPECT_EQ(resample_of(network)[Axis::H], (ResampledAxis{TakeAxis{.start = 1, .step = 3}, 3}));
  EXPECT_EQ(resample_of(network)[Axis::W], (ResampledAxis{TakeAxis{.start = 1}, 4}));
  EXPECT_EQ(resample_of(network)[Axis::N], ResampledAxis{});
}

TEST(OnnxSlice, BackwardsAndOfSamples) {
  constexpr index_t least = std::numeric_limits<index_t>::min();
  const Network network = read(
      node_of("Slice", 13,
              {ints("starts", {100, -2, 1}), ints("ends", {least, 0, 2}), ints("axes", {2, 3, 0}), ints("steps", {-3, -1, 1})})
          .writer());
  EXPECT_EQ(output_dims(network), (Ints{1, 3, 3, 4}));
  EXPECT_EQ(resample_of(network)[Axis::H], (ResampledAxis{TakeAxis{.start = 7, .step = -3}, 3}));
  EXPECT_EQ(resample_of(network)[Axis::W], (ResampledAxis{TakeAxis{.start = 4, .step = -1}, 4}));
  EXPECT_EQ(resample_of(network)[Axis::N], (ResampledAxis{TakeAxis{.start = 1}, 1}));
}

TEST(OnnxSlice, ByAttributesAndOfChannels) {
  const Network network = read(node_of("Slice", 9, {}, {{"starts", Ints{1}}, {"ends", Ints{3}}, {"axes", Ints{1}}}).writer());
  EXPECT_EQ(resample_of(network)[Axis::C], (ResampledAxis{TakeAxis{.start = 1}, 2}));
}

TEST(OnnxSlice, Refusals) {
  const auto error = [](Ints start, Ints end, index_t axis, index_t step) {
    return read_error(
        node_of("Slice", 13, {ints("s", std::move(start)), ints("e", std::move(end)), ints("a", {axis}), ints("t", {step})})
            .writer());
  };
  EXPECT_THAT(error({5}, {0}, 2, 0), HasSubstr("has step 0"));
  EXPECT_THAT(error({0}, {5}, 2, -1), HasSubstr("selects no elements"));
  EXPECT_THAT(error({5}, {5}, 2, 1), HasSubstr("selects no elements"));
  EXPECT_EQ(error({1}, {-3}, 0, -1), "no error");
  EXPECT_THAT(error({0, 1}, {1}, 2, 1), HasSubstr("has 2 starts, 1 ends"));
  EXPECT_THAT(error({0}, {1}, 4, 1), HasSubstr("4 dimensions"));
}

}  // namespace
}  // namespace parconv::test
