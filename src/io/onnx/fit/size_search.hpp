// SPDX-License-Identifier: Apache-2.0
// A search for sizes near given ones that fit, where only a test of all sizes together is known.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv {

/// Whether sizes, one per axis, fit.
using SizesFit = std::function<bool(std::span<const index_t>)>;

/// How far a search goes.
struct SearchLimits {
  index_t reach = 256;       ///< largest distance from the wanted sizes
  index_t max_tests = 2048;  ///< most tests; then nothing more is found
};

/// The sizes of one axis that fit while the other axes fit, nearest to the wanted one.
struct NearSizes {
  index_t wanted = 0;
  std::optional<index_t> below{};  ///< the largest smaller one
  std::optional<index_t> above{};  ///< the smallest that is not smaller: `wanted` if it fits
  std::optional<index_t> next{};   ///< the smallest after `above`, if there is none below

  bool is_misfit() const { return above != wanted; }
};

/// The nearest sizes of each axis. Axes are assumed to fit independently of each other; empty if no sizes near fit, or if the
/// sizes `above` do not fit together. First a point where all axes fit is looked for on the diagonal, then each axis is searched
/// from there. Local. Preconditions: at least one axis, sizes are positive.
std::vector<NearSizes> nearest_sizes(std::span<const index_t> wanted, const SizesFit& fit, const SearchLimits& limits = {});

}  // namespace parconv
