// SPDX-License-Identifier: Apache-2.0
#include "model/ops/window/pool.hpp"

#include <algorithm>

namespace parconv {
namespace {

/// Divisors of an average for each output: the taps inside the input, or inside the padded input. Taps are `dilation` apart,
/// from the first at or after the low end to the last before the high end.
std::vector<index_t> tap_counts(const WindowAxis& window, Interval counted, Interval out) {
  std::vector<index_t> counts;
  for (index_t o = out.lo; o < out.hi; ++o) {
    const index_t begin = o * window.stride - window.pad_lo;
    const index_t first = std::max<index_t>(ceil_div(counted.lo - begin, window.dilation), 0);
    const index_t end = std::min(ceil_div(counted.hi - begin, window.dilation), window.kernel);
    counts.push_back(std::max<index_t>(end - first, 1));
  }
  return counts;
}

}  // namespace

LocalKind Rules<Pool>::localise(const Pool& pool, const NodeView& view, const WorkRegion& work, const Box& need) {
  if (need.is_empty()) return LocalFill{};
  LocalPool local{.kind = pool.kind, .window = pool.window};
  for (Axis axis : spatial_axes) {
    const WindowAxis& window = pool.window[axis];
    local.window[axis] = local_window(window, work.computed[axis], need[axis], {0, window.kernel});
    if (pool.kind == PoolKind::Max) continue;
    const std::size_t k = static_cast<std::size_t>(axis) - 2;
    const Interval inside{0, view.in()[axis]};
    const Interval padded{-window.pad_lo, view.in()[axis] + pool.counted_pad_hi[k]};
    local.divisors[k] = tap_counts(window, pool.is_padding_counted ? padded : inside, work.computed[axis]);
  }
  return local;
}

}  // namespace parconv
