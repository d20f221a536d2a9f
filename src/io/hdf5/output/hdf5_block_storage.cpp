// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/output/hdf5_block_storage.hpp"

#include <fcntl.h>

#include <cerrno>

#include "io/file_bytes.hpp"
#include "io/file_errors.hpp"
#include "io/hdf5/hdf5_hyperslabs.hpp"
#include "io/hdf5/hdf5_runs.hpp"

namespace parconv::hdf5 {
namespace {

/// Locks bytes of a file against other open file descriptions, also those of other hosts, for its lifetime. Does nothing on file
/// systems without locks.
class RangeLock {
 public:
  RangeLock(const WrittenFile& file, index_t first, index_t size) : descriptor_(file.is_shared_by_hosts ? file.descriptor : -1) {
    range_.l_whence = SEEK_SET;
    range_.l_start = first;
    range_.l_len = size;
    if (size == 0) descriptor_ = -1;
    set(F_WRLCK);
  }
  ~RangeLock() { set(F_UNLCK); }
  RangeLock(const RangeLock&) = delete;
  RangeLock& operator=(const RangeLock&) = delete;

 private:
  void set(short type) {
    range_.l_type = type;
    while (descriptor_ >= 0 && ::fcntl(descriptor_, F_OFD_SETLKW, &range_) != 0)
      if (errno != EINTR) descriptor_ = -1;
  }

  int descriptor_;
  struct flock range_{};
};

/// Joins runs that follow each other in the file and in memory: many small blocks are one write.
class JoinedWrites {
 public:
  JoinedWrites(const WrittenFile& file, std::span<const char> bytes) : file_(file), bytes_(bytes) {}

  void add(index_t in_file, index_t in_memory, index_t size) {
    if (in_file != in_file_ + size_ || in_memory != in_memory_ + size_) {
      flush();
      in_file_ = in_file;
      in_memory_ = in_memory;
      size_ = 0;
    }
    size_ += size;
  }

  void flush() const {
    const RangeLock lock(file_, in_file_, size_);
    const auto run = bytes_.subspan(static_cast<std::size_t>(in_memory_), static_cast<std::size_t>(size_));
    if (write_bytes(file_.descriptor, run, in_file_)) return;
    const int error = errno;
    throw Error(ExitCode::Io,
                concat("cannot write the output ", file_.path, " at byte ", in_file_, ": ", words_of(error, file_.path, size_)),
                writing_hint(error));
  }

 private:
  const WrittenFile& file_;
  std::span<const char> bytes_;
  index_t in_file_ = 0;
  index_t in_memory_ = 0;
  index_t size_ = 0;
};

}  // namespace

index_t BlockStorage::num_blocks() const {
  index_t count = 1;
  for (const Axis axis : axes) count *= ceil_div(extents[axis], chunk[axis]);
  return count;
}

index_t BlockStorage::block_bytes() const { return volume(chunk) * elem_bytes; }

Interval BlockStorage::bytes() const { return {first_byte, first_byte + (num_blocks() - 1) * stride_bytes + block_bytes()}; }

Extents BlockStorage::first_of(index_t block) const {
  Extents first{};
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    const index_t along = ceil_div(extents[*axis], chunk[*axis]);
    first[*axis] = block % along * chunk[*axis];
    block /= along;
  }
  return first;
}

index_t BlockStorage::block_of(const Extents& element) const {
  index_t block = 0;
  for (const Axis axis : axes) block = block * ceil_div(extents[axis], chunk[axis]) + element[axis] / chunk[axis];
  return block;
}

void write_elements(const WrittenFile& file, const BlockStorage& storage, const Box& box, std::span<const std::byte> elements) {
  Hyperslabs parts{.box = box, .first = {}, .extents = storage.chunk};  // within one block each
  for (const Axis axis : all_axes) parts.first[axis] = floor_div(box[axis].lo, storage.chunk[axis]) * storage.chunk[axis];
  JoinedWrites writes(file, {reinterpret_cast<const char*>(elements.data()), elements.size_bytes()});
  parts.for_each(storage.axes, [&](const Box& part) {
    Extents element{};
    for (const Axis axis : all_axes) element[axis] = part[axis].lo;
    const index_t number = storage.block_of(element);
    const Extents first = storage.first_of(number);
    Box block;
    for (const Axis axis : all_axes) block[axis] = {first[axis], first[axis] + storage.chunk[axis]};
    const index_t at = storage.first_byte + number * storage.stride_bytes;
    for_each_run({.axes = storage.axes, .file = block, .memory = box, .elem_bytes = storage.elem_bytes}, part,
                 [&](index_t in_file, index_t in_memory, index_t size) { writes.add(at + in_file, in_memory, size); });
  });
  writes.flush();
}

}  // namespace parconv::hdf5
