// SPDX-License-Identifier: Apache-2.0
#include "parconv/plan/split.hpp"

#include <gmock/gmock.h>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using ::testing::HasSubstr;

struct Refusal {
  std::string message{};
  std::string hint{};
};

Refusal refusal(std::string_view spec, int num_ranks, int spatial_ndims = 2) {
  try {
    parse_split(spec, num_ranks, spatial_ndims);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Usage);
    return {error.what(), error.hint()};
  }
  return {"no error", ""};
}

TEST(ParseSplit, LiteralRows) {
  const auto parts = [](std::string_view spec, int num_ranks, int spatial_ndims = 2) {
    const auto split = std::get<Split>(parse_split(spec, num_ranks, spatial_ndims));
    EXPECT_EQ(split.num_ranks(), num_ranks);
    return split;
  };
  EXPECT_EQ(parts("h=4", 4), (Split{.parts = {{1, 1, 1, 1, 4, 1}}}));
  EXPECT_EQ(parts("h=2,w=2", 4), (Split{.parts = {{1, 1, 1, 1, 2, 2}}}));
  EXPECT_EQ(parts("w=2,h=2", 4), (Split{.parts = {{1, 1, 1, 1, 2, 2}}}));
  EXPECT_EQ(parts("stages=2,h=2", 4), (Split{.stages = 2, .parts = {{1, 1, 1, 1, 2, 1}}}));
  EXPECT_EQ(parts("f", 6), (Split{.parts = {{1, 6, 1, 1, 1, 1}}}));
  EXPECT_EQ(parts("n=2,h", 6), (Split{.parts = {{2, 1, 1, 1, 3, 1}}}));
  EXPECT_EQ(parts("n=2,h=1", 2), (Split{.parts = {{2, 1, 1, 1, 1, 1}}}));
  EXPECT_EQ(parts("h=4,w", 4), (Split{.parts = {{1, 1, 1, 1, 4, 1}}})) << "one rank is left";
  EXPECT_EQ(parts(" h = 2 , c = 3 ", 6), (Split{.parts = {{1, 1, 3, 1, 2, 1}}}));
  EXPECT_EQ(parts("1", 1), Split{});
}

TEST(ParseSplit, Names) {
  EXPECT_EQ(std::get<Split>(parse_split("batch=2,filter=3,channel=5", 30, 2)), (Split{.parts = {{2, 3, 5, 1, 1, 1}}}));
  EXPECT_EQ(std::get<Split>(parse_split("pipeline", 3, 2)), (Split{.stages = 3}));
  EXPECT_EQ(std::get<Split>(parse_split("spatial", 3, 1)), (Split{.parts = {{1, 1, 1, 1, 3, 1}}}));
  EXPECT_EQ(std::get<Split>(parse_split("spatial", 3, 2)), (Split{.parts = {{1, 1, 1, 1, 3, 1}}}));
  EXPECT_EQ(std::get<Split>(parse_split("spatial", 3, 3)), (Split{.parts = {{1, 1, 1, 3, 1, 1}}}));
  EXPECT_EQ(parse_split("auto", 7, 2), SplitRequest(SplitPolicy::Auto));
  EXPECT_EQ(parse_split(" rule", 7, 2), SplitRequest(SplitPolicy::Rule));
}

TEST(ParseSplit, WrongNumberOfRanksSuggestsSplits) {
  const Refusal three = refusal("h=3", 4);
  EXPECT_EQ(three.message, "split 'h=3' needs 3 ranks, but the job has 4");
  EXPECT_EQ(three.hint, "use h=4, h=2,w=2 or start 3 ranks with mpirun -np 3");
  EXPECT_EQ(refusal("h=2,w=2", 12).hint, "use h=12, h=4,w=3 or start 4 ranks with mpirun -np 4");
  EXPECT_EQ(refusal("f=2", 5).hint, "use f=5 or start 2 ranks with mpirun -np 2");
  EXPECT_EQ(refusal("stages=3,f=2", 4).hint, "use stages=4, stages=2,f=2 or start 6 ranks with mpirun -np 6");
  EXPECT_EQ(refusal("h=2", 1).hint, "use 1 (one rank, nothing divided) or start 2 ranks with mpirun -np 2");
  EXPECT_EQ(refusal("1", 2).message, "split '1' needs 1 rank, but the job has 2");
}

TEST(ParseSplit, SuggestionsFit) {
  for (int num_ranks = 1; num_ranks <= 48; ++num_ranks) {
    const std::string hint = refusal("h=49", num_ranks).hint;
    const std::string list = hint.substr(4, hint.find(num_ranks == 1 ? " (" : " or ") - 4);
    const std::size_t next = list.find(", ");
    EXPECT_EQ(std::get<Split>(parse_split(list.substr(0, next), num_ranks, 2)).num_ranks(), num_ranks) << list;
    if (next != std::string::npos) {
      EXPECT_EQ(std::get<Split>(parse_split(list.substr(next + 2), num_ranks, 2)).num_ranks(), num_ranks) << list;
    }
  }
}

TEST(ParseSplit, RefusesMalformedText) {
  EXPECT_EQ(refusal("", 4).message, "split '' is empty");
  EXPECT_EQ(refusal("", 4).hint, "use auto, or h=4, h=2,w=2");
  EXPECT_EQ(refusal("q=4", 4).message, "split 'q=4' names the unknown axis 'q'");
  EXPECT_THAT(refusal("q=4", 4).hint, HasSubstr("n (batch), f (filter), c (channel), d, h, w (spatial) and stages (pipeline)"));
  EXPECT_EQ(refusal("h=", 4).message, "split 'h=' has 'h=', whose count is not an integer");
  EXPECT_EQ(refusal("h=2x", 4).message, "split 'h=2x' has 'h=2x', whose count is not an integer");
  EXPECT_EQ(refusal("h=4.0", 4).message, "split 'h=4.0' has 'h=4.0', whose count is not an integer");
  EXPECT_EQ(refusal("h=0", 4).message, "split 'h=0' has 'h=0', but a count must be at least 1");
  EXPECT_EQ(refusal("h=-2", 4).message, "split 'h=-2' has 'h=-2', but a count must be at least 1");
  EXPECT_EQ(refusal("h=2,,w=2", 4).message, "split 'h=2,,w=2' has a factor without a name");
  EXPECT_EQ(refusal("h=4,", 4).message, "split 'h=4,' has a factor without a name");
  EXPECT_EQ(refusal("=4", 4).message, "split '=4' has a factor without a name");
  EXPECT_EQ(refusal("auto,h=2", 4).message, "split 'auto,h=2' mixes auto with other factors");
}

TEST(ParseSplit, RefusesAxesThatAreNamedTwice) {
  EXPECT_EQ(refusal("h=2,h=2", 4).message, "split 'h=2,h=2' names h twice ('h=2' and 'h=2')");
  EXPECT_EQ(refusal("h=2,spatial=2", 4).message, "split 'h=2,spatial=2' names h twice ('h=2' and 'spatial=2')");
  EXPECT_EQ(refusal("stages=2,pipeline=2", 4).message,
            "split 'stages=2,pipeline=2' names stages twice ('stages=2' and 'pipeline=2')");
}

TEST(ParseSplit, OneAxisTakesTheRemainingRanks) {
  EXPECT_EQ(refusal("h,w", 4).message, "split 'h,w' leaves both h and w without a count");
  EXPECT_EQ(refusal("h=3,w", 4).message, "split 'h=3,w' leaves no integer count for w: 4 is not a multiple of 3");
  EXPECT_EQ(refusal("h=3,w", 4).hint, "use h=4, h=2,w=2");
  EXPECT_EQ(refusal("h=8,w", 4).message, "split 'h=8,w' leaves no integer count for w: 4 is not a multiple of 8");
}

TEST(ParseSplit, RefusesAxesThatTheDataDoesNotHave) {
  EXPECT_EQ(refusal("d=2", 2).message, "split 'd=2' divides d, but the data has 2 spatial dimensions");
  EXPECT_EQ(refusal("w", 2, 1).message, "split 'w' divides w, but the data has 1 spatial dimension");
  EXPECT_NO_THROW(parse_split("d=2,h=2,w=2", 8, 3));
}

TEST(ParseSplit, LargeCountsAreErrors) {
  EXPECT_EQ(refusal("h=99999999999999999999", 4).message,
            "split 'h=99999999999999999999' has the count '99999999999999999999', which is too large");
  EXPECT_EQ(refusal("h=65536,w=65536", 4).message, "split 'h=65536,w=65536' needs more than 2147483647 ranks");
  EXPECT_EQ(refusal("h=2147483647,w", 4).message,
            "split 'h=2147483647,w' leaves no integer count for w: 4 is not a multiple of 2147483647");
}

TEST(SplitToString, IsReadBack) {
  for (const char* spec : {"h=4", "h=2,w=2", "stages=2,h=2", "stages=4", "n=2,f=2", "auto", "rule"})
    EXPECT_EQ(to_string(parse_split(spec, 4, 2)), spec);
  EXPECT_EQ(to_string(parse_split("h", 1, 2)), "1");
  EXPECT_EQ(parse_split("1", 1, 2), parse_split("h", 1, 2));
}

}  // namespace
}  // namespace parconv
