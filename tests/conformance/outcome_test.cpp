// SPDX-License-Identifier: Apache-2.0
// What becomes of a case whose expected outputs are known to be wrong, and the line that counts.
#include "conformance/outcome.hpp"

#include <gtest/gtest.h>

namespace parconv::test {
namespace {

TEST(Outcome, OfWrongDataIsLeftOutOnlyIfItDoesNotPass) {
  const Outcome failed = judged_as_wrong_data({.name = "a", .verdict = Verdict::Failed, .reason = "differs"}, "wrong");
  EXPECT_EQ(failed.verdict, Verdict::LeftOut);
  EXPECT_EQ(failed.reason, "wrong");
  const Outcome passed = judged_as_wrong_data({.name = "a", .verdict = Verdict::Passed}, "wrong");
  EXPECT_EQ(passed.verdict, Verdict::Failed);
  EXPECT_EQ(passed.reason, "passes, but is listed as one with wrong data");
  EXPECT_EQ(judged_as_wrong_data({.verdict = Verdict::Refused, .reason = "why"}, "wrong").reason, "why");
}

TEST(Outcome, EveryVerdictIsCounted) {
  const std::vector<Outcome> outcomes{{.verdict = Verdict::Passed},
                                      {.verdict = Verdict::Passed},
                                      {.verdict = Verdict::Refused},
                                      {.verdict = Verdict::LeftOut},
                                      {.verdict = Verdict::Failed}};
  EXPECT_EQ(counts_text(outcomes), "2 of 5 models passed, 1 refused, 1 left out, 1 failed");
}

}  // namespace
}  // namespace parconv::test
