// Work in a process of its own, which may die.
#pragma once

#include <functional>
#include <string>

namespace parconv::test {

/// Bounds of a child process. Memory is bounded by its data segment, and not at all where a sanitizer needs more for itself.
struct SandboxLimits {
  int seconds = 10;  ///< of the processor, and by the clock
  long memory_bytes = 2L << 30;
};

/// What `work` returned, or how it ended: "signal 11 (Segmentation fault)", "no result".
struct SandboxResult {
  bool is_finished = false;
  std::string text{};
};

/// Runs `work` in a forked child and returns its text. The parent must not have started threads.
SandboxResult run_in_sandbox(const std::function<std::string()>& work, const SandboxLimits& limits = {});

}  // namespace parconv::test
