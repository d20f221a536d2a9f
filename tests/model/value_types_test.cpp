// SPDX-License-Identifier: Apache-2.0
// Values of a network that stay in f32 with bf16 activations.
#include <gtest/gtest.h>

#include "model/named_network_builder.hpp"
#include "parconv/model/value_types.hpp"

namespace parconv::test {
namespace {

/// The names of the values kept in f32.
std::vector<std::string> kept_as_floats(const Network& network) {
  const std::vector<DType> types = types_of_values(network, DType::BF16);
  std::vector<std::string> names;
  for (std::size_t id = 0; id < types.size(); ++id)
    if (types[id] == DType::F32) names.push_back(network.values[id].name);
  return names;
}

using Names = std::vector<std::string>;

TEST(ValueTypes, ConvolutionsReadAndProduceActivations) {
  NamedNetworkBuilder builder;
  const ValueId x = builder.input("x", {{1, 8, 1, 6, 6}});
  const ValueId y = builder.relu("y", builder.conv("conv", x, 16));
  EXPECT_EQ(kept_as_floats(builder.build({y})), Names{});
}

TEST(ValueTypes, AMeanStaysAsItIsUntilItMeetsActivations) {
  NamedNetworkBuilder builder;
  const ValueId x = builder.input("x", {{1, 8, 1, 6, 6}});
  const ValueId mean = builder.add("mean", mean_over_space(36), {x});
  const ValueId scaled = builder.add("scaled", Binary{BinaryKind::Mul}, {mean, builder.constant("scale", {{1, 8, 1, 1, 1}})});
  const ValueId difference = builder.add("difference", Binary{BinaryKind::Sub}, {x, scaled});
  EXPECT_EQ(kept_as_floats(builder.build({difference})), (Names{"mean", "scale", "scaled"}));
}

TEST(ValueTypes, AMeanReadByAConvolutionIsAnActivation) {
  NamedNetworkBuilder builder;
  const ValueId x = builder.input("x", {{1, 8, 1, 6, 6}});
  const ValueId mean = builder.add("mean", mean_over_space(36), {x});
  EXPECT_EQ(kept_as_floats(builder.build({builder.conv("y", mean, 4, 1)})), Names{});
}

TEST(ValueTypes, ConcatOperandsAreActivationsEvenConstants) {
  NamedNetworkBuilder builder;
  const ValueId x = builder.input("x", {{1, 8, 1, 1, 1}});
  const ValueId term = builder.constant("term", {{1, 8, 1, 1, 1}});
  const ValueId part = builder.constant("part", {{1, 2, 1, 1, 1}});
  const ValueId rows = builder.add("rows", sum_over_columns, {x});
  const ValueId joined = builder.add("joined", Concat{}, {builder.add("sum", Sum{}, {rows, term}), part});
  EXPECT_EQ(kept_as_floats(builder.build({joined})), (Names{"term", "rows"}));
}

TEST(ValueTypes, IndicesAreCalculatedInF32) {
  NamedNetworkBuilder builder;
  const ValueId x = builder.input("x", {{1, 8, 1, 6, 6}});
  const ValueId maximum = builder.add("maximum", Reduction{ReduceKind::Max, {false, true}}, {x});
  const ValueId hits = builder.add("hits", Binary{BinaryKind::Reaches}, {x, maximum});
  const ValueId places = builder.add("places", Binary{BinaryKind::Mul}, {hits, builder.constant("index", {{1, 8, 1, 1, 1}})});
  const ValueId is_above = builder.add("is_above", Binary{BinaryKind::Greater}, {x, places});
  EXPECT_EQ(kept_as_floats(builder.build({is_above})), (Names{"maximum", "hits", "index", "places"}));
}

TEST(ValueTypes, EverythingIsF32IfActivationsAre) {
  NamedNetworkBuilder builder;
  const ValueId x = builder.input("x", {{1, 8, 1, 6, 6}});
  const Network network = builder.build({builder.conv("y", x, 4)});
  EXPECT_EQ(types_of_values(network, DType::F32), std::vector<DType>(network.values.size(), DType::F32));
}

}  // namespace
}  // namespace parconv::test
