// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_hyperslabs.hpp"

#include <algorithm>

namespace parconv::hdf5 {
namespace {

constexpr index_t small_gap_bytes = 4096;
constexpr index_t max_read_ratio = 8;

std::vector<Axis> growth_order(const std::vector<Axis>& axes) {
  std::vector<Axis> order(axes.rbegin(), axes.rend());
  const auto channels = std::find(order.begin(), order.end(), Axis::C);
  if (channels != order.end() && channels != order.begin()) std::rotate(order.begin() + 1, channels, channels + 1);
  return order;
}

/// Length in elements of the contiguous run in the file that `box` begins with.
index_t run_elems(const Storage& storage, const Box& box) {
  index_t run = 1;
  for (auto axis = storage.axes.rbegin(); axis != storage.axes.rend(); ++axis) {
    run *= box[*axis].size();
    if (box[*axis].size() < storage.extents[*axis]) break;
  }
  return run;
}

/// The fastest axis that `box` covers only in part, or rend().
std::vector<Axis>::const_reverse_iterator fastest_cut_axis(const Storage& storage, const Box& box) {
  return std::find_if(storage.axes.rbegin(), storage.axes.rend(),
                      [&](Axis axis) { return box[axis].size() < storage.extents[axis]; });
}

}  // namespace

Hyperslabs make_hyperslabs(const Storage& storage, const Box& box, index_t budget_bytes) {
  const index_t budget = std::max<index_t>(1, budget_bytes / storage.elem_bytes);
  Hyperslabs slabs{.box = box, .first = {}, .extents = {}};
  Extents wanted;
  for (Axis axis : all_axes) {
    slabs.first[axis] = floor_div(box[axis].lo, storage.chunk[axis]) * storage.chunk[axis];
    wanted[axis] = box[axis].hi - slabs.first[axis];
    slabs.extents[axis] = std::min(storage.chunk[axis], wanted[axis]);
  }
  for (Axis axis : storage.axes) {  // an oversized chunk: shrink along its slowest axes
    const index_t others = volume(slabs.extents) / slabs.extents[axis];
    slabs.extents[axis] = std::clamp<index_t>(budget / others, 1, slabs.extents[axis]);
  }
  for (Axis axis : growth_order(storage.axes)) {
    const index_t times = budget / volume(slabs.extents);
    slabs.extents[axis] = std::min(wanted[axis], slabs.extents[axis] * std::max<index_t>(times, 1));
  }
  for (Axis axis : all_axes) {  // the first hyperslabs of an oversized chunk may end before the box begins
    slabs.first[axis] += (box[axis].lo - slabs.first[axis]) / slabs.extents[axis] * slabs.extents[axis];
  }
  return slabs;
}

Box widened(const Storage& storage, const Box& box) {
  if (!storage.is_contiguous) return box;
  Box result = box;
  for (;;) {
    const auto axis = fastest_cut_axis(storage, result);
    if (axis == storage.axes.rend()) return result;
    const Box wider = result.with(*axis, {0, storage.extents[*axis]});
    const index_t gap = run_elems(storage, result.with(*axis, {0, storage.extents[*axis] - result[*axis].size()}));
    if (gap * storage.elem_bytes > small_gap_bytes || volume(wider) > max_read_ratio * volume(box)) return result;
    result = wider;
  }
}

}  // namespace parconv::hdf5
