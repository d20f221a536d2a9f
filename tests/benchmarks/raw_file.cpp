// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/raw_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "parconv/core/error.hpp"
#include "parconv/tensor/threads.hpp"

namespace parconv::bench {
namespace {

/// Calls `transfer` until all bytes of a run are moved; returns whether that worked.
template <class Byte, class Transfer>
bool move_run(const FileRun& run, Byte* memory, Transfer transfer) {
  for (index_t done = 0; done < run.size_bytes;) {
    const ssize_t moved = transfer(memory + done, static_cast<std::size_t>(run.size_bytes - done), run.offset_bytes + done);
    if (moved <= 0) return false;
    done += moved;
  }
  return true;
}

/// Every thread moves its part of each run.
template <class Byte, class Transfer>
void move_runs(std::span<const FileRun> runs, std::span<Byte> memory, int threads, Transfer transfer) {
  std::atomic<bool> has_failed = false;
  const auto work = [&](int thread) {
    Byte* at = memory.data();
    for (const FileRun& run : runs) {
      const Interval part = equal_part(run.size_bytes, thread, threads);
      if (!move_run({run.offset_bytes + part.lo, part.size()}, at + part.lo, transfer)) has_failed = true;
      at += run.size_bytes;
    }
  };
  on_threads(threads, std::cref(work));
  if (has_failed) throw Error(ExitCode::Io, concat("cannot read or write: ", std::strerror(errno)));
}

int opened(const std::string& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  if (descriptor < 0) throw Error(ExitCode::Io, concat("cannot open ", path, ": ", std::strerror(errno)));
  return descriptor;
}

}  // namespace

RawFile::RawFile(const std::string& path) : descriptor_(opened(path, O_RDONLY)) {}

RawFile::RawFile(const std::string& path, index_t size_bytes) : descriptor_(opened(path, O_RDWR | O_CREAT | O_TRUNC)) {
  const int error = ::posix_fallocate(descriptor_, 0, size_bytes);
  if (error != 0) throw Error(ExitCode::Io, concat("no space for ", path, ": ", std::strerror(error)));
}

RawFile::~RawFile() { ::close(descriptor_); }

void RawFile::read(std::span<const FileRun> runs, std::span<std::byte> memory, int threads) const {
  move_runs(runs, memory, threads,
            [this](std::byte* to, std::size_t bytes, index_t at) { return ::pread(descriptor_, to, bytes, at); });
}

void RawFile::write(std::span<const FileRun> runs, std::span<const std::byte> memory, int threads) const {
  move_runs(runs, memory, threads,
            [this](const std::byte* from, std::size_t bytes, index_t at) { return ::pwrite(descriptor_, from, bytes, at); });
}

void RawFile::sync() const {
  if (::fsync(descriptor_) != 0) throw Error(ExitCode::Io, concat("cannot sync: ", std::strerror(errno)));
}

}  // namespace parconv::bench
