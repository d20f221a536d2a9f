// SPDX-License-Identifier: Apache-2.0
// Phases of a job: one error for all ranks, hooks, cancellation.
#include "parconv/session/job/job_context.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <optional>

#include "support/mpi_test.hpp"

namespace parconv::test {
namespace {

JobContext context(JobOptions options = {}) { return JobContext(control().split(0), std::move(options)); }

/// The error that `work` throws.
template <class Work>
std::optional<JobError> error_of(Work&& work) {
  try {
    work();
  } catch (const JobError& error) {
    return error;
  }
  return std::nullopt;
}

TEST(JobContext, AllRanksThrowTheErrorOfOne) {
  JobContext job = context();
  const int failing = num_ranks() - 1;
  const auto error = error_of([&] {
    job.together(JobPhase::Plan, [&] {
      if (rank() == failing) throw Error(ExitCode::BadData, "a bad plan", "another one");
    });
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::BadData);
  EXPECT_EQ(error->rank(), failing);
  EXPECT_EQ(error->phase(), "planning");
  EXPECT_EQ(job.together(JobPhase::Check, [] { return 5; }), 5) << "the job goes on";
}

TEST(JobContext, HooksCancelAPhaseBeforeItsWork) {
  bool has_worked = false;
  JobContext job = context({.hooks = {.on_progress = [&](JobPhase phase, index_t) {
                              if (phase == JobPhase::Open && rank() == 0) throw Error(ExitCode::Bug, "cancelled");
                            }}});
  EXPECT_FALSE(error_of([&] { job.together(JobPhase::Read, [] {}); }));
  const auto error = error_of([&] { job.together(JobPhase::Open, [&] { has_worked = true; }); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->phase(), "opening the input");
  EXPECT_FALSE(has_worked);
}

TEST(JobContext, AStopOfOneRankStopsAll) {
  std::stop_source stop;
  JobContext job = context({.stop = stop.get_token()});
  EXPECT_FALSE(error_of([&] { job.together(JobPhase::Plan, [] {}); }));
  if (rank() == num_ranks() - 1) stop.request_stop();
  bool has_worked = false;
  for (const auto& error : {error_of([&] { job.together(JobPhase::Prepare, [&] { has_worked = true; }); }),
                            error_of([&] { job.require_not_stopped(JobPhase::Run); })}) {
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ExitCode::Stopped);
    EXPECT_EQ(error->rank(), num_ranks() - 1);
  }
  EXPECT_FALSE(has_worked);
}

TEST(JobContext, FailuresInMessagesAreReportedBeforeAnythingIsDestroyed) {
  std::vector<std::string> order;
  struct Held {
    std::vector<std::string>& order;
    ~Held() { order.emplace_back("destroyed"); }
  };
  JobContext job = context({.hooks = {.on_lone_failure = [&](const std::exception_ptr& error, JobPhase phase) {
                              order.push_back(concat(name_of(phase), ": ", to_error(error).what()));
                            }}});
  const auto fail = [&] {
    const Held held{order};
    job.in_messages(JobPhase::Run, [] { throw Error(ExitCode::Io, "a full disk"); });
  };
  EXPECT_THROW(fail(), Error);
  EXPECT_THAT(order, testing::ElementsAre("running: a full disk", "destroyed"));
}

TEST(JobContext, InCollectivesOnlyErrorsThatRanksDoNotShareAreReported) {
  std::vector<std::string> reports;
  JobContext job = context({.hooks = {.on_lone_failure = [&](const std::exception_ptr& error, JobPhase phase) {
                              reports.push_back(concat(name_of(phase), ": ", to_error(error).what()));
                            }}});
  EXPECT_EQ(job.in_collectives(JobPhase::Check, [&] { return job.control().sum(1); }), num_ranks());
  const auto agreed = error_of([&] {
    job.in_collectives(JobPhase::Create,
                       [&] { coordinated(job.control(), "creating", [] { throw Error(ExitCode::Io, "a full disk"); }); });
  });
  ASSERT_TRUE(agreed);
  EXPECT_EQ(agreed->phase(), "creating");
  EXPECT_THAT(reports, testing::IsEmpty());
  const auto fail = [&] {
    job.in_collectives(JobPhase::Finish, [&] {
      job.control().barrier();
      if (rank() == num_ranks() - 1) throw std::bad_alloc();
    });
  };
  if (rank() == num_ranks() - 1) {
    EXPECT_THROW(fail(), std::bad_alloc);
    EXPECT_THAT(reports, testing::ElementsAre(testing::HasSubstr("not enough memory")));
  } else {
    fail();  // as if nothing had happened: the hook of an application ends the job
    EXPECT_THAT(reports, testing::IsEmpty());
  }
}

TEST(JobContext, TicksReachTheHook) {
  std::vector<index_t> ticks;
  JobContext job = context({.hooks = {.on_progress = [&](JobPhase phase, index_t done) {
                              if (phase == JobPhase::Run) ticks.push_back(done);
                            }}});
  job.in_messages(JobPhase::Run, [&] {
    job.tick(1);
    job.tick(2);
  });
  EXPECT_THAT(ticks, testing::ElementsAre(0, 1, 2));
}

TEST(JobContext, PhasesHaveADeadlineOnlyWithAnExpiryHook) {
  JobContext without = context({.timeout_seconds = 5});
  without.together(JobPhase::Plan, [&] { EXPECT_EQ(without.watchdog().current().seconds, 0); });
  JobContext with = context({.timeout_seconds = 5, .hooks = {.on_expiry = [](const std::string&, double) {}}});
  with.together(
      JobPhase::Create, [&] { EXPECT_EQ(with.watchdog().current(), (Watchdog::Deadline{"creating the output", 12})); }, 7);
}

TEST(JobContext, PartialFilesAreListedUntilComplete) {
  JobContext job = context();
  job.remove_on_failure("a.partial");
  job.remove_on_failure("b.partial");
  EXPECT_THAT(job.partial_files(), testing::ElementsAre("a.partial", "b.partial"));
  job.keep_files();
  EXPECT_TRUE(job.partial_files().empty());
}

}  // namespace
}  // namespace parconv::test
