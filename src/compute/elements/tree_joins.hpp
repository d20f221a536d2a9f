// SPDX-License-Identifier: Apache-2.0
// The order of a tree of sums, as functions of elements carry it.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "parconv/core/error.hpp"
#include "parconv/core/host_device_macros.hpp"
#include "parconv/model/sum_tree.hpp"

namespace parconv::element {

/// Number of joins after each partial sum: see joins_after.
struct TreeJoins {
  std::array<signed char, most_leaves> counts{};

  PARCONV_HOST_DEVICE int after(index_t k) const { return counts[static_cast<std::size_t>(k)]; }
};

/// Precondition: at most `most_leaves` partial sums.
inline TreeJoins tree_joins(std::span<const int> joins) {
  TreeJoins result;
  PARCONV_EXPECT(joins.size() <= result.counts.size(), joins.size(), " partial sums");
  std::copy(joins.begin(), joins.end(), result.counts.begin());
  return result;
}

}  // namespace parconv::element
