// SPDX-License-Identifier: Apache-2.0
// The fault that a preloaded library injects into calls for files, from PARCONV_FILE_FAULT. Nothing here allocates or locks: the
// calls come from any thread, and from signal handlers.
#pragma once

#include <array>
#include <atomic>
#include <string_view>

namespace parconv::faults {

enum class Operation { None, Read, Write, Sync, Rename, Open, Close, Truncate, Allocate };
enum class Kind { Error, Lost, Flipped, Short, Slow, Hanging };

/// PARCONV_FILE_FAULT="op=write,kind=ENOSPC,file=.partial-,nth=3": the call number 3 (from 0) of this process that writes a file
/// whose name contains ".partial-". Further fields: not=TEXT (names that do not count), from=1 (all calls from nth on),
/// rank=R, ms=T (kind=slow), fired=PATH (a file that is created when a fault is injected).
struct FileFault {
  Operation operation = Operation::None;
  Kind kind = Kind::Error;
  int error = 0;
  std::string_view file{};
  std::string_view excluded{};
  long nth = 0;
  bool is_permanent = false;
  long milliseconds = 0;
  std::array<char, 512> fired{};

  /// The fault of this process; none unless a launcher gave it the rank.
  static const FileFault& of_process();

  /// Counts a call. True if the fault is due.
  bool is_due(Operation called, std::string_view path) const;
  bool is_due(Operation called, int descriptor) const;
};

/// Sleeps or hangs, if the fault does that.
void delay(const FileFault& fault);

}  // namespace parconv::faults
