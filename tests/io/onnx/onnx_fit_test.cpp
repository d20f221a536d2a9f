// SPDX-License-Identifier: Apache-2.0
// Padding and crops of networks for sizes that do not fit, in literal rows.
#include "parconv/io/onnx/onnx_fit.hpp"

#include "io/onnx/onnx_test.hpp"

namespace parconv::test {
namespace {

using Ints = std::vector<index_t>;
using testing::HasSubstr;

OnnxNode pool(const char* from, const char* to, Ints kernel) {
  return {.op_type = "MaxPool", .inputs = {from}, .attributes = {{"kernel_shape", kernel}, {"strides", kernel}}, .outputs = {to}};
}

OnnxNode enlarge(const char* from, const char* to) {
  return {.op_type = "Upsample", .inputs = {from, "scales"}, .outputs = {to}};
}

/// x + enlarged(pooled(x)), pooled by `kernel`, and the pooled values: the sizes have to be its multiples.
OnnxWriter ladder(const std::vector<OnnxDim>& dims, const Ints& kernel, const char* output = "y") {
  OnnxWriter model(9);
  model.add_input("x", dims);
  std::vector<float> scales{1, 1};
  for (const index_t size : kernel) scales.push_back(static_cast<float>(size));
  model.add_initializer("scales", float_tensor({std::ssize(scales)}, scales));
  model.add_node(pool("x", "small", kernel));
  model.add_node(enlarge("small", "large"));
  model.add_node({.op_type = "Add", .inputs = {"x", "large"}, .outputs = {"y"}});
  model.add_output("y");
  if (output != std::string("y")) model.add_output(output);
  return model;
}

class Fit {
 public:
  Fit(const OnnxWriter& writer, const Ints& dims) : options_{.inputs = {{.name = "x", .dims = dims}}} {
    writer.save(folder_ / "model.onnx");
    model_.emplace(folder_ / "model.onnx");
  }

  Network network(SizePolicy policy) const { return read_fitting_network(*model_, options_, policy); }
  Network padded() const { return network(SizePolicy::PadToFit); }
  std::string text() const { return misfit_text(*model_, options_); }
  std::string error(SizePolicy policy) const {
    return error_of([&] { network(policy); });
  }

 private:
  TemporaryFolder folder_;
  ReadOptions options_;
  std::optional<OnnxModel> model_{};
};

TEST(OnnxFit, PaddingIsEvenWithTheRestAtTheFarEnd) {
  const Network network = Fit(ladder({1, 2, "H", "W"}, {16, 16}), {1, 2, 99, 64}).padded();
  EXPECT_EQ(network.value(network.inputs.front()).name, "x");
  EXPECT_EQ(network.value(network.inputs.front()).extents, (Extents{{1, 2, 1, 99, 64}}));
  const Resample& pad = std::get<Resample>(network.nodes.front().op);
  EXPECT_EQ(pad[Axis::H], (ResampledAxis{TakeAxis{.start = -6, .border = Border::Reflect}, 112}));
  EXPECT_EQ(pad[Axis::W], ResampledAxis{});
  EXPECT_EQ(output_of(network).name, "y");
  EXPECT_EQ(output_dims(network), (Ints{1, 2, 99, 64}));
  EXPECT_EQ(last_op<Resample>(network)[Axis::H], (ResampledAxis{TakeAxis{.start = 6}, 99}));
}

TEST(OnnxFit, PaddingBeforeIsAMultipleOfTheCoarsestOutput) {
  OnnxWriter model = ladder({1, 2, "H", "W"}, {16, 16});
  model.add_node(pool("x", "half", {2, 2}));
  model.add_output("half");
  const Network network = Fit(model, {1, 2, 98, 64}).padded();  // 14 rows are added: 6 before, not 7
  const Resample& pad = std::get<Resample>(network.nodes.front().op);
  EXPECT_EQ(pad[Axis::H], (ResampledAxis{TakeAxis{.start = -6, .border = Border::Reflect}, 112}));
  EXPECT_EQ(last_op<Resample>(network)[Axis::H], (ResampledAxis{TakeAxis{.start = 3}, 49}));
}

TEST(OnnxFit, APaddingWiderThanTheAxisTakesSeveralSteps) {
  const Network network = Fit(ladder({1, 2, "H", "W"}, {16, 16}), {1, 2, 3, 1}).padded();
  const Resample& first = std::get<Resample>(network.nodes[0].op);
  EXPECT_EQ(first[Axis::H], (ResampledAxis{TakeAxis{.start = -2, .border = Border::Reflect}, 7}));
  EXPECT_EQ(first[Axis::W], (ResampledAxis{TakeAxis{.start = -7, .border = Border::Edge}, 16}));
  const Resample& second = std::get<Resample>(network.nodes[1].op);
  EXPECT_EQ(second[Axis::H], (ResampledAxis{TakeAxis{.start = -4, .border = Border::Reflect}, 16}));
  EXPECT_EQ(output_dims(network), (Ints{1, 2, 3, 1}));
}

TEST(OnnxFit, TextNamesBothNeighbours) {
  EXPECT_EQ(Fit(ladder({1, 2, "H", "W"}, {16, 8}), {1, 2, 500, 500}).text(),
            "H=500 does not fit this network: 496 and 512 do; W=500 does not fit this network: 496 and 504 do");
  EXPECT_EQ(Fit(ladder({1, 2, "H", "W"}, {32, 1}), {1, 2, 20, 7}).text(), "H=20 does not fit this network: 32 does");
  EXPECT_EQ(Fit(ladder({1, 2, "D", "H", "W"}, {4, 1, 1}), {1, 2, 7, 5, 5}).text(), "D=7 does not fit this network: 4 and 8 do");
  EXPECT_EQ(Fit(ladder({1, 2, "L"}, {4}), {1, 2, 7}).text(), "H=7 does not fit this network: 4 and 8 do");
  EXPECT_EQ(Fit(ladder({1, 2, "H", "W"}, {4, 4}), {1, 2, 8, 8}).text(), "");
}

TEST(OnnxFit, ErrorsOfDataAsGiven) {
  const Fit fit(ladder({1, 2, "H", "W"}, {16, 16}), {1, 2, 500, 512});
  EXPECT_THAT(fit.error(SizePolicy::AsGiven), HasSubstr("65: H=500 does not fit this network: 496 and 512 do (node '"));
  const Fit far(ladder({1, 2, "H", "W"}, {2048, 1}), {1, 2, 500, 512});
  EXPECT_THAT(far.error(SizePolicy::AsGiven), HasSubstr("its window spans 2048 along h"));
  EXPECT_EQ(far.error(SizePolicy::AsGiven), far.error(SizePolicy::PadToFit));
  EXPECT_EQ(far.text(), "");
}

TEST(OnnxFit, AnOutputThatIsNotProportionalIsRefused) {
  OnnxWriter model = ladder({1, 2, "H", "W"}, {4, 4});
  model.add_node({.op_type = "AveragePool", .inputs = {"y"}, .attributes = {{"kernel_shape", Ints{3, 3}}}, .outputs = {"valid"}});
  model.add_output("valid");
  EXPECT_THAT(Fit(model, {1, 2, 10, 12}).error(SizePolicy::PadToFit),
              HasSubstr("output 'valid' cannot be cropped after --pad-to-fit: it has 10 and 6 elements along h for 12 and 8"));
  const Fit odd(ladder({1, 2, "H", "W"}, {4, 4}, "small"), {1, 2, 10, 12});
  EXPECT_THAT(odd.error(SizePolicy::PadToFit),
              HasSubstr("output 'small' cannot be cropped after --pad-to-fit: it has 1 elements along h for 4 of the input"));
}

TEST(OnnxFit, SizesThatFitStayAsTheyAre) {
  const Fit fit(ladder({1, 2, "H", "W"}, {4, 4}), {1, 2, 8, 12});
  EXPECT_EQ(fit.padded().nodes.size(), fit.network(SizePolicy::AsGiven).nodes.size());
}

}  // namespace
}  // namespace parconv::test
