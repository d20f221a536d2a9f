// SPDX-License-Identifier: Apache-2.0
// Exceptions of parconv: `Error` (with an exit code) for bad input or environment, `Bug` for broken preconditions.
#pragma once

#include <source_location>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace parconv {

/// Exit codes of parconv_app, after BSD sysexits. Every `Error` carries the exit code of the job.
enum class ExitCode : int {
  Ok = 0,
  Usage = 2,          ///< an invalid command line, or a split that does not fit the ranks
  BadData = 65,       ///< an unusable model, data file or plan
  InputMissing = 66,  ///< an input that does not exist or cannot be opened
  Unavailable = 69,   ///< a device or transport that is not available
  Bug = 70,           ///< an internal error
  OutOfMemory = 71,
  CannotCreate = 73,   ///< the output cannot be created
  Io = 74,             ///< reading or writing failed, a full disk included
  Stopped = 75,        ///< stopped early; resumable
  Communication = 76,  ///< a message failed or timed out
  Config = 78,         ///< an invalid configuration of the machine or the environment
};

/// All parts formatted with `operator<<` and concatenated. Throws std::bad_alloc, which a stream otherwise keeps to itself: the
/// text would end early.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  out.exceptions(std::ios_base::badbit);
  static_cast<void>((out << ... << parts));  // void cast: with an empty pack the expression is just `out`
  return out.str();
}

/// Bad input or environment. `what()` states the request, the finding and the reason; `hint()` suggests a remedy.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

  ExitCode code() const { return code_; }
  /// Suggested remedy for the user; may be empty.
  const std::string& hint() const { return hint_; }

 private:
  ExitCode code_;
  std::string hint_;
};

/// A broken precondition or invariant: a bug in parconv or in its caller.
class Bug : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Throws `Bug` with the expression, its source location and `details`. Called by PARCONV_EXPECT.
[[noreturn]] void fail_expectation(std::string_view expression, const std::string& details,
                                   std::source_location where = std::source_location::current());

}  // namespace parconv

/// Throws `Bug` unless `condition` holds, in every build type. Further arguments are appended to the message.
#define PARCONV_EXPECT(condition, ...)                                                         \
  do {                                                                                         \
    if (!(condition)) ::parconv::fail_expectation(#condition, ::parconv::concat(__VA_ARGS__)); \
  } while (false)
