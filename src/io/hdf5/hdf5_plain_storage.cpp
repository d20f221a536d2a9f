// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_plain_storage.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "parconv/tensor/loops.hpp"

namespace parconv::hdf5 {
namespace {

/// The loops of reading a box, in bytes: "src" is the file, "dst" the dense elements.
LoopNest loops_of(const Storage& storage, const Box& box) {
  std::array<Loop, num_axes> loops;
  std::size_t k = storage.axes.size();
  index_t in_file = storage.elem_bytes, in_memory = storage.elem_bytes;
  for (auto axis = storage.axes.rbegin(); axis != storage.axes.rend(); ++axis) {
    loops[--k] = {.extent = box[*axis].size(), .src_stride = in_file, .dst_stride = in_memory};
    in_file *= storage.extents[*axis];
    in_memory *= box[*axis].size();
  }
  return LoopNest(std::span(loops).first(storage.axes.size()));
}

/// Bytes that are contiguous in the file: those of the fastest loop if it goes from element to element.
index_t take_run(LoopNest& nest, index_t elem_bytes) {
  if (nest.loops().empty() || nest.loops().back().src_stride != elem_bytes) return elem_bytes;
  return nest.pop_fastest().extent * elem_bytes;
}

index_t first_byte_of(const PlainStorage& plain, const Storage& storage, const Box& box) {
  index_t elem = 0;
  for (const Axis axis : storage.axes) elem = elem * storage.extents[axis] + box[axis].lo;
  return plain.first_byte + elem * storage.elem_bytes;
}

void read_run(int descriptor, index_t offset, std::span<std::byte> run, const std::string& name) {
  while (!run.empty()) {
    const ssize_t read = ::pread(descriptor, run.data(), run.size(), offset);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) throw Error(ExitCode::Io, concat("cannot read ", name, " at byte ", offset, ": ", std::strerror(errno)));
    if (read == 0)
      throw Error(ExitCode::BadData, concat("cannot read ", name, ": the file ends at byte ", offset, ", before its data"),
                  "It was cut while it was read; copy it again.");
    run = run.subspan(static_cast<std::size_t>(read));
    offset += read;
  }
}

bool is_in_native_order(const InputDataset& input, const Attempt& attempt) {
  const Handle type(H5Dget_type(input.dataset.get()), &H5Tclose, attempt);
  return check(H5Tequal(type.get(), input.memory_type.get()), attempt) > 0;
}

}  // namespace

std::optional<PlainStorage> plain_storage(const InputDataset& input) {
  const Attempt attempt{.action = "look at data set", .object = input.name, .code = ExitCode::BadData};
  const haddr_t offset = input.chunk.empty() ? H5Dget_offset(input.dataset.get()) : HADDR_UNDEF;
  if (offset == HADDR_UNDEF || !is_in_native_order(input, attempt)) return std::nullopt;
  void* descriptor = nullptr;
  check(H5Fget_vfd_handle(input.file.get(), H5P_DEFAULT, &descriptor), attempt);
  return PlainStorage{.descriptor = *static_cast<int*>(descriptor), .first_byte = static_cast<index_t>(offset)};
}

void read_plain(const PlainStorage& plain, const Storage& storage, const Box& box, std::span<std::byte> elements,
                const std::string& name) {
  LoopNest nest = loops_of(storage, box);
  const auto run_bytes = static_cast<std::size_t>(take_run(nest, storage.elem_bytes));
  const index_t first = first_byte_of(plain, storage, box);
  nest.for_each([&](index_t in_file, index_t in_memory) {
    read_run(plain.descriptor, first + in_file, elements.subspan(static_cast<std::size_t>(in_memory), run_bytes), name);
  });
}

}  // namespace parconv::hdf5
