// SPDX-License-Identifier: Apache-2.0
// An error that is known to all ranks.
#pragma once

#include <string>
#include <utility>

#include "parconv/core/error.hpp"

namespace parconv {

/// The place of a failure in a job.
struct JobPlace {
  int rank = 0;
  std::string host{};
  std::string phase{};
  friend bool operator==(const JobPlace&, const JobPlace&) = default;
};

/// The error of one rank, thrown on every rank. what(), hint() and code() are those of the rank that failed.
class JobError : public Error {
 public:
  JobError(const Error& error, JobPlace place) : Error(error), place_(std::move(place)) {}

  int rank() const { return place_.rank; }
  const std::string& host() const { return place_.host; }
  const std::string& phase() const { return place_.phase; }
  const JobPlace& place() const { return place_; }

 private:
  JobPlace place_;
};

}  // namespace parconv
