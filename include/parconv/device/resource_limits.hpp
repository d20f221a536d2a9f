// SPDX-License-Identifier: Apache-2.0
// The limits of this process and of this host: memory, open files, threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parconv/core/error.hpp"
#include "parconv/core/types.hpp"

namespace parconv {

/// Whose memory a limit counts.
enum class LimitScope { Process, Host };

/// A limit on memory, and the part of it that is still free.
struct MemoryLimit {
  std::string name{};  ///< for messages: "the cgroup /sys/fs/cgroup/job", "ulimit -v", "the host"
  LimitScope scope = LimitScope::Host;
  std::string id{};  ///< equal for two processes of a host if both are under the same limit
  index_t total_bytes = 0;
  index_t free_bytes = 0;  ///< page cache that the kernel can drop, and swap, are free

  friend bool operator==(const MemoryLimit&, const MemoryLimit&) = default;
};

/// The limits on the memory of this process: of its cgroups and those above them, of the host, and ulimit -v and -d. Local.
/// Limits that are not known are left out.
std::vector<MemoryLimit> memory_limits();

/// The memory of this process in RAM in bytes; 0 if it is not known. Local.
index_t resident_bytes();

/// Returns the free memory of the heap to the kernel, so that limits count it as free. Local.
void release_free_heap();

/// The error of a system call on files that met a limit on open files or on memory, by its errno; nullopt for other numbers.
/// `action` begins the message: "cannot open x.h5". Local.
std::optional<Error> limit_error(const std::string& action, int error_number);

/// Throws Error(OutOfMemory), naming the limit, unless `files` further files can be opened. Local. They are closed again.
void require_open_files(int files);

/// The error of a thread or process that could not be started. It states the limits. Local.
Error thread_error(const std::string& action);

/// The error of a library that ends the process where it meets a limit. Local.
Error library_error(int exit_code);

/// Throws Error(OutOfMemory), naming the limits, unless `threads` further threads can be started. Local. They are ended again.
void require_threads(int threads);

}  // namespace parconv
