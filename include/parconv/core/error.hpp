// The exceptions of parconv: bad input and environment are `Error`s with an exit code, broken preconditions are `Bug`s.
#pragma once

#include <source_location>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace parconv {

/// Exit codes of parconv_app (after BSD sysexits); every `Error` carries the one it ends the job with.
enum class ExitCode : int {
  Ok = 0,
  Usage = 2,          ///< a wrong command line, or a split that does not fit the ranks
  BadData = 65,       ///< a model, data file or plan that cannot be used as it is
  InputMissing = 66,  ///< an input that does not exist or cannot be opened
  Unavailable = 69,   ///< a device or a transport that is not there
  Bug = 70,           ///< our own mistake
  OutOfMemory = 71,
  CannotCreate = 73,   ///< the output cannot be created
  Io = 74,             ///< reading or writing failed, a full disk included
  Stopped = 75,        ///< stopped early; can be resumed
  Communication = 76,  ///< a message failed or a deadline passed
  Config = 78,         ///< a wrong configuration of the machine or the environment
};

/// The parts of a message, written one after the other with `operator<<`.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  static_cast<void>((out << ... << parts));  // the cast: with no parts nothing is written
  return out.str();
}

/// Bad input or environment. `what()` says what was asked, what was found and why that cannot be; `hint()` what to do.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

  ExitCode code() const { return code_; }
  /// What the user can do about it; may be empty.
  const std::string& hint() const { return hint_; }

 private:
  ExitCode code_;
  std::string hint_;
};

/// A broken precondition or invariant: a mistake of parconv or of a program that calls it.
class Bug : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Throws `Bug` with the expression, its place and `details`. Use PARCONV_EXPECT.
[[noreturn]] void fail_expectation(std::string_view expression, const std::string& details,
                                   std::source_location where = std::source_location::current());

}  // namespace parconv

/// Checks a precondition in every build; further arguments are printed with their values in the message.
#define PARCONV_EXPECT(condition, ...)                                                         \
  do {                                                                                         \
    if (!(condition)) ::parconv::fail_expectation(#condition, ::parconv::concat(__VA_ARGS__)); \
  } while (false)
