// SPDX-License-Identifier: Apache-2.0
#include "program/verify/partition.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace parconv::verify {
namespace {

using Overlap = std::optional<std::pair<std::size_t, std::size_t>>;
using Indices = std::vector<std::size_t>;

constexpr std::size_t few = 16;

Overlap first_pair(std::span<const Box> boxes, const Indices& indices) {
  for (std::size_t a = 0; a < indices.size(); ++a)
    for (std::size_t b = a + 1; b < indices.size(); ++b)
      if (!intersect(boxes[indices[a]], boxes[indices[b]]).is_empty()) return std::pair(indices[a], indices[b]);
  return std::nullopt;
}

/// The boxes on the two sides of a plane; boxes cut by it are on both.
struct Halves {
  Indices low{};
  Indices high{};
  std::size_t larger() const { return std::max(low.size(), high.size()); }
};

Halves cut(std::span<const Box> boxes, const Indices& indices, Axis axis) {
  std::vector<index_t> begins;
  for (std::size_t k : indices) begins.push_back(boxes[k][axis].lo);
  std::nth_element(begins.begin(), begins.begin() + std::ssize(begins) / 2, begins.end());
  const index_t plane = begins[begins.size() / 2];
  Halves halves;
  for (std::size_t k : indices) {
    if (boxes[k][axis].lo < plane) halves.low.push_back(k);
    if (boxes[k][axis].hi > plane) halves.high.push_back(k);
  }
  return halves;
}

Overlap find_among(std::span<const Box> boxes, const Indices& indices) {
  if (indices.size() <= few) return first_pair(boxes, indices);
  Halves best{.low = indices};
  for (Axis axis : all_axes) {
    Halves halves = cut(boxes, indices, axis);
    if (halves.larger() < best.larger()) best = std::move(halves);
  }
  if (best.larger() == indices.size()) return first_pair(boxes, indices);
  if (const Overlap found = find_among(boxes, best.low)) return found;
  return find_among(boxes, best.high);
}

/// Each box ends before the next one begins, as the parts of a gathered tensor do.
bool are_in_order(std::span<const Box> boxes, Axis axis) {
  index_t end = boxes.empty() ? 0 : boxes.front()[axis].lo;
  for (const Box& box : boxes) {
    if (box[axis].lo < end || box[axis].is_empty()) return false;
    end = box[axis].hi;
  }
  return true;
}

}  // namespace

Overlap find_overlap(std::span<const Box> boxes) {
  for (Axis axis : all_axes)
    if (are_in_order(boxes, axis)) return std::nullopt;
  Indices indices(boxes.size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  std::erase_if(indices, [&](std::size_t k) { return boxes[k].is_empty(); });
  return find_among(boxes, indices);
}

}  // namespace parconv::verify
