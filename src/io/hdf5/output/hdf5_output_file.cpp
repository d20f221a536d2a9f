// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/output/hdf5_output_file.hpp"

#include <algorithm>
#include <vector>

#include "io/hdf5/hdf5_input.hpp"
#include "io/hdf5/hdf5_select.hpp"
#include "io/hdf5/hdf5_threads.hpp"
#include "io/hdf5/hdf5_types.hpp"
#include "io/hdf5/output/hdf5_integrity.hpp"
#include "io/hdf5/output/hdf5_metadata.hpp"

namespace parconv::hdf5 {
namespace {

constexpr const char* lost_hint = "The disk or its file system lost data; choose another disk.";
constexpr index_t alignment_bytes = index_t{1} << 20;

Handle writing_access(const Attempt& attempt) {
  Handle access = reading_access(attempt);
  check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110), attempt);
  check(H5Pset_alignment(access.get(), alignment_bytes, alignment_bytes), attempt);
  return access;
}

/// Runs `work` on the file and closes it. After an error it stays open: closing it would write again.
template <class Work>
std::string on_file(Handle file, const Attempt& closing, const OutputDataset& output, Work&& work) {
  try {
    work(file.get());
    std::string metadata = metadata_of(file.get(), output.path());
    file.close(closing);
    return metadata;
  } catch (const Error&) {
    file.leak();
    throw;
  }
}

}  // namespace

std::string create_file(const std::string& path, const OutputDataset& output, const Provenance& provenance) {
  const Attempt creating{.action = "create", .object = path, .code = ExitCode::CannotCreate};
  const Handle access = writing_access(creating), creation = ordered_links(H5P_FILE_CREATE);
  Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), &H5Fclose, creating);
  return on_file(std::move(file), {.action = "write", .object = path}, output, [&](hid_t opened) {
    create_output(opened, output);
    write_provenance(opened, provenance);
  });
}

std::string complete_file(const std::string& path, const OutputDataset& output, const Completion& completion) {
  const Attempt writing{.action = "write", .object = path};
  const Handle access = writing_access(writing);
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.get()), &H5Fclose, writing);
  return on_file(std::move(file), writing, output, [&](hid_t opened) {
    write_block_table(opened, completion.blocks, output.layout);
    write_finished(opened, completion.finished);
    write_complete(opened);
  });
}

OutputReader::OutputReader(const std::string& path, const OutputDataset& output) : path_(path), output_(output) {
  const Attempt opening{.action = "open again", .object = path_};
  const Handle access = reading_access(opening);
  file_ = Handle(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access.get()), &H5Fclose, opening);
  dataset_ = Handle(H5Dopen2(file_.get(), output_.path().c_str(), H5P_DEFAULT), &H5Dclose, opening);
}

void OutputReader::expect_metadata(const std::string& written) const {
  if (metadata_of(file_.get(), output_.path()) != written)
    throw Error(ExitCode::Io, concat(path_, " reads back with other metadata than were written"), lost_hint);
}

void OutputReader::expect_blocks(std::span<const BlockRecord> records, int threads) const {
  const auto bytes_of = [&](const BlockRecord& record) {
    return static_cast<std::size_t>(volume(record.box)) * size_of(output_.type);
  };
  std::size_t most_bytes = 0;
  for (const BlockRecord& record : records) most_bytes = std::max(most_bytes, bytes_of(record));
  std::vector<std::vector<std::byte>> staging(num_stage_buffers(threads), std::vector<std::byte>(most_bytes));
  const auto record_of = [&](index_t item) -> const BlockRecord& { return records[static_cast<std::size_t>(item)]; };
  const auto elements_of = [&](index_t item, std::size_t buffer) {
    return std::span(staging[buffer]).first(bytes_of(record_of(item)));
  };
  run_stages(std::ssize(records), threads,
             {.caller = CallerStage::First,
              .first = [&](index_t item, std::size_t buffer) { read(record_of(item).box, elements_of(item, buffer)); },
              .second = [&](index_t item, std::size_t buffer) { expect_hash(record_of(item), elements_of(item, buffer)); }});
}

void OutputReader::read(const Box& box, std::span<std::byte> elements) const {
  const Attempt reading{.action = "read back", .object = path_};
  const Selection part = select(dataset_.get(), output_.layout.axes, box, reading);
  const Handle type = native_type(output_.type);
  check(H5Dread(dataset_.get(), type.get(), part.memory.get(), part.file.get(), H5P_DEFAULT, elements.data()), reading);
}

void OutputReader::expect_hash(const BlockRecord& record, std::span<const std::byte> elements) const {
  if (hash_of(elements) != record.hash)
    throw Error(ExitCode::Io, concat("block ", record.box, " of ", path_, " reads back differently from what was written"),
                lost_hint);
}

void OutputReader::close() {
  const Attempt closing{.action = "close", .object = path_};
  dataset_.close(closing);
  file_.close(closing);
}

}  // namespace parconv::hdf5
