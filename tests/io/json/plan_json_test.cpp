// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/json/plan_json.hpp"

#include <gmock/gmock.h>

#include "model/named_network_builder.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using parconv::test::NamedNetworkBuilder;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// x -> a (64 x 16 x 16) -> b (64 x 16 x 16) -> c (10 classes).
Network network() {
  NamedNetworkBuilder build;
  const ValueId a = build.conv("a", build.input("x", {{1, 3, 1, 16, 16}}), 64);
  return build.build({build.full_conv("c", build.conv("b", a, 64), 10)});
}

/// A plan file with additional members.
std::string file(const std::string& members) { return "{\"parconv_plan\": 1, " + members + "}"; }

Plan read(const std::string& members) { return plan_from_json(file(members), network()); }

/// The error for a text, as "message
///  hint".
std::string refusal_of_text(const std::string& text) {
  try {
    plan_from_json(text, network());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::BadData);
    return concat(error.what(), " | ", error.hint());
  }
  return "no error";
}

std::string refusal(const std::string& members) { return refusal_of_text(file(members)); }

Plan made(std::string_view spec, int num_ranks) { return make_plan(network(), parse_split(spec, num_ranks, 2), num_ranks); }

TEST(PlanToJson, OneLinePerNode) {
  EXPECT_EQ(plan_to_json(made("stages=2,h=2", 4), network()),
            "{\"parconv_plan\": 1, \"ranks\": 4, \"stages\": 2, \"nodes\": {\n"
            "  \"a\": {\"split\":{\"h\":2},\"first_rank\":0,\"stage\":0,\"cuts\":{\"h\":[0,8,16]}},\n"
            "  \"b\": {\"split\":{\"h\":2},\"first_rank\":2,\"stage\":1,\"cuts\":{\"h\":[0,8,16]}},\n"
            "  \"c\": {\"split\":{\"f\":2},\"first_rank\":2,\"stage\":1,\"cuts\":{\"c\":[0,5,10]}}}}\n");
}

TEST(PlanJson, RoundTrips) {
  for (const char* spec : {"h=12", "h=3,w=4", "f=12", "c=3,h=4", "stages=3,w=4", "n=2,h=6", "auto"}) {
    const Plan plan = made(spec, 12);
    EXPECT_EQ(plan_from_json(plan_to_json(plan, network()), network()), plan) << spec;
  }
  Plan edited = made("h=4", 4);
  edited.nodes[0].cuts[3] = {0, 1, 2, 3, 16};
  EXPECT_EQ(plan_from_json(plan_to_json(edited, network()), network()), edited);
  Plan by_channels = made("c=2", 2);
  by_channels.nodes[1].ic_cuts = {0, 16, 64};
  EXPECT_EQ(plan_from_json(plan_to_json(by_channels, network()), network()), by_channels);
}

TEST(PlanJson, NamesWithQuotesAreEscaped) {
  Network quoted = network();
  quoted.value(quoted.nodes[0].output).name = "layer/\"a\"\\1";
  const Plan plan = made("h=4", 4);
  EXPECT_EQ(plan_from_json(plan_to_json(plan, quoted), quoted), plan);
}

TEST(PlanFromJson, PartialFiles) {
  EXPECT_EQ(read(R"("ranks": 4)"), made("auto", 4));
  EXPECT_EQ(read(R"("ranks": 4, "default": "h=2,w=2")"), made("h=2,w=2", 4));
  EXPECT_EQ(read(R"("ranks": 4, "default": "f")"), made("f=4", 4));
  EXPECT_EQ(read(R"("ranks": 4, "default": {"h": 2, "w": 2})"), made("h=2,w=2", 4));
  EXPECT_EQ(read(R"("ranks": 4, "default": {"stages": 2, "h": 2})"), made("stages=2,h=2", 4));
  EXPECT_EQ(read(R"("ranks": 4, "default": "stages=2,h=2", "stages": 2, "nodes": {})"), made("stages=2,h=2", 4));
}

TEST(PlanFromJson, NodesOverrideTheDefault) {
  const Plan plan = read(
      R"("ranks": 4, "default": "h", "nodes": {"b": {"split": {"f": 2, "w": 2}}, "c": {"split": {"f": 3}, "first_rank": 1}})");
  EXPECT_EQ(plan.nodes[0], made("h", 4).nodes[0]);
  EXPECT_EQ(plan.nodes[1], made("f=2,w=2", 4).nodes[1]);
  EXPECT_EQ(plan.nodes[2].grid, (Grid{.first_rank = 1, .parts = {{1, 3, 1, 1, 1, 1}}}));
  EXPECT_EQ(plan.nodes[2].cuts[1], (Cuts{0, 4, 8, 10}));
}

TEST(PlanFromJson, CutsAlone) {
  const Plan plan = read(R"("ranks": 2, "default": "h", "nodes": {"a": {"cuts": {"h": [0, 3, 16]}}})");
  EXPECT_EQ(plan.nodes[0].grid, made("h", 2).nodes[0].grid);
  EXPECT_EQ(plan.nodes[0].cuts[3], (Cuts{0, 3, 16}));
}

TEST(PlanFromJson, CutsOfSums) {
  const Plan plan = read(R"("ranks": 2, "default": "c", "nodes": {"b": {"cuts": {"ic": [0, 48, 64]}}})");
  EXPECT_EQ(plan.nodes[1].ic_cuts, (Cuts{0, 48, 64}));
  EXPECT_TRUE(plan.nodes[0].ic_cuts.empty());
  EXPECT_THAT(refusal(R"("ranks": 2, "default": "c", "nodes": {"b": {"cuts": {"ic": [0, 48, 60]}}})"),
              HasSubstr("plan of 'b' (Conv): the cuts along ic (0 48 60) do not divide 0 to 64 into 2 blocks, the parts of c"));
  EXPECT_THAT(refusal(R"("ranks": 2, "default": "f", "nodes": {"b": {"cuts": {"ic": [0, 48, 64]}}})"),
              HasSubstr("into 1 blocks, the parts of c"));
}

TEST(PlanFromJson, RejectsOtherFiles) {
  EXPECT_THAT(refusal_of_text("{\"ranks\": 4"), StartsWith("plan: the text is not JSON: "));
  EXPECT_THAT(refusal_of_text(""), StartsWith("plan: the text is not JSON: "));
  EXPECT_THAT(refusal_of_text("[]"), HasSubstr("the file is [], but must be an object"));
  EXPECT_THAT(refusal_of_text("{}"), HasSubstr("key \"parconv_plan\" is missing"));
  EXPECT_THAT(refusal_of_text("{\"parconv_plan\": 2}"), HasSubstr("is version 2, but this program reads version 1"));
  EXPECT_THAT(refusal(R"("stages": 1)"), HasSubstr("key \"ranks\" is missing"));
}

TEST(PlanFromJson, RefusesUnknownAndRepeatedKeysByName) {
  EXPECT_THAT(refusal(R"("ranks": 4, "rank": 4)"),
              HasSubstr("key \"rank\" of the file is unknown | the known keys are parconv_plan, ranks"));
  EXPECT_THAT(refusal(R"("ranks": 4, "ranks": 2)"), HasSubstr("key \"ranks\" occurs twice"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"a": {"splits": {}}})"), HasSubstr("key \"splits\" of \"a\" is unknown"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"a": {"split": {"x": 2}}})"),
              HasSubstr("key \"x\" of \"split\" of \"a\" is unknown"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"a": {"cuts": {"f": [0]}}})"),
              HasSubstr("key \"f\" of \"cuts\" of \"a\" is unknown"));
  EXPECT_THAT(refusal(R"("ranks": 4, "default": {"q": 4})"), HasSubstr("key \"q\" of \"default\" is unknown"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"conv7": {}})"), HasSubstr("tensor \"conv7\" is not an output of any operator"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"x": {}})"), HasSubstr("tensor \"x\" is not an output of any operator"))
      << "an input";
}

TEST(PlanFromJson, RefusesWrongTypesAndSizes) {
  EXPECT_THAT(refusal(R"("ranks": "4")"), HasSubstr("key \"ranks\" of the file is \"4\", but must be an integer"));
  EXPECT_THAT(refusal(R"("ranks": 0)"), HasSubstr("key \"ranks\" of the file is 0"));
  EXPECT_THAT(refusal(R"("ranks": 2.5)"), HasSubstr("is 2.5"));
  EXPECT_THAT(refusal(R"("ranks": 18446744073709551615)"), HasSubstr("is 18446744073709551615"));
  EXPECT_THAT(refusal(R"("ranks": 2000000000)"), HasSubstr("more than 1048576"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": [])"), HasSubstr("key \"nodes\" of the file is [], but must be an object"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"a": 3})"), HasSubstr("the entry of \"a\" is 3"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"a": {"split": "h"}})"), HasSubstr("key \"split\" of \"a\" is \"h\""));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"a": {"split": {"h": 0}}})"), HasSubstr("key \"h\" of \"split\" of \"a\" is 0"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"a": {"stage": -1}})"), HasSubstr("key \"stage\" of \"a\" is -1"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"a": {"cuts": {"h": 8}}})"), HasSubstr("\"cuts\" along h of \"a\" is 8"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"a": {"cuts": {"h": [0, -8]}}})"), HasSubstr("is -8"));
}

TEST(PlanFromJson, RefusesWhatDoesNotFitTheRanks) {
  EXPECT_THAT(refusal(R"("ranks": 4, "default": "h=3")"),
              HasSubstr("key \"default\" of the file: split 'h=3' needs 3 ranks, but the job has 4 | use h=4"));
  EXPECT_THAT(refusal(R"("ranks": 4, "default": {"h": 3})"),
              HasSubstr("key \"default\" of the file has counts whose product is not 4"));
  EXPECT_THAT(refusal(R"("ranks": 4, "default": {"h": 2147483647, "w": 2147483647})"), HasSubstr("product is not 4"));
  EXPECT_THAT(refusal(R"("ranks": 4, "default": "stages=4")"), HasSubstr("the network has 3 operators"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"a": {"split": {"h": 4}, "first_rank": 1}})"),
              HasSubstr("\"split\" of \"a\" from rank 1 does not fit the ranks 0 to 3"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"a": {"split": {"h": 2000000000, "w": 2000000000}}})"), HasSubstr("does not fit"));
  EXPECT_THAT(refusal(R"("ranks": 4, "stages": 1, "default": "stages=2,h=2")"), HasSubstr("key \"stages\" of the file is 1"));
}

TEST(PlanFromJson, RefusesStagesAndCutsThatDoNotFitTheNetwork) {
  EXPECT_THAT(refusal(R"("ranks": 4, "stages": 2, "nodes": {"a": {"stage": 1}})"),
              HasSubstr("plan of 'b' (Conv): stage 0 comes before stage 1, which produces its input 'a' | assign it to stage 1"));
  EXPECT_THAT(refusal(R"("ranks": 4, "nodes": {"a": {"stage": 1}})"), HasSubstr("stage 1 is not one of 0 to 0"));
  EXPECT_THAT(refusal(R"("ranks": 2, "default": "h", "nodes": {"a": {"cuts": {"h": [0, 8, 15]}}})"),
              HasSubstr("plan of 'a' (Conv): the cuts along h (0 8 15) do not divide 0 to 16 into 2 blocks"));
}

}  // namespace
}  // namespace parconv
