// SPDX-License-Identifier: Apache-2.0
// Work in a child process, which may crash.
#pragma once

#include <functional>
#include <string>

namespace parconv::test {

/// Limits of a child process. Memory is limited by its data segment, unlimited under sanitizers, which reserve more.
struct SandboxLimits {
  int seconds = 10;  ///< of CPU time, and of wall time
  long memory_bytes = 2L << 30;
};

/// The text that `work` returned, or its end: "signal 11 (Segmentation fault)", "no result".
struct SandboxResult {
  bool is_finished = false;
  std::string text{};
};

/// Runs `work` in a forked child and returns its text. Precondition: the parent has no other threads.
SandboxResult run_in_sandbox(const std::function<std::string()>& work, const SandboxLimits& limits = {});

}  // namespace parconv::test
