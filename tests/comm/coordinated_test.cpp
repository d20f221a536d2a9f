// SPDX-License-Identifier: Apache-2.0
// Failures of one or more ranks become one error on all ranks.
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "parconv/comm/coordinated.hpp"
#include "support/mpi_test.hpp"

namespace parconv {
namespace {

using test::control;
using test::num_ranks;
using test::rank;

/// The error on all ranks when the ranks of `does_fail` call `fail`.
std::optional<JobError> error_of(const std::function<bool(int)>& does_fail, const std::function<void()>& fail) {
  try {
    coordinated(control(), "reading", [&] {
      if (does_fail(rank())) fail();
    });
  } catch (const JobError& error) {
    return error;
  }
  return std::nullopt;
}

struct Case {
  const char* name;
  std::function<void()> fail;
  ExitCode code;
  const char* message;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"Error", [] { throw Error(ExitCode::BadData, "a bad file", "give another"); }, ExitCode::BadData, "a bad file"},
      {"Bug", [] { throw Bug("broken"); }, ExitCode::Bug, "broken"},
      {"BadAlloc", [] { throw std::bad_alloc(); }, ExitCode::OutOfMemory, "not enough memory"},
      {"LengthError", [] { std::vector<char>().reserve(static_cast<std::size_t>(-1)); }, ExitCode::OutOfMemory,
       "not enough memory"},
      {"NoMemory", [] { throw std::system_error(ENOMEM, std::generic_category(), "mapping"); }, ExitCode::OutOfMemory,
       "not enough memory"},
      {"Odd", [] { throw std::system_error(EDOM, std::generic_category(), "odd"); }, ExitCode::Bug,
       "odd: Numerical argument out of domain"},
      {"StdException", [] { throw std::runtime_error("odd"); }, ExitCode::Bug, "odd"},
      {"Unknown", [] { throw 42; }, ExitCode::Bug, "an exception of unknown type"},
  };
  return all;
}

TEST(Coordinated, ReturnsTheResultOfTheWork) {
  EXPECT_EQ(coordinated(control(), "counting", [] { return 10 + rank(); }), 10 + rank());
  const auto owner = coordinated(control(), "making", [] { return std::make_unique<int>(rank()); });
  EXPECT_EQ(*owner, rank());
  EXPECT_EQ(error_of([](int) { return false; }, [] {}), std::nullopt);
}

TEST(Coordinated, ThrowsTheErrorOfOneRankOnAll) {
  for (const Case& each : cases()) {
    for (int failing = 0; failing < num_ranks(); ++failing) {
      SCOPED_TRACE(concat(each.name, " on rank ", failing));
      const std::optional<JobError> error = error_of([=](int r) { return r == failing; }, each.fail);
      ASSERT_TRUE(error.has_value());
      EXPECT_EQ(error->code(), each.code);
      EXPECT_STREQ(error->what(), each.message);
      EXPECT_EQ(error->rank(), failing);
      EXPECT_EQ(error->host(), control().host_names()[static_cast<std::size_t>(failing)]);
      EXPECT_EQ(error->phase(), "reading");
    }
  }
}

TEST(Coordinated, KeepsTheHint) {
  const auto error = error_of([](int r) { return r == num_ranks() - 1; }, cases()[0].fail);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->hint(), "give another");
}

TEST(Coordinated, ThrowsTheErrorOfTheLowestRank) {
  for (int lowest = 0; lowest < num_ranks(); ++lowest) {
    const auto error =
        error_of([=](int r) { return r >= lowest; }, [] { throw Error(ExitCode::Io, concat("disk of rank ", rank())); });
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->rank(), lowest);
    EXPECT_EQ(error->what(), concat("disk of rank ", lowest));
  }
}

TEST(Coordinated, ThrowsFromWorkThatReturnsAValue) {
  const auto work = []() -> int {
    if (rank() == 0) throw Bug("no value");
    return 1;
  };
  EXPECT_THROW(coordinated(control(), "counting", work), JobError);
}

TEST(Coordinated, KeepsThePlaceOfAnInnerError) {
  const int failing = num_ranks() - 1;
  const auto inner = [&] {
    coordinated(control(), "inner", [&] {
      if (rank() == failing) throw Error(ExitCode::Usage, "no");
    });
  };
  try {
    coordinated(control(), "outer", inner);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const JobError& error) {
    EXPECT_EQ(error.place(), (JobPlace{failing, control().host_names()[static_cast<std::size_t>(failing)], "inner"}));
    EXPECT_EQ(error.code(), ExitCode::Usage);
  }
}

TEST(Coordinated, LeavesTheRanksInStep) {
  for (int i = 0; i < 20; ++i) {
    const auto error = error_of([=](int r) { return r == i % (num_ranks() + 1); }, [] { throw Bug("again"); });
    EXPECT_EQ(error.has_value(), i % (num_ranks() + 1) < num_ranks());
    EXPECT_EQ(control().sum(1), num_ranks());
  }
}

}  // namespace
}  // namespace parconv
