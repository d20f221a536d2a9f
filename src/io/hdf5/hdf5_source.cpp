// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/hdf5/hdf5_source.hpp"

#include <algorithm>
#include <atomic>
#include <optional>

#include "io/hdf5/hdf5_hyperslabs.hpp"
#include "io/hdf5/hdf5_input.hpp"
#include "io/hdf5/hdf5_layout.hpp"
#include "io/hdf5/hdf5_part.hpp"
#include "io/hdf5/hdf5_plain_storage.hpp"
#include "io/hdf5/hdf5_reorder.hpp"
#include "io/hdf5/hdf5_select.hpp"
#include "io/hdf5/hdf5_threads.hpp"
#include "parconv/io/hdf5/hdf5_reading.hpp"

namespace parconv {
namespace {

using hdf5::FileLayout;
using hdf5::Handle;
using hdf5::InputDataset;
using hdf5::Storage;

/// A larger result leaves the caches before its first consumer reads it.
constexpr std::size_t most_cached_bytes = std::size_t{8} << 20;

FileLayout layout_of(const InputDataset& input, const Hdf5SourceOptions& options) {
  const std::size_t rank = input.dims.size();
  std::string text = options.layout.empty() ? input.layout : options.layout;
  if (text.empty()) text = options.default_layout.size() == rank ? options.default_layout : hdf5::default_layout(rank);
  if (text.empty())
    throw Error(ExitCode::BadData, concat(input.name, " has 2 axes and no layout"),
                "Name the axes with --layout HW, --layout NC or the like, or in a string attribute 'layout'.");
  return hdf5::parse_layout(text, rank, input.name);
}

Storage storage_of(const InputDataset& input, const FileLayout& layout) {
  return {.axes = layout.axes,
          .extents = hdf5::extents_of(layout, input.dims),
          .chunk = hdf5::extents_of(layout, input.chunk),
          .is_contiguous = input.chunk.empty(),
          .elem_bytes = static_cast<index_t>(size_of(input.dtype))};
}

std::vector<float> per_channel(const std::vector<float>& values, index_t channels, const char* what) {
  const auto count = static_cast<std::size_t>(channels);
  if (values.size() == 1) return std::vector<float>(count, values.front());
  if (!values.empty() && values.size() != count)
    throw Error(ExitCode::BadData, concat(what, " has ", values.size(), " values, but the input has ", channels, " channels"),
                "Pass one value per channel, or one for all channels.");
  return values;
}

InputScaling scaling_of(const InputScaling& requested, index_t channels) {
  const std::vector<float> deviations = per_channel(requested.std, channels, "the standard deviation");
  if (std::find(deviations.begin(), deviations.end(), 0.0f) != deviations.end())
    throw Error(ExitCode::BadData, "the standard deviation of a channel is 0", "Use 1 for constant channels.");
  return {.scale = requested.scale, .mean = per_channel(requested.mean, channels, "the mean"), .std = deviations};
}

/// The per-channel values of channels [channels.lo, channels.hi).
InputScaling scaling_within(const InputScaling& scaling, Interval channels) {
  const auto part = [&](const std::vector<float>& values) {
    if (values.empty()) return values;
    return std::vector<float>(values.begin() + channels.lo, values.begin() + channels.hi);
  };
  return {.scale = scaling.scale, .mean = part(scaling.mean), .std = part(scaling.std)};
}

/// The bytes of a dense view.
std::span<std::byte> bytes_of(View view) {
  return {view.data, static_cast<std::size_t>(volume(view.layout.extents)) * size_of(view.layout.type)};
}

/// True if the elements of `view` are contiguous in file order, as in one-channel data.
bool is_in_file_order(const OperandLayout& view, const std::vector<Axis>& axes) {
  index_t run = 1;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    if (view.extents[*axis] != 1 && view.strides[*axis] != run) return false;
    run *= view.extents[*axis];
  }
  return true;
}

}  // namespace

struct Hdf5Source::Impl {
  InputDataset input;
  FileLayout layout;
  Storage storage;
  std::optional<hdf5::PlainStorage> plain;
  InputScaling scaling;
  index_t staging_bytes = 0;
  int threads = 1;
  std::vector<std::vector<std::byte>> staging;

  bool reads_in_place(const OperandLayout& dst) const;
  std::span<std::byte> staging_of(const Box& slab, std::size_t buffer);
  void read(const Box& box, View dst);
  void read_slabs(const std::vector<Box>& slabs, const Box& box, View dst);
  void read_plain_slabs(const std::vector<Box>& slabs, const Box& box, View dst);
  void read_hyperslab(const Box& slab, std::span<std::byte> block);
  void convert_slab(const Box& slab, std::span<std::byte> block, const Box& box, View dst) const;
};

/// A part of a tensor that is stored as its elements are in the file.
bool Hdf5Source::Impl::reads_in_place(const OperandLayout& dst) const {
  const bool is_as_it_is = input.dtype == DType::F32 && dst.type == DType::F32 && scaling == InputScaling{};
  return is_as_it_is && is_in_file_order(dst, storage.axes);
}

std::span<std::byte> Hdf5Source::Impl::staging_of(const Box& slab, std::size_t buffer) {
  return std::span(staging[buffer]).first(static_cast<std::size_t>(volume(slab) * storage.elem_bytes));
}

void Hdf5Source::Impl::read(const Box& box, View dst) {
  const Box wide = hdf5::widened(storage, box);
  if (!plain && wide == box && reads_in_place(dst.layout)) return read_hyperslab(box, bytes_of(dst));
  const hdf5::Hyperslabs hyperslabs = hdf5::make_hyperslabs(storage, wide, staging_bytes);
  std::vector<Box> slabs;
  hyperslabs.for_each(storage.axes, [&](const Box& slab) {
    if (!intersect(slab, box).is_empty()) slabs.push_back(slab);
  });
  staging.resize(plain ? static_cast<std::size_t>(threads) : hdf5::num_stage_buffers(threads));
  for (auto& buffer : staging) buffer.resize(static_cast<std::size_t>(volume(hyperslabs.extents) * storage.elem_bytes));
  if (plain) return read_plain_slabs(slabs, box, dst);
  read_slabs(slabs, box, dst);
}

void Hdf5Source::Impl::read_slabs(const std::vector<Box>& slabs, const Box& box, View dst) {
  const auto slab_of = [&](index_t item) -> const Box& { return slabs[static_cast<std::size_t>(item)]; };
  hdf5::run_stages(
      std::ssize(slabs), threads,
      {.caller = hdf5::CallerStage::First,
       .first = [&](index_t item, std::size_t buffer) { read_hyperslab(slab_of(item), staging_of(slab_of(item), buffer)); },
       .second = [&](index_t item,
                     std::size_t buffer) { convert_slab(slab_of(item), staging_of(slab_of(item), buffer), box, dst); }});
}

/// Every thread reads and converts hyperslabs of its own.
void Hdf5Source::Impl::read_plain_slabs(const std::vector<Box>& slabs, const Box& box, View dst) {
  std::atomic<std::size_t> next = 0;
  const auto used = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(threads), slabs.size()));
  hdf5::on_throwing_threads(used, [&](int thread) {
    for (std::size_t k = next++; k < slabs.size(); k = next++) {
      const Box& slab = slabs[k];
      const bool is_in_place = box.contains(slab) && reads_in_place(hdf5::part_of(dst, slab, box).layout);
      const std::span<std::byte> block =
          is_in_place ? bytes_of(hdf5::part_of(dst, slab, box)) : staging_of(slab, static_cast<std::size_t>(thread));
      hdf5::read_plain(*plain, storage, slab, block, input.name);
      if (!is_in_place) convert_slab(slab, block, box, dst);
    }
  });
}

void Hdf5Source::Impl::read_hyperslab(const Box& slab, std::span<std::byte> block) {
  const hdf5::Attempt reading{.action = "read", .object = input.name, .code = ExitCode::Io};
  const hdf5::Selection part = hdf5::select(input.dataset.get(), layout.axes, slab, reading);
  check(H5Dread(input.dataset.get(), input.memory_type.get(), part.memory.get(), part.file.get(), H5P_DEFAULT, block.data()),
        reading);
}

void Hdf5Source::Impl::convert_slab(const Box& slab, std::span<std::byte> block, const Box& box, View dst) const {
  const Box wanted = intersect(slab, box);
  hdf5::keep_part(block, storage, slab, wanted);
  const std::span<std::byte> bytes = block.first(static_cast<std::size_t>(volume(wanted) * storage.elem_bytes));
  const Caching caching = bytes_of(dst).size() > most_cached_bytes ? Caching::Bypassed : Caching::Kept;
  hdf5::convert_block({.bytes = bytes, .dtype = input.dtype, .axes = storage.axes}, hdf5::part_of(dst, wanted, box),
                      scaling_within(scaling, wanted[Axis::C]), {.caching = caching});
}

Hdf5Source::Hdf5Source(const std::string& path, const Hdf5SourceOptions& options) : impl_(std::make_unique<Impl>()) {
  const Hdf5Reading reading(path);
  impl_->input = hdf5::open_input_dataset(hdf5::split_input_path(path));
  impl_->layout = layout_of(impl_->input, options);
  impl_->storage = storage_of(impl_->input, impl_->layout);
  impl_->scaling = scaling_of(options.scaling, impl_->storage.extents[Axis::C]);
  impl_->staging_bytes = static_cast<index_t>(options.staging_bytes);
  impl_->threads = options.threads;
  impl_->plain = hdf5::plain_storage(impl_->input);
}

Hdf5Source::Hdf5Source(Hdf5Source&&) noexcept = default;
Hdf5Source& Hdf5Source::operator=(Hdf5Source&&) noexcept = default;
Hdf5Source::~Hdf5Source() = default;

Extents Hdf5Source::extents() const { return impl_->storage.extents; }
int Hdf5Source::ndims() const { return impl_->layout.ndims; }
DType Hdf5Source::dtype() const { return impl_->input.dtype; }
const std::string& Hdf5Source::file() const { return impl_->input.path; }
const std::string& Hdf5Source::name() const { return impl_->input.name; }

void Hdf5Source::read(const Box& box, View dst) {
  PARCONV_EXPECT(Box::whole(extents()).contains(box), box, " of ", extents());
  if (box.is_empty()) return;
  PARCONV_EXPECT(is_activation_type(dst.layout.type) && dst.layout.extents == box.extents(), dst.layout.extents, " for ", box);
  const Hdf5Reading reading(impl_->input.path);
  impl_->read(box, dst);
}

std::vector<Hdf5DatasetInfo> list_hdf5_datasets(const std::string& file) {
  const Hdf5Reading reading(file);
  return hdf5::list_datasets(hdf5::open_input_file(file).get());
}

}  // namespace parconv
