// SPDX-License-Identifier: Apache-2.0
// Element types: types accepted for data, and operations allowed on integers.
#include "io/onnx/onnx_test.hpp"

namespace parconv::test {
namespace {

using testing::HasSubstr;

/// A model in which x of `type` passes through `nodes`, the last of which outputs "y".
std::string error_with(OnnxType type, const std::vector<OnnxNode>& nodes) {
  OnnxWriter model(13);
  model.add_input("x", {1, 3, 8, 8}, type);
  for (const OnnxNode& node : nodes) model.add_node(node);
  model.add_output("y");
  return read_error(model);
}

OnnxNode cast(const std::string& from, const std::string& to, OnnxType type) {
  return {.op_type = "Cast", .inputs = {from}, .attributes = {{"to", static_cast<index_t>(type)}}, .outputs = {to}};
}

OnnxNode node(const std::string& op_type, const std::string& from, const std::string& to) {
  return {.op_type = op_type, .inputs = {from}, .outputs = {to}};
}

TEST(OnnxTypes, DataMustBeRepresentableInF32) {
  for (const OnnxType type : {OnnxType::Float, OnnxType::Double, OnnxType::Float16, OnnxType::Bfloat16, OnnxType::Uint8,
                              OnnxType::Int8, OnnxType::Uint16, OnnxType::Int16, OnnxType::Bool})
    EXPECT_EQ(error_with(type, {cast("x", "y", OnnxType::Float)}), "no error") << static_cast<int>(type);
  for (const OnnxType type : {OnnxType::Int32, OnnxType::Int64, OnnxType::String})
    EXPECT_THAT(error_with(type, {cast("x", "y", OnnxType::Float)}), HasSubstr("which f32 cannot represent"));
}

TEST(OnnxTypes, IntegersAreMovedAndSelected) {
  EXPECT_EQ(error_with(OnnxType::Uint8, {node("Identity", "x", "a"), node("Relu", "a", "y")}), "no error");
  EXPECT_EQ(error_with(OnnxType::Uint8, {node("Identity", "x", "a"), cast("a", "b", OnnxType::Float), node("Exp", "b", "y")}),
            "no error");
}

TEST(OnnxTypes, IntegerArithmeticIsRejected) {
  EXPECT_EQ(error_with(OnnxType::Uint8, {node("Identity", "x", "a"), node("Exp", "a", "y")}),
            "65: node 'y' (Exp): input 'a' has element type uint8; integers can be moved, selected and compared, but not "
            "computed with");
  EXPECT_THAT(error_with(OnnxType::Int8, {{.op_type = "Add", .inputs = {"x", "x"}, .outputs = {"y"}}}), HasSubstr("int8"));
}

TEST(OnnxTypes, CastsPreserveValues) {
  EXPECT_EQ(error_with(OnnxType::Uint8, {cast("x", "a", OnnxType::Int16), cast("a", "y", OnnxType::Uint8)}), "no error");
  EXPECT_THAT(error_with(OnnxType::Int8, {cast("x", "y", OnnxType::Uint8)}),
              HasSubstr("'y' (Cast): casts int8 to uint8, which may not represent its values"));
  EXPECT_THAT(error_with(OnnxType::Float, {cast("x", "y", OnnxType::Int32)}),
              HasSubstr("casts float to int32, but floats can be cast to float types only"));
}

TEST(OnnxTypes, ComparisonsMakeBool) {
  const OnnxNode above{.op_type = "Greater", .inputs = {"x", "x"}, .outputs = {"a"}};
  EXPECT_EQ(error_with(OnnxType::Float, {above, cast("a", "y", OnnxType::Uint8)}), "no error");
  EXPECT_THAT(error_with(OnnxType::Float, {above, node("Exp", "a", "y")}), HasSubstr("element type bool"));
  EXPECT_EQ(error_with(OnnxType::Float, {cast("x", "a", OnnxType::Bool), node("Not", "a", "y")}), "no error");
}

TEST(OnnxTypes, IndicesAreIntegersBelowTheExtent) {
  const auto places = [](index_t axis) {
    return OnnxNode{.op_type = "ArgMax", .inputs = {"x"}, .attributes = {{"axis", axis}}, .outputs = {"a"}};
  };
  EXPECT_EQ(error_with(OnnxType::Float, {places(1), cast("a", "y", OnnxType::Int8)}), "no error");
  EXPECT_THAT(error_with(OnnxType::Float, {places(1), node("Exp", "a", "y")}), HasSubstr("element type int64"));
  const OnnxNode either{.op_type = "Where", .inputs = {"b", "a", "x"}, .outputs = {"y"}};
  EXPECT_EQ(error_with(OnnxType::Int8, {places(1), {.op_type = "Equal", .inputs = {"x", "x"}, .outputs = {"b"}}, either}),
            "no error");
}

TEST(OnnxTypes, CastsBetweenFloatsAreCopies) {
  OnnxWriter model(13);
  model.add_input("x", {1, 3, 8, 8}, OnnxType::Float16);
  model.add_node(cast("x", "a", OnnxType::Float));
  model.add_node(node("Relu", "a", "b"));
  model.add_node(cast("b", "y", OnnxType::Float16));
  model.add_output("y");
  EXPECT_EQ(fuse(read(model)).nodes.size(), 1U);
}

}  // namespace
}  // namespace parconv::test
