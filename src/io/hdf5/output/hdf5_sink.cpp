// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/hdf5/hdf5_sink.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "io/hdf5/hdf5_hyperslabs.hpp"
#include "io/hdf5/hdf5_input.hpp"
#include "io/hdf5/hdf5_part.hpp"
#include "io/hdf5/hdf5_select.hpp"
#include "io/hdf5/hdf5_threads.hpp"
#include "io/hdf5/output/hdf5_integrity.hpp"
#include "io/hdf5/output/hdf5_metadata.hpp"
#include "io/hdf5/output/hdf5_output_layout.hpp"
#include "io/hdf5/output/hdf5_partial_file.hpp"
#include "parconv/comm/coordinated.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/io/resume/partial_names.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv {
namespace {

using hdf5::Attempt;
using hdf5::Handle;

/// Upper bound on everything except the tensor's blocks: alignment, groups, scales.
constexpr index_t metadata_bytes = index_t{4} << 20;
constexpr index_t alignment_bytes = index_t{1} << 20;
/// A hyperslab is converted, hashed and written in one call; small blocks are joined up to this size.
constexpr index_t joined_bytes = index_t{1} << 20;

Handle parallel_access(const Control& control, const Attempt& creating) {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), &H5Pclose, creating);
  const MPI_Comm communicator = *static_cast<const MPI_Comm*>(control.native_handle());
  check(H5Pset_fapl_mpio(access.get(), communicator, MPI_INFO_NULL), creating);
  check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110), creating);
  check(H5Pset_all_coll_metadata_ops(access.get(), true), creating);
  check(H5Pset_coll_metadata_write(access.get(), true), creating);
  check(H5Pset_alignment(access.get(), alignment_bytes, alignment_bytes), creating);
  return access;
}

hdf5::OutputDataset output_of(const Hdf5SinkOptions& options) {
  const hdf5::FileLayout layout = hdf5::onnx_layout(options.ndims);
  return {.name = hdf5::valid_dataset_name(options.name, layout),
          .layout = layout,
          .extents = options.extents,
          .chunk = output_chunk(options.extents, options.ndims)};
}

/// Upper bound on the file size; blocks at the edges are stored in full.
index_t expected_file_bytes(const hdf5::OutputDataset& output) {
  index_t bytes = sizeof(float);
  index_t scales = 0;
  for (Axis axis : all_axes) {
    const index_t chunk = output.chunk[axis];
    bytes = checked_mul(bytes, checked_mul(ceil_div(output.extents[axis], chunk), chunk), "bytes of the output");
    scales = checked_add(scales, checked_mul(output.extents[axis], 8), "bytes of the output");
  }
  return checked_add(checked_add(bytes, scales), metadata_bytes, "bytes of the output");
}

/// The provenance of rank 0, on all ranks: attributes are written collectively.
Provenance shared(Control& control, const Provenance& mine) {
  Provenance result = mine;
  for (std::string* text : {&result.command, &result.plan_json, &result.model_sha256, &result.input_path, &result.git_rev,
                            &result.libs, &result.started, &result.job})
    *text = control.broadcast(*text);
  result.mpi_size = static_cast<int>(control.max(control.rank() == 0 ? mine.mpi_size : 0));
  return result;
}

bool is_before(const BlockRecord& a, const BlockRecord& b) {
  const auto first = [](const BlockRecord& record) {
    std::array<index_t, num_axes> index{};
    std::transform(record.box.intervals.begin(), record.box.intervals.end(), index.begin(), [](Interval i) { return i.lo; });
    return index;
  };
  return first(a) < first(b);
}

void expect_valid(Control& control, const Hdf5SinkOptions& options) {
  PARCONV_EXPECT(
      control.all_equal(concat(options.path, '\0', options.job_id, '\0', options.name, options.extents, options.ndims)),
      "ranks create different outputs");
  PARCONV_EXPECT(volume(options.extents) > 0, options.extents);
  PARCONV_EXPECT(!options.path.empty() && options.job_id.find('/') == std::string::npos, options.path, " ", options.job_id);
}

}  // namespace

/// Open HDF5 objects, closed only in Hdf5Sink::finish, since closing is collective.
struct Hdf5Sink::Impl {
  Control& control;
  hdf5::PartialFile names;
  hdf5::OutputDataset output;
  std::optional<hdf5::MpiIoName> mpi_io_name{};
  Handle file{};
  Handle dataset{};
  std::vector<BlockRecord> records{};
  std::size_t num_taken = 0;  ///< the first of them are in a record of progress
  int threads = 1;
  std::vector<std::vector<float>> staging{};
  bool has_partial_file = false;      ///< on rank 0, from creation to renaming
  hdf5::FileIdentity partial_file{};  ///< on rank 0
  index_t checked_bytes = 0;          ///< on rank 0: the size of the file that was read back

  static std::unique_ptr<Impl> make(Control& control, const Hdf5SinkOptions& options);
  ~Impl() {
    dataset.leak();
    file.leak();
  }

  bool is_first() const { return control.rank() == 0; }
  /// From the root of the file.
  std::string tensor_path() const { return concat("output/", output.name); }
  Attempt attempt(std::string_view action) const {
    return {.action = action, .object = names.partial_path, .code = ExitCode::Io};
  }

  void create(const Provenance& provenance);
  void create_file();
  void reserve_whole_file();
  void open(const ResumedFile& resumed);
  void adopt(std::span<const BlockRecord> blocks);
  hdf5::Hyperslabs hyperslabs_of(const Box& box) const;
  std::span<float> staging_of(const Box& slab, std::size_t buffer);
  void write(const Box& box, ConstView src);
  void write_hyperslab(const Box& slab, std::span<const float> elements);
  void read_hyperslab(const Box& slab, std::span<float> elements);
  void expect_hash(const BlockRecord& record, std::span<const float> elements) const;
  void read_back();
  void expect_recorded();
  void write_table();
  std::string close();
  void open_again();
  void check_file(const std::string& metadata);
  template <class Work>
  void on_first_rank(const std::string& phase, Work&& work) {
    coordinated(control, phase, [&] {
      if (is_first()) work();
    });
  }
};

void Hdf5Sink::Impl::create(const Provenance& provenance) {
  constexpr const char* phase = "creating the output";
  hdf5::silence_errors();
  // Space is reserved twice: before HDF5 opens the file, so that a full disk is a clean error, then for the actual size.
  on_first_rank(phase, [&] {
    partial_file = names.create();
    has_partial_file = true;
    names.reserve(expected_file_bytes(output));
  });
  coordinated(control, phase, [&] {
    names.expect_visible();
    mpi_io_name.emplace(names.partial_path);
  });
  coordinated(control, phase, [&] { create_file(); });
  coordinated(control, phase, [&] {
    dataset = hdf5::create_output(file.get(), output, is_first());
    hdf5::write_provenance(file.get(), provenance);
  });
  reserve_whole_file();
}

/// HDF5 keeps nothing of the earlier job but the elements: its metadata are those after creation.
void Hdf5Sink::Impl::open(const ResumedFile& resumed) {
  constexpr const char* phase = "opening the partial output";
  hdf5::silence_errors();
  on_first_rank(phase, [&] { partial_file = names.restore(resumed.file); });
  coordinated(control, phase, [&] {
    names.expect_visible();
    mpi_io_name.emplace(names.partial_path);
  });
  coordinated(control, phase, [&] {
    const Handle access = parallel_access(control, attempt("open"));
    file = Handle(H5Fopen(mpi_io_name->c_str(), H5F_ACC_RDWR, access.get()), &H5Fclose, attempt("open"));
  });
  coordinated(control, phase,
              [&] { dataset = Handle(H5Dopen2(file.get(), tensor_path().c_str(), H5P_DEFAULT), &H5Dclose, attempt("open")); });
  coordinated(control, phase, [&] {
    adopt(resumed.blocks);
    expect_recorded();
  });
}

/// Every rank checks a part of the blocks, and accounts for it.
void Hdf5Sink::Impl::adopt(std::span<const BlockRecord> blocks) {
  const Box whole = Box::whole(output.extents);
  for (std::size_t k = static_cast<std::size_t>(control.rank()); k < blocks.size();
       k += static_cast<std::size_t>(control.size())) {
    if (blocks[k].box.is_empty() || !whole.contains(blocks[k].box))
      throw Error(ExitCode::BadData, concat("the record of ", names.partial_path, " has a block outside of the output"));
    records.push_back(blocks[k]);
  }
  num_taken = records.size();
}

void Hdf5Sink::Impl::expect_recorded() {
  try {
    read_back();
  } catch (const Error& error) {
    throw Error(error.code(), error.what(), "Its disk lost data: remove the partial output, and start again.");
  }
}

std::unique_ptr<Hdf5Sink::Impl> Hdf5Sink::Impl::make(Control& control, const Hdf5SinkOptions& options) {
  const hdf5::PartialFile names{.final_path = options.path,
                                .partial_path = partial_path_of(options.path, options.job_id),
                                .replaces_existing = options.replaces_existing};
  auto impl = std::unique_ptr<Impl>(
      new Impl{.control = control, .names = names, .output = output_of(options), .threads = options.threads});
  impl->staging.resize(hdf5::num_stage_buffers(options.threads));
  return impl;
}

void Hdf5Sink::Impl::create_file() {
  Attempt creating = attempt("create");
  creating.code = ExitCode::CannotCreate;
  const Handle access = parallel_access(control, creating);
  const Handle creation = hdf5::ordered_links(H5P_FILE_CREATE);
  file = Handle(H5Fcreate(mpi_io_name->c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), &H5Fclose, creating);
}

void Hdf5Sink::Impl::reserve_whole_file() {
  // Flushing extends the file to its allocated size.
  coordinated(control, "creating the output", [&] { check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), attempt("create")); });
  on_first_rank("creating the output", [&] { names.reserve(names.size_bytes()); });
}

hdf5::Hyperslabs Hdf5Sink::Impl::hyperslabs_of(const Box& box) const {
  const hdf5::Storage storage{.axes = output.layout.axes,
                              .extents = output.extents,
                              .chunk = output.chunk,
                              .is_contiguous = false,
                              .elem_bytes = sizeof(float)};
  return hdf5::make_hyperslabs(storage, box, std::max(joined_bytes, volume(output.chunk) * index_t{sizeof(float)}));
}

std::span<float> Hdf5Sink::Impl::staging_of(const Box& slab, std::size_t buffer) {
  return std::span(staging[buffer]).first(static_cast<std::size_t>(volume(slab)));
}

/// While one hyperslab is written, others are converted and hashed.
void Hdf5Sink::Impl::write(const Box& box, ConstView src) {
  const hdf5::Hyperslabs hyperslabs = hyperslabs_of(box);
  const std::size_t first = records.size();
  hyperslabs.for_each(output.layout.axes, [&](const Box& slab) { records.push_back({.box = slab}); });
  for (auto& buffer : staging) buffer.resize(std::max(buffer.size(), static_cast<std::size_t>(volume(hyperslabs.extents))));
  const auto record_of = [&](index_t item) -> BlockRecord& { return records[first + static_cast<std::size_t>(item)]; };
  hdf5::run_stages(std::ssize(records) - static_cast<index_t>(first), threads,
                   {.caller = hdf5::CallerStage::Second,
                    .first =
                        [&](index_t item, std::size_t buffer) {
                          BlockRecord& record = record_of(item);
                          const std::span<float> elements = staging_of(record.box, buffer);
                          to_onnx_order(hdf5::part_of(src, record.box, box), elements);
                          record.hash = hdf5::hash_of(std::as_bytes(elements));
                        },
                    .second =
                        [&](index_t item, std::size_t buffer) {
                          const Box& slab = record_of(item).box;
                          write_hyperslab(slab, staging_of(slab, buffer));
                        }});
}

void Hdf5Sink::Impl::write_hyperslab(const Box& slab, std::span<const float> elements) {
  const Attempt writing = attempt("write");
  const hdf5::Selection part = hdf5::select(dataset.get(), output.layout.axes, slab, writing);
  check(H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, part.memory.get(), part.file.get(), H5P_DEFAULT, elements.data()), writing);
}

void Hdf5Sink::Impl::read_hyperslab(const Box& slab, std::span<float> elements) {
  const Attempt reading = attempt("read back");
  const hdf5::Selection part = hdf5::select(dataset.get(), output.layout.axes, slab, reading);
  check(H5Dread(dataset.get(), H5T_NATIVE_FLOAT, part.memory.get(), part.file.get(), H5P_DEFAULT, elements.data()), reading);
}

void Hdf5Sink::Impl::expect_hash(const BlockRecord& record, std::span<const float> elements) const {
  if (hdf5::hash_of(std::as_bytes(elements)) != record.hash)
    throw Error(ExitCode::Io,
                concat("block ", record.box, " of ", names.partial_path, " reads back differently from what was written"),
                "The disk or its file system lost data; choose another disk.");
}

/// While one block is read, others are hashed.
void Hdf5Sink::Impl::read_back() {
  std::size_t most_elems = 0;
  for (const BlockRecord& record : records) most_elems = std::max(most_elems, static_cast<std::size_t>(volume(record.box)));
  for (auto& buffer : staging) buffer.resize(std::max(buffer.size(), most_elems));
  const auto record_of = [&](index_t item) -> const BlockRecord& { return records[static_cast<std::size_t>(item)]; };
  const auto elements_of = [&](index_t item, std::size_t buffer) { return staging_of(record_of(item).box, buffer); };
  hdf5::run_stages(
      std::ssize(records), threads,
      {.caller = hdf5::CallerStage::First,
       .first = [&](index_t item, std::size_t buffer) { read_hyperslab(record_of(item).box, elements_of(item, buffer)); },
       .second = [&](index_t item, std::size_t buffer) { expect_hash(record_of(item), elements_of(item, buffer)); }});
}

void Hdf5Sink::Impl::write_table() {
  const index_t count = control.sum(records.size());
  std::vector<BlockRecord> all;
  for (const std::string& text : control.gather(packed(records))) unpack(text, all);
  std::sort(all.begin(), all.end(), is_before);
  Handle table;
  coordinated(control, "writing the block records", [&] { table = hdf5::create_block_table(file.get(), count, output.layout); });
  on_first_rank("writing the block records", [&] { hdf5::write_block_table(table.get(), all, output.layout); });
}

/// Returns the metadata as they were written.
std::string Hdf5Sink::Impl::close() {
  return coordinated(control, "closing the output", [&] {
    hdf5::write_complete(file.get());
    std::string metadata = hdf5::metadata_of(file.get(), tensor_path());
    dataset.close(attempt("close"));
    file.close(attempt("close"));
    return metadata;
  });
}

/// Each rank by itself, without MPI: what other programs will see.
void Hdf5Sink::Impl::open_again() {
  const Attempt opening = attempt("open again");
  const Handle access = hdf5::reading_access(opening);
  file = Handle(H5Fopen(names.partial_path.c_str(), H5F_ACC_RDONLY, access.get()), &H5Fclose, opening);
  dataset = Handle(H5Dopen2(file.get(), tensor_path().c_str(), H5P_DEFAULT), &H5Dclose, opening);
}

/// Every rank reads its own blocks, and rank 0 everything else.
void Hdf5Sink::Impl::check_file(const std::string& metadata) {
  coordinated(control, "reading the output back", [&] {
    open_again();
    read_back();
    if (is_first() && hdf5::metadata_of(file.get(), tensor_path()) != metadata)
      throw Error(ExitCode::Io, concat(names.partial_path, " reads back with other metadata than were written"),
                  "The disk or its file system lost data; choose another disk.");
    dataset.close(attempt("close"));
    file.close(attempt("close"));
    if (is_first()) checked_bytes = names.size_bytes();
  });
}

Hdf5Sink::Hdf5Sink(Control& control, const Hdf5SinkOptions& options) {
  expect_valid(control, options);
  impl_ = Impl::make(control, options);
  const Provenance provenance = shared(control, options.provenance);
  try {
    impl_->create(provenance);
  } catch (...) {
    abandon();
    throw;
  }
}

Hdf5Sink::Hdf5Sink(Control& control, const Hdf5SinkOptions& options, const ResumedFile& resumed) {
  expect_valid(control, options);
  impl_ = Impl::make(control, options);
  impl_->open(resumed);
}

Hdf5Sink::~Hdf5Sink() = default;

Extents Hdf5Sink::extents() const { return impl_->output.extents; }
Extents Hdf5Sink::chunk() const { return impl_->output.chunk; }
const std::string& Hdf5Sink::partial_path() const { return impl_->names.partial_path; }
std::string Hdf5Sink::dataset_path() const { return concat("/", impl_->tensor_path()); }

void Hdf5Sink::write(const Box& box, ConstView src) {
  PARCONV_EXPECT(Box::whole(extents()).contains(box), box, " of ", extents());
  if (box.is_empty()) return;
  PARCONV_EXPECT(is_activation_type(src.layout.type) && src.layout.extents == box.extents(), src.layout.extents, " for ", box);
  impl_->write(box, src);
}

void Hdf5Sink::finish(const std::string& finished) {
  Impl& impl = *impl_;
  index_t written = 0;
  for (const BlockRecord& record : impl.records) written += volume(record.box);
  const index_t total = impl.control.sum(written);
  PARCONV_EXPECT(total == volume(extents()), total, " elements of ", extents(), " were written");

  const std::string shared_finished = impl.control.broadcast(finished);
  impl.write_table();
  coordinated(impl.control, "writing the output", [&] {
    hdf5::write_finished(impl.file.get(), shared_finished);
    check(H5Fflush(impl.file.get(), H5F_SCOPE_GLOBAL), impl.attempt("write"));
  });
  impl.check_file(impl.close());
  impl.on_first_rank("renaming the output", [&] { impl.names.publish(impl.partial_file, impl.checked_bytes); });
  impl.has_partial_file = false;
}

void Hdf5Sink::sync() {
  coordinated(impl_->control, "writing the output", [&] {
    check(H5Fflush(impl_->file.get(), H5F_SCOPE_GLOBAL), impl_->attempt("write"));
    if (impl_->control.node_rank() == 0) impl_->names.sync();
  });
}

RecordedFile Hdf5Sink::recorded_file() {
  sync();
  return coordinated(impl_->control, "creating the output", [&] {
    const Interval elements = hdf5::element_bytes(impl_->dataset.get(), impl_->output);
    return impl_->is_first() ? impl_->names.record(elements) : RecordedFile{};
  });
}

std::vector<BlockRecord> Hdf5Sink::take_blocks(index_t samples) {
  std::vector<BlockRecord>& records = impl_->records;
  const auto first = records.begin() + static_cast<std::ptrdiff_t>(impl_->num_taken);
  const auto end =
      std::stable_partition(first, records.end(), [&](const BlockRecord& each) { return each.box[Axis::N].hi <= samples; });
  impl_->num_taken = static_cast<std::size_t>(end - records.begin());
  return {first, end};
}

void Hdf5Sink::suspend() {
  coordinated(impl_->control, "closing the output", [&] {
    impl_->dataset.close(impl_->attempt("close"));
    impl_->file.close(impl_->attempt("close"));
  });
  impl_->has_partial_file = false;
}

void Hdf5Sink::abandon() noexcept {
  if (std::exchange(impl_->has_partial_file, false)) impl_->names.remove();
}

}  // namespace parconv
