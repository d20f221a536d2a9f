// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_plain_storage.hpp"

#include <cerrno>

#include "io/file_bytes.hpp"
#include "io/file_errors.hpp"
#include "io/hdf5/hdf5_runs.hpp"

namespace parconv::hdf5 {
namespace {

void read_run(int descriptor, index_t offset, std::span<char> run, const std::string& name) {
  const index_t count = read_bytes(descriptor, run, offset);
  if (count < 0) throw reading_error(name, offset, errno);
  if (count < std::ssize(run))
    throw Error(ExitCode::BadData, concat("cannot read ", name, ": the file ends at byte ", offset + count, ", before its data"),
                "It was cut while it was read; copy it again.");
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
  const DenseBoxes boxes{
      .axes = storage.axes, .file = Box::whole(storage.extents), .memory = box, .elem_bytes = storage.elem_bytes};
  const std::span<char> bytes(reinterpret_cast<char*>(elements.data()), elements.size());
  for_each_run(boxes, box, [&](index_t in_file, index_t in_memory, index_t size) {
    const auto run = bytes.subspan(static_cast<std::size_t>(in_memory), static_cast<std::size_t>(size));
    read_run(plain.descriptor, plain.first_byte + in_file, run, name);
  });
}

}  // namespace parconv::hdf5
