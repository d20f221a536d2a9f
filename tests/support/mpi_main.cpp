// SPDX-License-Identifier: Apache-2.0
// main() of GoogleTest programs under mpirun.
//
// Rank 0 prints GoogleTest's output. A test passes only if it passes on all ranks, and failures of other ranks are printed with
// their rank. Ranks synchronise after each test; the exit status on every rank is the worst of all ranks.
//
// A rank that leaves a test early, by ASSERT or an exception, may leave the others inside a collective call. It waits briefly
// for them, then prints its failures itself and aborts the job with status 1. A watchdog ends a hanging rank with status 76
// after PARCONV_TEST_SECONDS (default 90; 0 disables it, for debuggers).
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <thread>

#include "comm/mpi/mpi_check.hpp"
#include "parconv/comm/coordinated.hpp"
#include "parconv/comm/watchdog.hpp"
#include "support/mpi_test.hpp"

namespace parconv::test {
namespace {

constexpr std::chrono::seconds grace{5};

std::unique_ptr<Control> tests_control;

double seconds_per_test() {
  const char* text = std::getenv("PARCONV_TEST_SECONDS");
  return text == nullptr ? 90.0 : std::atof(text);
}

/// Failures of a test or a suite as text; empty for skips and successes.
std::string failures_of(const ::testing::TestResult& result) {
  std::string text;
  for (int i = 0; i < result.total_part_count(); ++i) {
    const ::testing::TestPartResult& part = result.GetTestPartResult(i);
    if (!part.failed()) continue;
    const std::string file = part.file_name() == nullptr ? "unknown file" : part.file_name();
    text += concat(file, ":", part.line_number(), "\n", part.message(), "\n");
  }
  return text;
}

/// Merges the results of all ranks into one.
class RankListener : public ::testing::EmptyTestEventListener {
 public:
  RankListener(Control& control, Watchdog& watchdog) : control_(control), watchdog_(watchdog) {}

  void OnTestStart(const ::testing::TestInfo& info) override {
    watchdog_.arm(concat(info.test_suite_name(), ".", info.name()), seconds_per_test());
  }

  void OnTestEnd(const ::testing::TestInfo& info) override {
    const std::string mine = failures_of(*info.result());
    if (!meets_others(!mine.empty())) abandon(info, mine);
    watchdog_.disarm();
    const std::vector<std::string> all = control_.gather(mine);
    for (std::size_t rank = 1; rank < all.size(); ++rank)
      if (!all[rank].empty()) ADD_FAILURE() << "on rank " << rank << " of " << all.size() << ":\n" << all[rank];
  }

 private:
  /// Waits for all ranks; false if this rank has failed and the others do not arrive.
  bool meets_others(bool has_failed) const {
    MPI_Request request = MPI_REQUEST_NULL;
    mpi::check(MPI_Ibarrier(*static_cast<const MPI_Comm*>(control_.native_handle()), &request), "MPI_Ibarrier");
    const auto deadline = std::chrono::steady_clock::now() + grace;
    int is_complete = 0;
    while (is_complete == 0) {
      mpi::check(MPI_Test(&request, &is_complete, MPI_STATUS_IGNORE), "MPI_Test");
      if (is_complete != 0) break;
      if (has_failed && std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    return true;
  }

  [[noreturn]] void abandon(const ::testing::TestInfo& info, const std::string& failures) const {
    std::fprintf(stderr, "%s.%s failed on rank %d of %d, and other ranks did not finish it:\n%s", info.test_suite_name(),
                 info.name(), control_.rank(), control_.size(), failures.c_str());
    MpiEnvironment::abort(1);
  }

  Control& control_;
  Watchdog& watchdog_;
};

/// Silences GoogleTest on all ranks except rank 0.
void keep_output_on_rank_0(int rank) {
  if (rank == 0) return;
  ::testing::TestEventListeners& listeners = ::testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  ::testing::GTEST_FLAG(output) = "";
}

/// Shuffles tests in the same order on all ranks.
void fix_random_seed() {
  if (::testing::GTEST_FLAG(random_seed) == 0) ::testing::GTEST_FLAG(random_seed) = 1;
}

[[noreturn]] void end_hanging_rank(int rank, const std::string& test, double seconds) {
  std::fprintf(stderr, "rank %d: %s did not complete within %g seconds\n", rank, test.c_str(), seconds);
  ::_exit(static_cast<int>(ExitCode::Communication));
}

int run_tests(int argc, char** argv) {
  const MpiEnvironment environment;
  ::testing::InitGoogleTest(&argc, argv);
  fix_random_seed();
  keep_output_on_rank_0(environment.rank());
  Control harness_control(environment);
  tests_control = std::make_unique<Control>(environment);
  Watchdog watchdog([rank = environment.rank()](const std::string& test, double s) { end_hanging_rank(rank, test, s); });
  // GoogleTest owns its listeners and calls the last one first at the end of a test, hence before the printer.
  ::testing::UnitTest::GetInstance()->listeners().Append(new RankListener(harness_control, watchdog));
  const int status = RUN_ALL_TESTS();
  const index_t worst = harness_control.max(status);
  tests_control.reset();
  return static_cast<int>(worst);
}

}  // namespace

Control& control() {
  PARCONV_EXPECT(tests_control != nullptr, "used outside tests");
  return *tests_control;
}

}  // namespace parconv::test

int main(int argc, char** argv) {
  try {
    return parconv::test::run_tests(argc, argv);
  } catch (...) {
    const parconv::Error error = parconv::to_error(std::current_exception());
    std::fprintf(stderr, "%s\n", error.what());
    parconv::MpiEnvironment::abort(static_cast<int>(error.code()));
  }
}
