// SPDX-License-Identifier: Apache-2.0
// Initialisation and finalisation of MPI.
#pragma once

#include <string>

namespace parconv {

/// Initialises MPI and finalises it. One per process, constructed in main before anything that communicates and destroyed after
/// it.
///
/// The destructor does not finalise MPI while an exception propagates: other ranks may be blocked on a message of this one, and
/// MPI_Finalize would deadlock. Instead main catches, prints and calls `abort`:
///
///     try { MpiEnvironment mpi; ... } catch (const Error& error) { print(error); MpiEnvironment::abort(code_of(error)); }
class MpiEnvironment {
 public:
  /// Collective over all ranks of the job. If MPI is already initialised, it is used and not finalised. Throws Error(Config)
  /// if the MPI library provides no thread support.
  MpiEnvironment();
  ~MpiEnvironment();
  MpiEnvironment(const MpiEnvironment&) = delete;
  MpiEnvironment& operator=(const MpiEnvironment&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  const std::string& host_name() const { return host_name_; }

  /// Aborts all ranks of the job with this exit code, or this process if MPI is not running. For applications only.
  [[noreturn]] static void abort(int code);

 private:
  bool owns_mpi_ = false;
  int exceptions_at_start_ = 0;
  int rank_ = 0;
  int size_ = 1;
  std::string host_name_{};
};

}  // namespace parconv
