// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/output/hdf5_integrity.hpp"

#include <xxhash.h>

#include <vector>

#include "io/hdf5/hdf5_attributes.hpp"
#include "io/hdf5/output/hdf5_output_layout.hpp"

namespace parconv::hdf5 {
namespace {

constexpr Attempt recording{.action = "write", .object = "/integrity", .code = ExitCode::Io};

/// Table row of 64-bit fields: first index per axis, extent per axis, hash, state.
Handle row_type(const FileLayout& layout) {
  const hsize_t num_axes_stored = layout.axes.size();
  const std::size_t list_bytes = 8 * layout.axes.size();
  const Handle list(H5Tarray_create2(H5T_NATIVE_INT64, 1, &num_axes_stored), &H5Tclose, recording);
  Handle row(H5Tcreate(H5T_COMPOUND, 2 * list_bytes + 16), &H5Tclose, recording);
  check(H5Tinsert(row.get(), "first", 0, list.get()), recording);
  check(H5Tinsert(row.get(), "extent", list_bytes, list.get()), recording);
  check(H5Tinsert(row.get(), "xxh64", 2 * list_bytes, H5T_NATIVE_UINT64), recording);
  check(H5Tinsert(row.get(), "state", 2 * list_bytes + 8, H5T_NATIVE_UINT64), recording);
  return row;
}

std::vector<std::uint64_t> rows_of(std::span<const BlockRecord> records, const FileLayout& layout) {
  std::vector<std::uint64_t> rows;
  for (const BlockRecord& record : records) {
    for (Axis axis : layout.axes) rows.push_back(static_cast<std::uint64_t>(record.box[axis].lo));
    for (Axis axis : layout.axes) rows.push_back(static_cast<std::uint64_t>(record.box[axis].size()));
    rows.push_back(record.hash);
    rows.push_back(static_cast<std::uint64_t>(record.state));
  }
  return rows;
}

}  // namespace

std::uint64_t hash_of(std::span<const std::byte> bytes) { return XXH64(bytes.data(), bytes.size(), 0); }

void write_block_table(hid_t file, std::span<const BlockRecord> records, const FileLayout& layout) {
  const Handle group = create_group(file, "integrity"), type = row_type(layout);
  const auto size = static_cast<hsize_t>(records.size());
  const Handle space(H5Screate_simple(1, &size, nullptr), &H5Sclose, recording);
  const Handle table(H5Dcreate2(group.get(), "blocks", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), &H5Dclose,
                     recording);
  const std::vector<std::uint64_t> rows = rows_of(records, layout);
  check(H5Dwrite(table.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data()), recording);
}

void write_complete(hid_t file) {
  const Handle group(H5Gopen2(file, "integrity", H5P_DEFAULT), &H5Gclose, recording);
  write_attribute(group.get(), "complete", 1);
}

}  // namespace parconv::hdf5
