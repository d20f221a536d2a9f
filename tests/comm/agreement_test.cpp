// SPDX-License-Identifier: Apache-2.0
// A rank with other facts is named on all ranks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <span>

#include "parconv/comm/agreement.hpp"
#include "parconv/comm/job_error.hpp"
#include "parconv/comm/pending_max.hpp"
#include "support/mpi_test.hpp"

namespace parconv {
namespace {

using test::control;
using test::num_ranks;
using test::rank;
using testing::HasSubstr;

std::optional<JobError> error_of(const std::vector<Fact>& facts) {
  try {
    require_agreement(control(), "comparing", facts);
  } catch (const JobError& error) {
    return error;
  }
  return std::nullopt;
}

// Lengths are packed in digits, so values with digits, blanks, zeros and no characters are the ones to mistake.
TEST(Agreement, HoldsForEqualFacts) {
  EXPECT_FALSE(error_of({}));
  EXPECT_FALSE(error_of({{"one", "1 1"}, {"", ""}, {"3 ", std::string("\0 2 x", 5)}}));
}

TEST(Agreement, NamesTheFirstFactAndTheLowestRankThatDiffer) {
  for (int differing = 1; differing < num_ranks(); ++differing) {
    const bool differs = rank() >= differing;
    const auto error =
        error_of({{"the command", "run"}, {"--dtype", differs ? "bf16" : "f32"}, {"--batch", differs ? "4" : "2"}});
    ASSERT_TRUE(error) << differing;
    EXPECT_EQ(error->code(), ExitCode::Config);
    EXPECT_THAT(error->what(), HasSubstr(concat("differ in --dtype: f32 on rank 0, bf16 on rank ", differing, " (")));
    EXPECT_EQ(error->phase(), "comparing");
  }
}

TEST(Agreement, NamesAFactThatOneSideLacks) {
  if (num_ranks() == 1) return;
  const bool differs = rank() == num_ranks() - 1;
  std::vector<Fact> facts{{"the command", "run"}, {"--plan", "p.json"}};
  if (differs) facts.pop_back();
  EXPECT_THAT(error_of(facts)->what(), HasSubstr("differ in --plan: p.json on rank 0, nothing on rank"));
  if (differs) facts = {{"the command", "run"}, {"--dtype", "f16"}};
  EXPECT_THAT(error_of(facts)->what(), HasSubstr("differ in --plan: p.json on rank 0, nothing on rank"));
}

TEST(Agreement, FindsADifferenceThatOnlyShiftsCharacters) {
  if (num_ranks() == 1) return;
  const bool differs = rank() == 1;
  EXPECT_TRUE(error_of(differs ? std::vector<Fact>{{"a", "bc"}} : std::vector<Fact>{{"ab", "c"}}));
  EXPECT_TRUE(error_of(differs ? std::vector<Fact>{{"a", "1 b"}, {"c", "d"}} : std::vector<Fact>{{"a", "1 b1 c"}, {"", "d"}}));
}

TEST(PendingMax, IsThatOfAllRanksWhateverTheyDoMeanwhile) {
  PendingMax pending(control(), 2);
  for (index_t k = 0; k < 20; ++k) {
    EXPECT_FALSE(pending.is_pending());
    pending.start(std::array<index_t, 2>{k * rank(), -rank() - k});
    EXPECT_TRUE(pending.is_pending());
    EXPECT_EQ(control().sum(1), num_ranks());
    const std::span<const index_t> all = pending.finish();
    EXPECT_EQ(all[0], k * (num_ranks() - 1));
    EXPECT_EQ(all[1], -k);
  }
}

}  // namespace
}  // namespace parconv
