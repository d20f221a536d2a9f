// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/fit/size_search.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using Sizes = std::vector<index_t>;

class Search {
 public:
  Search(std::span<const index_t> wanted, const SizesFit& fit, const SearchLimits& limits)
      : wanted_(wanted.begin(), wanted.end()), fit_(fit), limits_(limits) {}

  std::vector<NearSizes> run() {
    const std::optional<Sizes> base = fitting_point();
    if (!base) return {};
    std::vector<NearSizes> near;
    for (std::size_t axis = 0; axis < wanted_.size(); ++axis) near.push_back(along(*base, axis));
    return fit_together(near) ? near : std::vector<NearSizes>{};
  }

 private:
  bool fits(const Sizes& sizes) { return ++tests_ <= limits_.max_tests && fit_(sizes); }

  /// Equal sizes that fit, nearest to the largest wanted one.
  std::optional<Sizes> fitting_point() {
    const index_t middle = std::ranges::max(wanted_);
    for (index_t distance = 0; distance <= limits_.reach; ++distance)
      for (const index_t size : {middle + distance, middle - distance})
        if (Sizes point(wanted_.size(), size); size >= 1 && fits(point)) return point;
    return std::nullopt;
  }

  /// The first size from `from` to `to` that fits, in steps of `step`.
  std::optional<index_t> first_fitting(Sizes point, std::size_t axis, index_t from, index_t step) {
    const index_t last = wanted_[axis] + step * limits_.reach;
    for (index_t size = from; size >= 1 && (last - size) * step >= 0; size += step) {
      point[axis] = size;
      if (fits(point)) return size;
    }
    return std::nullopt;
  }

  NearSizes along(const Sizes& base, std::size_t axis) {
    NearSizes near{.wanted = wanted_[axis]};
    near.above = first_fitting(base, axis, near.wanted, 1);
    near.below = first_fitting(base, axis, near.wanted - 1, -1);
    if (near.above && !near.below) near.next = first_fitting(base, axis, *near.above + 1, 1);
    return near;
  }

  bool fit_together(const std::vector<NearSizes>& near) {
    Sizes sizes;
    for (const NearSizes& axis : near)
      if (const auto size = axis.above ? axis.above : axis.below) sizes.push_back(*size);
    return sizes.size() == near.size() && fits(sizes);
  }

  Sizes wanted_;
  const SizesFit& fit_;
  SearchLimits limits_;
  index_t tests_ = 0;
};

}  // namespace

std::vector<NearSizes> nearest_sizes(std::span<const index_t> wanted, const SizesFit& fit, const SearchLimits& limits) {
  PARCONV_EXPECT(!wanted.empty());
  return Search(wanted, fit, limits).run();
}

}  // namespace parconv
