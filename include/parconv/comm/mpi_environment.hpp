// The life of MPI in one process.
#pragma once

#include <string>

namespace parconv {

/// Starts MPI and ends it. One a process, made in main before anything that communicates, destroyed after it.
///
/// When an exception leaves the scope, the destructor does not end MPI: the other ranks may wait for this one inside a message,
/// and ending MPI here would wait for them for ever. So main catches, prints, and calls `abort`:
///
///     try { MpiEnvironment mpi; ... } catch (const Error& error) { print(error); MpiEnvironment::abort(code_of(error)); }
class MpiEnvironment {
 public:
  /// Collective over all ranks of the job. If the caller has started MPI already, it is used and left running at the end.
  /// Keeps Open MPI's own file layer switched off unless the user chose one: it reports success on a full disk.
  /// Throws Error(Config) if MPI cannot run beside other threads.
  MpiEnvironment();
  ~MpiEnvironment();
  MpiEnvironment(const MpiEnvironment&) = delete;
  MpiEnvironment& operator=(const MpiEnvironment&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  const std::string& host_name() const { return host_name_; }

  /// Ends all ranks of the job at once with this exit code; for applications only. Where MPI does not run, ends the process.
  [[noreturn]] static void abort(int code);

 private:
  bool owns_mpi_ = false;
  int exceptions_at_start_ = 0;
  int rank_ = 0;
  int size_ = 1;
  std::string host_name_{};
};

}  // namespace parconv
