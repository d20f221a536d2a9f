// SPDX-License-Identifier: Apache-2.0
#include "parconv/core/error.hpp"

#include <gmock/gmock.h>

namespace parconv {
namespace {

TEST(Concat, ConcatenatesItsParts) {
  EXPECT_EQ(concat("row ", 3, " of ", 7.5), "row 3 of 7.5");
  EXPECT_EQ(concat(), "");
}

struct BreaksTheStream {
  friend std::ostream& operator<<(std::ostream& out, const BreaksTheStream&) {
    out.setstate(std::ios_base::badbit);
    return out;
  }
};

/// As a stream does that finds no memory.
TEST(Concat, NeverReturnsAPartOfTheText) { EXPECT_THROW(concat("row ", BreaksTheStream{}, 3), std::ios_base::failure); }

TEST(Error, CarriesCodeMessageAndHint) {
  const Error error(ExitCode::Usage, "h=3 needs 3 ranks", "use h=4");
  EXPECT_EQ(error.code(), ExitCode::Usage);
  EXPECT_STREQ(error.what(), "h=3 needs 3 ranks");
  EXPECT_EQ(error.hint(), "use h=4");
  EXPECT_EQ(Error(ExitCode::Io, "x").hint(), "");
}

TEST(Error, ExitCodesAreThoseOfSysexits) {
  EXPECT_EQ(static_cast<int>(ExitCode::Usage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::BadData), 65);
  EXPECT_EQ(static_cast<int>(ExitCode::Bug), 70);
  EXPECT_EQ(static_cast<int>(ExitCode::Communication), 76);
  EXPECT_EQ(static_cast<int>(ExitCode::Config), 78);
}

TEST(Expect, ReportsExpressionLocationAndValues) {
  const int rank = 5;
  try {
    PARCONV_EXPECT(rank < 4, "rank ", rank);
    FAIL() << "no error";
  } catch (const Bug& bug) {
    EXPECT_THAT(bug.what(), testing::HasSubstr("expected rank < 4 at "));
    EXPECT_THAT(bug.what(), testing::HasSubstr("error_test.cpp:"));
    EXPECT_THAT(bug.what(), testing::EndsWith("(rank 5)"));
  }
}

TEST(Expect, DoesNothingIfTheConditionHolds) { EXPECT_NO_THROW(PARCONV_EXPECT(1 + 1 == 2)); }

}  // namespace
}  // namespace parconv
