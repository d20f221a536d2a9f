// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/constants.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "io/onnx/file/onnx_elements.hpp"
#include "io/onnx/file/onnx_input_file.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Gaps up to this size are read rather than skipped by a further call.
constexpr index_t max_gap_bytes = 4096;
/// Bound on the size of one read, hence on the memory in addition to the result.
constexpr index_t max_read_bytes = index_t{1} << 20;

/// One axis of a filter box: `size` elements with distance `stride` in the data and `out_stride` in the result.
struct BoxAxis {
  index_t size = 1;
  index_t stride = 0;
  index_t out_stride = 0;
};

/// A strided selection of elements: index of the first, and axes by decreasing stride.
struct Gather {
  index_t first = 0;
  std::vector<BoxAxis> axes{};
};

/// Elements [begin, begin + count) of the data, scattered to `out`, `out + out_stride`, ... of the result.
struct Run {
  index_t begin = 0;
  index_t count = 0;
  index_t out = 0;
  index_t out_stride = 1;
};

std::array<Interval, 5> intervals_of(const FilterBox& box) {
  return {box.oc, box.ic, box.kernel[0], box.kernel[1], box.kernel[2]};
}

/// Merges an axis into the next inner one if both together are evenly spaced, in the data and in the result.
/// Example: oc (size 2, stride 9) over taps (size 9, stride 1) is one axis of 18 elements.
void merge_axes(std::vector<BoxAxis>& axes) {
  for (std::size_t k = axes.size(); k-- > 1;) {
    BoxAxis& inner = axes[k];
    const BoxAxis& outer = axes[k - 1];
    if (outer.stride != inner.size * inner.stride || outer.out_stride != inner.size * inner.out_stride) continue;
    inner.size *= outer.size;
    axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(k) - 1);
  }
}

Gather gather_of(const Filter& filter, const FilterBox& box) {
  Gather gather;
  index_t out_stride = 1;
  const std::array<Interval, 5> intervals = intervals_of(box);
  for (std::size_t k = intervals.size(); k-- > 0;) {
    gather.first += intervals[k].lo * filter.strides[k];
    if (intervals[k].size() > 1) gather.axes.push_back({intervals[k].size(), filter.strides[k], out_stride});
    out_stride *= intervals[k].size();
  }
  std::stable_sort(gather.axes.begin(), gather.axes.end(), [](auto& a, auto& b) { return a.stride > b.stride; });
  merge_axes(gather.axes);
  if (gather.axes.empty() || gather.axes.back().stride != 1) gather.axes.push_back({1, 1, 1});
  return gather;
}

/// Calls visit(run) for the runs of `gather` from `axis` inwards, in non-decreasing order of address.
template <class Visit>
void for_each_run(const Gather& gather, std::size_t axis, Run run, Visit&& visit) {
  const BoxAxis& current = gather.axes[axis];
  if (axis + 1 == gather.axes.size()) return visit(Run{run.begin, current.size, run.out, current.out_stride});
  for (index_t i = 0; i < current.size; ++i)
    for_each_run(gather, axis + 1, {run.begin + i * current.stride, 0, run.out + i * current.out_stride}, visit);
}

/// Splits a run into runs of at most `limit` elements.
template <class Visit>
void for_each_subrun(const Run& run, index_t limit, Visit&& visit) {
  for (index_t done = 0; done < run.count; done += limit)
    visit(Run{run.begin + done, std::min(limit, run.count - done), run.out + done * run.out_stride, run.out_stride});
}

void scatter(std::span<const float> elements, const Run& run, std::span<float> out) {
  for (index_t i = 0; i < run.count; ++i)
    out[static_cast<std::size_t>(run.out + i * run.out_stride)] = elements[static_cast<std::size_t>(i)];
}

/// Reads runs of a file, adjacent ones in a single call.
class RunReader {
 public:
  RunReader(const ConstantData& data, std::span<float> out)
      : file_(data.file), data_(data), item_bytes_(static_cast<index_t>(size_of(data.type))), out_(out) {}

  void add(const Run& run) {
    const index_t end = run.begin + run.count;
    const bool is_near = !runs_.empty() && run.begin - end_ <= max_gap_bytes / item_bytes_ &&
                         (end - runs_.front().begin) * item_bytes_ <= max_read_bytes;
    if (!is_near) flush();
    runs_.push_back(run);
    end_ = end;
  }

  void flush() {
    if (runs_.empty()) return;
    const index_t begin = runs_.front().begin;
    bytes_.resize(static_cast<std::size_t>((end_ - begin) * item_bytes_));
    file_.read(bytes_, data_.offset_bytes + begin * item_bytes_);
    for (const Run& run : runs_) deliver(run, begin);
    runs_.clear();
  }

 private:
  void deliver(const Run& run, index_t begin) {
    floats_.resize(static_cast<std::size_t>(run.count));
    const auto first = static_cast<std::size_t>((run.begin - begin) * item_bytes_);
    convert_to_float(std::span(bytes_).subspan(first, floats_.size() * static_cast<std::size_t>(item_bytes_)), data_.type,
                     floats_);
    scatter(floats_, run, out_);
  }

  InputFile file_;
  const ConstantData& data_;
  index_t item_bytes_;
  std::span<float> out_;
  std::vector<Run> runs_{};
  index_t end_ = 0;
  std::vector<std::byte> bytes_{};
  std::vector<float> floats_{};
};

void read_from_file(const ConstantData& data, const Gather& gather, std::span<float> out) {
  RunReader reader(data, out);
  const index_t limit = max_read_bytes / static_cast<index_t>(size_of(data.type));
  for_each_run(gather, 0, {gather.first},
               [&](const Run& run) { for_each_subrun(run, limit, [&](const Run& part) { reader.add(part); }); });
  reader.flush();
}

void read_from_memory(std::span<const float> values, const Gather& gather, std::span<float> out) {
  for_each_run(gather, 0, {gather.first}, [&](const Run& run) {
    scatter(values.subspan(static_cast<std::size_t>(run.begin), static_cast<std::size_t>(run.count)), run, out);
  });
}

void read_gather(const ConstantData& data, const Gather& gather, std::span<float> out) {
  if (out.empty()) return;
  if (data.is_fill) return std::fill(out.begin(), out.end(), data.fill);
  if (data.values) return read_from_memory(*data.values, gather, out);
  read_from_file(data, gather, out);
}

/// One past the last element of the box.
index_t end_of(const Gather& gather) {
  return std::accumulate(gather.axes.begin(), gather.axes.end(), gather.first + 1,
                         [](index_t sum, const BoxAxis& axis) { return sum + (axis.size - 1) * axis.stride; });
}

void apply_scale(const Filter& filter, Interval oc, std::span<float> out) {
  if (!filter.scale || out.empty()) return;
  const std::size_t per_channel = out.size() / static_cast<std::size_t>(oc.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] *= (*filter.scale)[static_cast<std::size_t>(oc.lo) + i / per_channel];
}

std::vector<float> read_filter(const Filter& filter, const FilterBox& box) {
  std::vector<float> out(static_cast<std::size_t>(box.volume()));
  if (out.empty()) return out;
  const Gather gather = gather_of(filter, box);
  PARCONV_EXPECT(gather.first >= 0 && end_of(gather) <= filter.data.count, "filter of ", filter.data.count,
                 " elements, box ends at ", end_of(gather));
  read_gather(filter.data, gather, out);
  apply_scale(filter, box.oc, out);
  return out;
}

}  // namespace

std::vector<float> read_constant(const ConstantData& data) {
  PARCONV_EXPECT(data.count >= 0, data.count);
  PARCONV_EXPECT(!data.values || static_cast<index_t>(data.values->size()) == data.count, data.values->size(), " values for ",
                 data.count);
  std::vector<float> out(static_cast<std::size_t>(data.count));
  read_gather(data, Gather{.first = 0, .axes = {{data.count, 1, 1}}}, out);
  return out;
}

FilterReader make_filter_reader() { return read_filter; }

}  // namespace parconv
