// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/hdf5/hdf5_sink.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <span>
#include <utility>

#include "io/hdf5/hdf5_hyperslabs.hpp"
#include "io/hdf5/hdf5_part.hpp"
#include "io/hdf5/hdf5_threads.hpp"
#include "io/hdf5/output/hdf5_integrity.hpp"
#include "io/hdf5/output/hdf5_output_file.hpp"
#include "io/hdf5/output/hdf5_partial_file.hpp"
#include "parconv/comm/coordinated.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/io/resume/partial_names.hpp"
#include "parconv/tensor/convert.hpp"
#include "parconv/tensor/round_numbers.hpp"

namespace parconv {
namespace {

/// Upper bound on everything except the tensor's blocks: alignment, groups, scales.
constexpr index_t metadata_bytes = index_t{4} << 20;
/// A hyperslab is converted, hashed and written in one call; small blocks are joined up to this size.
constexpr index_t joined_bytes = index_t{1} << 20;

hdf5::OutputDataset output_of(const Hdf5SinkOptions& options) {
  const hdf5::FileLayout layout = hdf5::onnx_layout(options.ndims);
  return {.name = hdf5::valid_dataset_name(options.name, layout),
          .layout = layout,
          .extents = options.extents,
          .chunk = output_chunk(options.extents, options.ndims),
          .type = options.type};
}

/// Upper bound on the file size; blocks at the edges are stored in full.
index_t expected_file_bytes(const hdf5::OutputDataset& output) {
  auto bytes = static_cast<index_t>(size_of(output.type));
  index_t scales = 0;
  for (Axis axis : all_axes) {
    const index_t chunk = output.chunk[axis];
    bytes = checked_mul(bytes, checked_mul(ceil_div(output.extents[axis], chunk), chunk), "bytes of the output");
    scales = checked_add(scales, checked_mul(output.extents[axis], 8), "bytes of the output");
  }
  return checked_add(checked_add(bytes, scales), metadata_bytes, "bytes of the output");
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
  PARCONV_EXPECT(control.all_equal(concat(options.path, '\0', options.job_id, '\0', options.name, options.extents, options.ndims,
                                          name_of(options.type))),
                 "ranks create different outputs");
  PARCONV_EXPECT(volume(options.extents) > 0, options.extents);
  PARCONV_EXPECT(!options.path.empty() && options.job_id.find('/') == std::string::npos, options.path, " ", options.job_id);
}

}  // namespace

/// Buffers of a thread that writes.
struct Staging {
  std::vector<float> numbers{};
  std::vector<std::byte> rounded{};  ///< empty for f32
};

struct Hdf5Sink::Impl {
  Control& control;
  hdf5::PartialFile names;
  hdf5::OutputDataset output;
  int threads = 1;
  bool is_shared_by_hosts = false;
  hdf5::BlockStorage storage{};
  Descriptor descriptor{};
  std::vector<BlockRecord> records{};
  std::size_t num_taken = 0;  ///< the first of them are in a record of progress
  std::vector<Staging> staging{};
  bool has_partial_file = false;      ///< on rank 0, from creation to renaming
  hdf5::FileIdentity partial_file{};  ///< on rank 0
  index_t checked_bytes = 0;          ///< on rank 0: the size of the file that was read back

  static std::unique_ptr<Impl> make(Control& control, const Hdf5SinkOptions& options);

  bool is_first() const { return control.rank() == 0; }
  void create(const Provenance& provenance);
  void resume(const ResumedFile& resumed);
  void adopt(std::span<const BlockRecord> blocks);
  void expect_recorded(const hdf5::OutputReader& reader) const;
  std::vector<Box> hyperslabs_of(const Box& box) const;
  void write(const Box& box, ConstView src);
  BlockRecord write_hyperslab(const Box& slab, ConstView src, Staging& buffer) const;
  std::span<const std::byte> staged(const Box& slab, ConstView src, Staging& buffer) const;
  std::vector<BlockRecord> all_records();
  std::string complete(const std::string& finished);
  void check_file(const std::string& metadata);
  template <class Work>
  void on_first_rank(const std::string& phase, Work&& work) {
    coordinated(control, phase, [&] {
      if (is_first()) work();
    });
  }
};

std::unique_ptr<Hdf5Sink::Impl> Hdf5Sink::Impl::make(Control& control, const Hdf5SinkOptions& options) {
  hdf5::silence_errors();
  const hdf5::PartialFile names{.final_path = options.path,
                                .partial_path = partial_path_of(options.path, options.job_id),
                                .replaces_existing = options.replaces_existing};
  const std::vector<int> nodes = control.nodes();
  return std::unique_ptr<Impl>(new Impl{.control = control,
                                        .names = names,
                                        .output = output_of(options),
                                        .threads = options.threads,
                                        .is_shared_by_hosts = std::ranges::any_of(nodes, [](int node) { return node > 0; })});
}

/// Every rank opens the file as other programs will, so that metadata that the disk has lost are found now.
void Hdf5Sink::Impl::create(const Provenance& provenance) {
  constexpr const char* phase = "creating the output";
  std::string metadata;
  // Space is reserved twice: before HDF5 truncates the file, so that a full disk is a clean error, then for the actual size.
  on_first_rank(phase, [&] {
    partial_file = names.create();
    has_partial_file = true;
    names.reserve(expected_file_bytes(output));
    metadata = hdf5::create_file(names.partial_path, output, provenance);
    names.reserve(names.size_bytes());
  });
  coordinated(control, phase, [&] {
    descriptor = names.open();
    hdf5::OutputReader reader(names.partial_path, output);
    storage = reader.storage();
    if (is_first()) reader.expect_metadata(metadata);
    reader.close();
  });
}

/// HDF5 keeps nothing of the earlier job but the elements: its metadata are those after creation.
void Hdf5Sink::Impl::resume(const ResumedFile& resumed) {
  constexpr const char* phase = "opening the partial output";
  on_first_rank(phase, [&] { partial_file = names.restore(resumed.file); });
  coordinated(control, phase, [&] {
    descriptor = names.open();
    hdf5::OutputReader reader(names.partial_path, output);
    storage = reader.storage();
    adopt(resumed.blocks);
    expect_recorded(reader);
    reader.close();
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

void Hdf5Sink::Impl::expect_recorded(const hdf5::OutputReader& reader) const {
  try {
    reader.expect_blocks(records, threads);
  } catch (const Error& error) {
    throw Error(error.code(), error.what(), "Its disk lost data: remove the partial output, and start again.");
  }
}

std::vector<Box> Hdf5Sink::Impl::hyperslabs_of(const Box& box) const {
  const hdf5::Storage chunked{.axes = output.layout.axes,
                              .extents = output.extents,
                              .chunk = output.chunk,
                              .is_contiguous = false,
                              .elem_bytes = storage.elem_bytes};
  std::vector<Box> slabs;
  hdf5::make_hyperslabs(chunked, box, std::max(joined_bytes, storage.block_bytes()))
      .for_each(output.layout.axes, [&](const Box& slab) { slabs.push_back(slab); });
  return slabs;
}

/// Every thread converts, hashes and writes hyperslabs of its own.
void Hdf5Sink::Impl::write(const Box& box, ConstView src) {
  const std::vector<Box> slabs = hyperslabs_of(box);
  const std::size_t first = records.size();
  records.resize(first + slabs.size());
  const auto used = static_cast<int>(std::min<std::size_t>(hdf5::num_stage_buffers(threads), slabs.size()));
  staging.resize(std::max<std::size_t>(staging.size(), static_cast<std::size_t>(used)));
  std::atomic<std::size_t> next = 0;
  hdf5::on_throwing_threads(used, [&](int thread) {
    for (std::size_t k = next++; k < slabs.size(); k = next++)
      records[first + k] =
          write_hyperslab(slabs[k], hdf5::part_of(src, slabs[k], box), staging[static_cast<std::size_t>(thread)]);
  });
}

BlockRecord Hdf5Sink::Impl::write_hyperslab(const Box& slab, ConstView src, Staging& buffer) const {
  const std::span<const std::byte> elements = staged(slab, src, buffer);
  hdf5::write_elements({.descriptor = descriptor.get(), .path = names.partial_path, .is_shared_by_hosts = is_shared_by_hosts},
                       storage, slab, elements);
  return {.box = slab, .hash = hdf5::hash_of(elements)};
}

/// The elements as they are stored.
std::span<const std::byte> Hdf5Sink::Impl::staged(const Box& slab, ConstView src, Staging& buffer) const {
  const auto size = static_cast<std::size_t>(volume(slab));
  buffer.numbers.resize(std::max(buffer.numbers.size(), size));
  const std::span<float> numbers = std::span(buffer.numbers).first(size);
  to_onnx_order(src, numbers);
  if (output.type == DType::F32) return std::as_bytes(numbers);
  const std::size_t bytes = size * size_of(output.type);
  buffer.rounded.resize(std::max(buffer.rounded.size(), bytes));
  const std::span<std::byte> rounded = std::span(buffer.rounded).first(bytes);
  round_numbers(numbers, output.type, rounded);
  return rounded;
}

/// On rank 0, in the order of their first elements.
std::vector<BlockRecord> Hdf5Sink::Impl::all_records() {
  std::vector<BlockRecord> all;
  for (const std::string& text : control.gather(packed(records))) unpack(text, all);
  std::sort(all.begin(), all.end(), is_before);
  return all;
}

/// Returns, on rank 0, the metadata as they were written.
std::string Hdf5Sink::Impl::complete(const std::string& finished) {
  const std::vector<BlockRecord> all = all_records();
  coordinated(control, "writing the output", [&] { names.close(descriptor, storage.bytes().hi); });
  std::string metadata;
  on_first_rank("completing the output",
                [&] { metadata = hdf5::complete_file(names.partial_path, output, {.blocks = all, .finished = finished}); });
  return metadata;
}

/// Every rank reads its own blocks, and rank 0 everything else.
void Hdf5Sink::Impl::check_file(const std::string& metadata) {
  coordinated(control, "reading the output back", [&] {
    hdf5::OutputReader reader(names.partial_path, output);
    reader.expect_blocks(records, threads);
    if (is_first()) reader.expect_metadata(metadata);
    reader.close();
    if (is_first()) checked_bytes = names.size_bytes();
  });
}

Hdf5Sink::Hdf5Sink(Control& control, const Hdf5SinkOptions& options) {
  expect_valid(control, options);
  impl_ = Impl::make(control, options);
  try {
    impl_->create(options.provenance);
  } catch (...) {
    abandon();
    throw;
  }
}

Hdf5Sink::Hdf5Sink(Control& control, const Hdf5SinkOptions& options, const ResumedFile& resumed) {
  expect_valid(control, options);
  impl_ = Impl::make(control, options);
  impl_->resume(resumed);
}

Hdf5Sink::~Hdf5Sink() = default;

Extents Hdf5Sink::extents() const { return impl_->output.extents; }
Extents Hdf5Sink::chunk() const { return impl_->output.chunk; }
const std::string& Hdf5Sink::partial_path() const { return impl_->names.partial_path; }
std::string Hdf5Sink::dataset_path() const { return concat("/", impl_->output.path()); }

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

  impl.check_file(impl.complete(finished));
  impl.on_first_rank("renaming the output", [&] { impl.names.publish(impl.partial_file, impl.checked_bytes); });
  impl.has_partial_file = false;
}

/// One rank of each host syncs what all of its ranks have written.
void Hdf5Sink::sync() {
  impl_->control.barrier();
  coordinated(impl_->control, "writing the output", [&] {
    if (impl_->control.node_rank() == 0) impl_->names.sync(impl_->descriptor);
  });
}

RecordedFile Hdf5Sink::recorded_file() {
  sync();
  return coordinated(impl_->control, "creating the output",
                     [&] { return impl_->is_first() ? impl_->names.record(impl_->storage.bytes()) : RecordedFile{}; });
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
  coordinated(impl_->control, "closing the output", [&] { impl_->names.close(impl_->descriptor, impl_->storage.bytes().hi); });
  impl_->has_partial_file = false;
}

void Hdf5Sink::abandon() noexcept {
  if (std::exchange(impl_->has_partial_file, false)) impl_->names.remove();
}

}  // namespace parconv
