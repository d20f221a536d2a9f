// SPDX-License-Identifier: Apache-2.0
// Errors that reach no exception handler of the program.
#pragma once

#include <exception>
#include <functional>

namespace parconv::app {

/// While it exists, an exception that nothing catches, in a thread or a destructor, and a call of exit() in a library, which is
/// how OpenMP reports that it cannot start a thread, end the job with a message. One object at a time.
class LastResort {
 public:
  /// `end` must not return; it may be called on any thread. `may_speak` is asked where memory is too short for `end`, and must
  /// not allocate.
  LastResort(std::function<void(const std::exception_ptr&)> end, std::function<bool()> may_speak);
  ~LastResort();
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;

  /// Called first in main: without an object, a lack of memory that nothing catches ends the process with its message.
  static void install();
  /// Handles exit() before what libraries have registered for it so far, which may communicate and wait for other ranks.
  static void come_first();
  /// Called by `end`: this thread ends the process, and exit() is part of that. Does not return on a second thread.
  static void begin_end();
  /// The same for a thread that ends the process because the others may be blocked.
  static void take_over();

 private:
  static void on_terminate();
  static void on_exit(int status, void*);
  [[noreturn]] static void end_without_memory(bool speaks);

  std::function<void(const std::exception_ptr&)> end_;
  std::function<bool()> may_speak_;
};

}  // namespace parconv::app
