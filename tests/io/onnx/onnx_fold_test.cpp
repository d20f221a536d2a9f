// SPDX-License-Identifier: Apache-2.0
// Folding of exporters' shape arithmetic while a model is read; products with a constant matrix.
#include "io/onnx/onnx_test.hpp"
#include "parconv/io/constants.hpp"

namespace parconv::test {
namespace {

using Ints = std::vector<index_t>;
using ::testing::HasSubstr;

/// A model that reshapes input "x" (2, 3, 4, 6) to the dimensions computed by `add_target`.
struct Reshaping {
  index_t opset = 13;
  index_t batch = 2;
  std::function<std::string(OnnxWriter&)> add_target;

  OnnxWriter writer() const {
    OnnxWriter model(opset);
    model.add_input("x", {2, 3, 4, 6});
    model.add_node({.op_type = "Reshape", .inputs = {"x", add_target(model)}, .outputs = {"y"}, .name = "it"});
    model.add_output("y");
    return model;
  }
  Ints dims() const { return output_dims(read(writer(), {.batch = batch})); }
  std::string error() const { return read_error(writer(), {.batch = batch}); }
};

std::string integers(OnnxWriter& model, const std::string& name, const Ints& values) {
  return model.add_initializer(name, int64_tensor({static_cast<index_t>(values.size())}, values));
}

std::string scalar(OnnxWriter& model, const std::string& name, index_t value) {
  return model.add_initializer(name, int64_tensor({}, {value}));
}

std::string shape(OnnxWriter& model) { return model.add_node({.op_type = "Shape", .inputs = {"x"}}); }

/// Dimension `k` of x as a one-element list, by Gather and Unsqueeze, as PyTorch exports it.
std::string dimension(OnnxWriter& model, index_t k) {
  const std::string index = scalar(model, concat("index", k), k);
  const std::string size = model.add_node({.op_type = "Gather", .inputs = {shape(model), index}});
  return model.add_node({.op_type = "Unsqueeze", .inputs = {size, integers(model, concat("axes", k), {0})}});
}

std::string concatenation(OnnxWriter& model, const std::vector<std::string>& parts) {
  return model.add_node({.op_type = "Concat", .inputs = parts, .attributes = {{"axis", index_t{0}}}});
}

TEST(OnnxFold, ViewOfTheBatchAndTheRest) {
  const Reshaping model{.add_target = [](OnnxWriter& to) {
    return concatenation(to, {dimension(to, 0), dimension(to, 1), integers(to, "rest", {-1})});
  }};
  EXPECT_EQ(model.dims(), (Ints{2, 3, 24}));
}

TEST(OnnxFold, TheBatchOfAShapeIsThatOfTheData) {
  const auto add_target = [](OnnxWriter& to) { return concatenation(to, {dimension(to, 0), integers(to, "rest", {-1})}); };
  EXPECT_EQ((Reshaping{.batch = 5, .add_target = add_target}.dims()), (Ints{5, 72}));
}

TEST(OnnxFold, Arithmetic) {
  // 4 * 6 / 5 = 4, 4 + 3 - 1 = 6, times 3 channels: (2, 3, 6, 4).
  const Reshaping model{.add_target = [](OnnxWriter& to) {
    const auto calculate = [&](const char* op, const std::string& a, const std::string& b) {
      return to.add_node({.op_type = op, .inputs = {a, b}});
    };
    const std::string product = calculate("Mul", dimension(to, 2), dimension(to, 3));
    const std::string width = calculate("Div", product, integers(to, "five", {5}));
    const std::string height = calculate("Sub", calculate("Add", width, scalar(to, "three", 3)), scalar(to, "one", 1));
    return concatenation(to, {integers(to, "first", {2, 3}), height, width});
  }};
  EXPECT_EQ(model.dims(), (Ints{2, 3, 6, 4}));
}

TEST(OnnxFold, SliceSqueezeAndGatherOfLists) {
  const auto slice = [](Ints start_end_step) {
    return Reshaping{.add_target = [=](OnnxWriter& to) {
      const std::vector<std::string> inputs{shape(to), integers(to, "s", {start_end_step[0]}),
                                            integers(to, "e", {start_end_step[1]}), integers(to, "a", {0}),
                                            integers(to, "t", {start_end_step[2]})};
      const std::string part = to.add_node({.op_type = "Slice", .inputs = inputs});
      return concatenation(to, {part, integers(to, "rest", {-1})});
    }};
  };
  constexpr index_t far = std::numeric_limits<index_t>::max();
  EXPECT_EQ(slice({0, 2, 1}).dims(), (Ints{2, 3, 24}));
  EXPECT_EQ(slice({0, far, 2}).dims(), (Ints{2, 4, 18}));
  EXPECT_EQ(slice({-2, -1, 1}).dims(), (Ints{4, 36}));
  EXPECT_EQ(slice({-1, -far, -3}).dims(), (Ints{6, 2, 12})) << "elements 3 and 0";
  const Reshaping gathered{.add_target = [](OnnxWriter& to) {
    return to.add_node({.op_type = "Gather", .inputs = {shape(to), integers(to, "order", {0, 1, -1, 2})}});
  }};
  EXPECT_EQ(gathered.dims(), (Ints{2, 3, 6, 4}));
  const Reshaping squeezed{.add_target = [](OnnxWriter& to) {
    const std::string matrix = to.add_initializer("m", int64_tensor({1, 2}, {2, 72}));
    return to.add_node({.op_type = "Squeeze", .inputs = {matrix, integers(to, "axes", {0})}});
  }};
  EXPECT_EQ(squeezed.dims(), (Ints{2, 72}));
}

TEST(OnnxFold, RoundsThroughFloats) {
  // floor(6 * 1.4) = 8 of 4 * 6 * 3 = 72: 9 are left.
  const Reshaping model{.add_target = [](OnnxWriter& to) {
    const std::string real = to.add_node({.op_type = "Cast", .inputs = {dimension(to, 3)}, .attributes = {{"to", index_t{1}}}});
    const std::string factor = to.add_initializer("factor", float_tensor({1}, {1.4F}));
    const std::string scaled = to.add_node({.op_type = "Mul", .inputs = {real, factor}});
    const std::string floor = to.add_node({.op_type = "Floor", .inputs = {scaled}});
    const std::string whole = to.add_node({.op_type = "Cast", .inputs = {floor}, .attributes = {{"to", index_t{7}}}});
    return concatenation(to, {integers(to, "n", {0}), whole, integers(to, "rest", {-1})});
  }};
  EXPECT_EQ(model.dims(), (Ints{2, 8, 9}));
}

TEST(OnnxFold, BroadcastsAndSelectsAsExpand) {
  // Where [2, -1, -1] is -1, [9, 3, 124] instead: [2, 3, 124]; each modulo [100] and at least 1: [2, 3, 24].
  const Reshaping model{.add_target = [](OnnxWriter& to) {
    const auto calculate = [&](const char* op, std::vector<std::string> inputs) {
      return to.add_node({.op_type = op, .inputs = std::move(inputs)});
    };
    const std::string stated = integers(to, "stated", {2, -1, -1});
    const std::string is_open = calculate("Equal", {stated, scalar(to, "open", -1)});
    const std::string chosen = calculate("Where", {is_open, integers(to, "others", {9, 3, 124}), stated});
    const std::string ones = calculate("Expand", {scalar(to, "one", 1), integers(to, "dims", {3})});
    return calculate("Max", {calculate("Mod", {chosen, integers(to, "hundred", {100})}), ones});
  }};
  EXPECT_EQ(model.dims(), (Ints{2, 3, 24}));
}

TEST(OnnxFold, RejectsIncompatibleBroadcasting) {
  const Reshaping model{.add_target = [](OnnxWriter& to) {
    return to.add_node({.op_type = "Add", .inputs = {integers(to, "a", {1, 2, 3}), integers(to, "b", {1, 2})}});
  }};
  EXPECT_THAT(model.error(), HasSubstr("cannot broadcast constants of [3] and [2]"));
}

TEST(OnnxFold, TwoConstantsAreOne) {
  OneNode model{.node = {.op_type = "Add", .inputs = {"x", "sum"}}};
  model.prepare = [](OnnxWriter& to) {
    to.add_initializer("a", float_tensor({3, 1, 1}, {1, 4, 9}));
    to.add_node({.op_type = "Sqrt", .inputs = {"a"}, .outputs = {"root"}});
    to.add_node({.op_type = "Add", .inputs = {"root", to.add_initializer("b", float_tensor({1}, {0.5F}))}, .outputs = {"sum"}});
  };
  const Network network = read(model.writer());
  ASSERT_EQ(network.nodes.size(), 1U);
  const Value& sum = network.value(network.nodes[0].inputs[1]);
  EXPECT_EQ(sum.extents, (Extents{{1, 3, 1, 1, 1}}));
  EXPECT_EQ(read_constant(sum.constant), (std::vector<float>{1.5F, 2.5F, 3.5F}));
}

TEST(OnnxFold, OlderOperatorSetsUseAttributes) {
  const Reshaping model{.opset = 9, .add_target = [](OnnxWriter& to) {
                          const std::string part =
                              to.add_node({.op_type = "Slice",
                                           .inputs = {shape(to)},
                                           .attributes = {{"starts", Ints{1}}, {"ends", Ints{3}}, {"axes", Ints{0}}}});
                          return concatenation(to, {integers(to, "n", {2}), part, integers(to, "rest", {-1})});
                        }};
  EXPECT_EQ(model.dims(), (Ints{2, 3, 4, 6}));
}

TEST(OnnxFold, RejectsWhatItCannotCompute) {
  const Reshaping beyond{.add_target = [](OnnxWriter& to) { return dimension(to, 4); }};
  EXPECT_THAT(beyond.error(), HasSubstr("index 4 is out of range for 4"));
  const Reshaping by_zero{.add_target = [](OnnxWriter& to) {
    return to.add_node({.op_type = "Div", .inputs = {shape(to), integers(to, "zero", {0})}});
  }};
  EXPECT_THAT(by_zero.error(), HasSubstr("divides by zero"));
  const OneNode of_data{.node = {.op_type = "Mod", .inputs = {"x", "x"}}};
  EXPECT_THAT(read_error(of_data.writer()), HasSubstr("node 'it' (Mod): is supported only on constants and sizes"));
}

OneNode product(std::vector<OnnxDim> input, Ints matrix) {
  return {.input = std::move(input), .node = {.op_type = "MatMul", .inputs = {"x", "w"}}, .prepare = [matrix](OnnxWriter& model) {
            std::vector<float> values;
            for (index_t k = 0; k < matrix[0] * matrix[1]; ++k) values.push_back(static_cast<float>(k));
            model.add_initializer("w", float_tensor(matrix, values));
          }};
}

TEST(OnnxMatMul, IsAConvolutionWithTheMatrixByColumns) {
  const Network network = read(product({2, 3}, {3, 2}).writer());
  EXPECT_EQ(output_dims(network), (Ints{2, 2}));
  const Filter& filter = last_op<Conv>(network).filter;
  const FilterBox column{.oc = {1, 2}, .ic = {0, 3}, .kernel = {{{0, 1}, {0, 1}, {0, 1}}}};
  EXPECT_EQ(make_filter_reader()(filter, column), (std::vector<float>{1, 3, 5}));
}

TEST(OnnxMatMul, RefusesOtherShapes) {
  EXPECT_THAT(read_error(product({2, 4}, {3, 2}).writer()), HasSubstr("multiplies 4 columns by a matrix of 3 rows"));
  EXPECT_THAT(read_error(product({4}, {4, 2}).writer()), HasSubstr("multiplies by an input of 1 dimensions"));
}

}  // namespace
}  // namespace parconv::test
