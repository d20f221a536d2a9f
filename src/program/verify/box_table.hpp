// SPDX-License-Identifier: Apache-2.0
// Boxes by number: the same few come again and again on thousands of ranks.
#pragma once

#include <unordered_map>
#include <vector>

#include "parconv/geometry/box_hash.hpp"

namespace parconv::verify {

class BoxTable {
 public:
  /// The number of a box.
  int of(const Box& box) {
    const auto [entry, is_new] = numbers_.try_emplace(box, static_cast<int>(boxes_.size()));
    if (is_new) boxes_.push_back(box);
    return entry->second;
  }
  const Box& operator[](int number) const { return boxes_[static_cast<std::size_t>(number)]; }

 private:
  std::vector<Box> boxes_{};
  std::unordered_map<Box, int, BoxHash> numbers_{};
};

}  // namespace parconv::verify
