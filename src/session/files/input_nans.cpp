// SPDX-License-Identifier: Apache-2.0
#include "session/files/input_nans.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <mutex>

#include "parconv/model/shape.hpp"
#include "parconv/tensor/index_map.hpp"
#include "parconv/tensor/threads.hpp"

namespace parconv {
namespace {

constexpr index_t none = std::numeric_limits<index_t>::max();

/// `box` without `other`, if that is a box.
Box without(const Box& box, const Box& other) {
  const Box common = intersect(box, other);
  if (common == box) return {};
  for (Axis axis : all_axes) {
    if (common.is_empty() || !(common.with(axis, box[axis]) == box)) continue;  // `other` spans all other axes
    if (common[axis].lo == box[axis].lo) return box.with(axis, {common[axis].hi, box[axis].hi});
    if (common[axis].hi == box[axis].hi) return box.with(axis, {box[axis].lo, common[axis].lo});
  }
  return box;
}

index_t position_of(const Extents& extents, const Extents& at) {
  index_t position = 0;
  for (Axis axis : all_axes) position = position * extents[axis] + at[axis];
  return position;
}

Extents place_of(const Extents& extents, index_t position) {
  Extents at;
  for (auto axis = all_axes.rbegin(); axis != all_axes.rend(); ++axis) {
    at[*axis] = position % extents[*axis];
    position /= extents[*axis];
  }
  return at;
}

/// True if some of `count` numbers, given by their bits, has a larger magnitude than infinity.
template <class Bits>
bool has_nan(const std::byte* data, index_t count, Bits infinity) {
  const auto* const bits = reinterpret_cast<const Bits*>(data);
  const Bits magnitude = static_cast<Bits>(~Bits{0}) >> 1;
  Bits found = 0;
  for (index_t k = 0; k < count; ++k) found |= static_cast<Bits>((bits[k] & magnitude) > infinity ? 1 : 0);
  return found != 0;
}

bool has_nan(const std::byte* data, index_t count, DType type) {
  if (type == DType::F16) return has_nan<std::uint16_t>(data, count, 0x7c00);
  if (type == DType::BF16) return has_nan<std::uint16_t>(data, count, 0x7f80);
  return has_nan<std::uint32_t>(data, count, 0x7f800000);
}

/// True if a row of pixels, which begins at `data`, has a NaN.
bool row_has_nan(const std::byte* data, const OperandLayout& layout) {
  const index_t pixels = layout.extents[Axis::W], channels = layout.extents[Axis::C], stride = layout.strides[Axis::W];
  if (stride == channels || pixels == 1) return has_nan(data, pixels * channels, layout.type);
  const auto bytes = static_cast<index_t>(size_of(layout.type));
  for (index_t w = 0; w < pixels; ++w)
    if (has_nan(data + w * stride * bytes, channels, layout.type)) return true;
  return false;
}

bool has_nan(ConstView view, const ThreadShare& threads) {
  const Extents &extents = view.layout.extents, &strides = view.layout.strides;
  const index_t rows = extents[Axis::N] * extents[Axis::D] * extents[Axis::H];
  const auto bytes = static_cast<index_t>(size_of(view.layout.type));
  const int used = threads_for(rows, volume(extents), threads);
  std::atomic<bool> found = false;
  const auto work = [&](int thread) {
    const Interval own = equal_part(rows, thread, used);
    for (index_t row = own.lo; row < own.hi && !found; ++row) {
      const index_t h = row % extents[Axis::H], slice = row / extents[Axis::H];
      const index_t d = slice % extents[Axis::D], n = slice / extents[Axis::D];
      const index_t offset = n * strides[Axis::N] + d * strides[Axis::D] + h * strides[Axis::H];
      if (row_has_nan(view.data + offset * bytes, view.layout)) found = true;
    }
  };
  on_threads(used, std::cref(work));
  return found;
}

}  // namespace

Box counted_part(const Distribution& need, int rank) {
  if (!need.grid().contains(rank) || need.first_replica(rank) != rank) return {};
  Box part = need.box(rank);
  while (true) {  // what is a corner at first may be a side after another cut
    const Box before = part;
    need.for_each_overlap(before, [&](int owner, const Box& common) {
      if (owner < rank) part = without(part, common);
    });
    if (part == before || part.is_empty()) return part.is_empty() ? Box{} : part;
  }
}

/// A source that counts.
class InputNanCounter::Source final : public DataSource {
 public:
  Source(DataSource& inner, int threads) : inner_(inner), threads_{.count = threads} {}

  Extents extents() const override { return inner_.extents(); }
  int ndims() const override { return inner_.ndims(); }

  void read(const Box& box, View dst) override {
    inner_.read(box, dst);
    if (!has_nan({dst.data, dst.layout}, threads_)) return;
    for (const Box& part : parts_) {
      // Micro-batches move along n, and the parts of ranks are disjoint there.
      const Box counted = intersect(box, part.with(Axis::N, box[Axis::N]));
      if (!counted.is_empty()) count(box, counted, dst);
    }
  }

  std::vector<Box> parts_{};
  index_t count_ = 0;
  index_t first_ = none;  ///< position in the whole tensor

 private:
  void count(const Box& box, const Box& counted, View dst) {
    const ConstElements elements = elements_of<const std::byte>(dst.layout, dst.data);
    Extents offset;
    for (Axis axis : all_axes) offset[axis] = counted[axis].lo - box[axis].lo;
    const index_t begin = elements.offset(element_index(offset));
    const IndexMap indices(counted.extents());
    index_t found = 0, first = none;
    for (index_t k = 0; k < indices.count(); ++k) {
      const ElementIndex at = indices.at(k);
      if (!std::isnan(load_one(elements, begin + elements.offset(at)))) continue;
      ++found;
      const Extents place{{counted[Axis::N].lo + at.n, counted[Axis::C].lo + at.c, counted[Axis::D].lo + at.d,
                           counted[Axis::H].lo + at.h, counted[Axis::W].lo + at.w}};
      first = std::min(first, position_of(extents(), place));
    }
    if (found == 0) return;
    const std::lock_guard lock(mutex_);
    count_ += found;
    first_ = std::min(first_, first);
  }

  DataSource& inner_;
  ThreadShare threads_;
  std::mutex mutex_{};
};

InputNanCounter::InputNanCounter(std::span<DataSource* const> sources, int threads) {
  for (DataSource* const source : sources) {
    counting_.push_back(std::make_unique<Source>(*source, threads));
    pointers_.push_back(counting_.back().get());
  }
}

InputNanCounter::~InputNanCounter() = default;

void InputNanCounter::use(const RankPlan& plan, int rank) {
  for (std::size_t k = 0; k < counting_.size(); ++k) {
    std::vector<Box>& parts = counting_[k]->parts_;
    parts.clear();
    for (const Delivery& delivery : plan.layout.deliveries) {
      if (delivery.value != plan.network.inputs[k] || delivery.is_store) continue;
      Box part = counted_part(delivery.need, rank);
      for (const Box& before : parts) part = part.is_empty() ? part : without(part, before);
      if (!part.is_empty()) parts.push_back(part);
    }
  }
}

std::vector<InputNans> InputNanCounter::collect(Control& control, const Network& network) const {
  std::vector<InputNans> result;
  for (std::size_t k = 0; k < counting_.size(); ++k) {
    const index_t count = control.sum(counting_[k]->count_), first = control.min(counting_[k]->first_);
    if (count == 0) continue;
    const Extents extents = counting_[k]->extents();
    Shape place{.extents = place_of(extents, first), .ndims = counting_[k]->ndims()};
    result.push_back({.input = network.value(network.inputs[k]).name, .count = count, .first = dims_of(place)});
  }
  return result;
}

}  // namespace parconv
