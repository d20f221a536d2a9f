// SPDX-License-Identifier: Apache-2.0
// Runs of elements that are contiguous in a file and in memory.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "parconv/tensor/loops.hpp"

namespace parconv::hdf5 {

/// Boxes whose elements are stored densely, slowest axis first.
struct DenseBoxes {
  std::span<const Axis> axes{};
  Box file{};
  Box memory{};
  index_t elem_bytes = 4;
};

/// Place of an element in a dense box, in elements from its begin.
inline index_t place_in(const Box& box, std::span<const Axis> axes, const Box& part) {
  index_t place = 0;
  for (const Axis axis : axes) place = place * box[axis].size() + part[axis].lo - box[axis].lo;
  return place;
}

/// Calls visit(byte in the file's box, byte in memory's box, bytes) for the runs of `part`, in the file's order.
/// Example: columns [2, 5) of an 8 x 6 image, dense in memory, are 8 runs of 3 elements; rows [2, 5) are one run of 18.
template <class Visit>
void for_each_run(const DenseBoxes& boxes, const Box& part, Visit&& visit) {
  std::array<Loop, num_axes> loops;
  std::size_t k = boxes.axes.size();
  index_t in_file = boxes.elem_bytes, in_memory = boxes.elem_bytes;
  for (auto axis = boxes.axes.rbegin(); axis != boxes.axes.rend(); ++axis) {
    loops[--k] = {.extent = part[*axis].size(), .src_stride = in_file, .dst_stride = in_memory};
    in_file *= boxes.file[*axis].size();
    in_memory *= boxes.memory[*axis].size();
  }
  LoopNest nest{std::span(loops).first(boxes.axes.size())};
  index_t run_bytes = boxes.elem_bytes;
  const std::span<const Loop> all = nest.loops();
  if (!all.empty() && all.back().src_stride == boxes.elem_bytes && all.back().dst_stride == boxes.elem_bytes)
    run_bytes *= nest.pop_fastest().extent;
  const index_t file_byte = place_in(boxes.file, boxes.axes, part) * boxes.elem_bytes;
  const index_t memory_byte = place_in(boxes.memory, boxes.axes, part) * boxes.elem_bytes;
  nest.for_each([&](index_t src, index_t dst) { visit(file_byte + src, memory_byte + dst, run_bytes); });
}

}  // namespace parconv::hdf5
