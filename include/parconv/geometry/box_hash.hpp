// SPDX-License-Identifier: Apache-2.0
// Boxes as keys of hash tables.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parconv/geometry/box.hpp"

namespace parconv {

struct BoxHash {
  std::size_t operator()(const Box& box) const {
    std::uint64_t hash = 0;
    for (const Interval interval : box.intervals)
      for (const index_t border : {interval.lo, interval.hi})
        hash = (hash ^ static_cast<std::uint64_t>(border)) * 0x9e3779b97f4a7c15U + (hash >> 29U);
    return static_cast<std::size_t>(hash);
  }
};

}  // namespace parconv
