#include "model/ops/pool.hpp"

#include <algorithm>

namespace parconv {
namespace {

/// How many taps of each output count for an average: those inside the input, or inside the padded input. Taps are `dilation`
/// apart: the first at or after the low end, and the last before the high end.
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

LocalKind Rules<Pool>::localise(const Pool& pool, const NodeView& view, const Share& share, const Box& need) {
  if (need.is_empty()) return LocalFill{};
  LocalPool local{.kind = pool.kind, .window = pool.window};
  for (Axis axis : spatial_axes) {
    const WindowAxis& window = pool.window[axis];
    local.window[axis] = local_window(window, share.computed[axis], need[axis], {0, window.kernel});
    if (pool.kind == PoolKind::Max) continue;
    const std::size_t k = static_cast<std::size_t>(axis) - 2;
    const Interval inside{0, view.in()[axis]};
    const Interval padded{-window.pad_lo, view.in()[axis] + pool.counted_pad_hi[k]};
    local.divisors[k] = tap_counts(window, pool.is_padding_counted ? padded : inside, share.computed[axis]);
  }
  return local;
}

}  // namespace parconv
