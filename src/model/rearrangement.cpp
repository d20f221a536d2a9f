// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/rearrangement.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "parconv/core/error.hpp"
#include "parconv/model/shape.hpp"

namespace parconv {
namespace {

using Sizes = std::vector<index_t>;

std::size_t at(int k) { return static_cast<std::size_t>(k); }

/// Factors of each of `sizes` between the borders of `dims`; nullopt if a border cuts unevenly. Precondition: equal products.
/// Example: 4, 6 at the borders of 2, 12 are 2, 2 and 6.
std::optional<std::vector<Sizes>> cut(const Sizes& sizes, std::span<const index_t> dims) {
  std::vector<Sizes> blocks(sizes.size());
  auto dim = dims.begin();
  index_t left = 1;
  for (std::size_t k = 0; k < sizes.size(); ++k)
    for (index_t rest = sizes[k]; rest > 1;) {
      while (left == 1) {
        PARCONV_EXPECT(dim != dims.end(), "fewer elements than factors");
        left = *dim++;
      }
      const index_t block = std::min(rest, left);
      if (rest % block != 0 || left % block != 0) return std::nullopt;
      blocks[k].push_back(block);
      rest /= block;
      left /= block;
    }
  return blocks;
}

Sizes transposed_factors(const Rearrange& chain) {
  Sizes result;
  for (const int k : chain.order) result.push_back(chain.factors[at(k)]);
  return result;
}

/// `chain` with factor k replaced by blocks[k].
Rearrange split(const Rearrange& chain, const std::vector<Sizes>& blocks) {
  Rearrange result{.dims = chain.dims};
  std::vector<int> first;
  for (const Sizes& list : blocks) {
    first.push_back(static_cast<int>(result.factors.size()));
    result.factors.insert(result.factors.end(), list.begin(), list.end());
  }
  for (const int k : chain.order)
    for (int block = 0; block < static_cast<int>(blocks[at(k)].size()); ++block) result.order.push_back(first[at(k)] + block);
  return result;
}

/// Factors cut at the borders of dimensions of the input, and of the result.
std::optional<Rearrange> split_before(const Rearrange& chain, std::span<const index_t> dims) {
  const auto blocks = cut(chain.factors, dims);
  return blocks ? std::optional(split(chain, *blocks)) : std::nullopt;
}

std::optional<Rearrange> split_behind(const Rearrange& chain, std::span<const index_t> dims) {
  const auto blocks = cut(transposed_factors(chain), dims);
  if (!blocks) return std::nullopt;
  std::vector<Sizes> by_factor(blocks->size());
  for (std::size_t k = 0; k < blocks->size(); ++k) by_factor[at(chain.order[k])] = (*blocks)[k];
  return split(chain, by_factor);
}

/// Merges factors that stay adjacent.
Rearrange merged(const Rearrange& chain) {
  std::vector<bool> is_joined(chain.factors.size(), false);
  for (std::size_t k = 1; k < chain.order.size(); ++k) is_joined[at(chain.order[k])] = chain.order[k] == chain.order[k - 1] + 1;
  Rearrange result{.dims = chain.dims};
  std::vector<int> index;
  for (std::size_t k = 0; k < chain.factors.size(); ++k) {
    if (is_joined[k])
      result.factors.back() *= chain.factors[k];
    else
      result.factors.push_back(chain.factors[k]);
    index.push_back(static_cast<int>(result.factors.size()) - 1);
  }
  for (const int k : chain.order)
    if (!is_joined[at(k)]) result.order.push_back(index[at(k)]);
  return result;
}

/// The factors of each dimension, as positions in `order`. Precondition: cut at the borders of the dimensions.
std::vector<std::vector<int>> factors_of_dims(const Rearrange& chain) {
  std::vector<std::vector<int>> result;
  auto next = chain.order.begin();
  for (const index_t dim : chain.dims) {
    std::vector<int>& factors = result.emplace_back();
    for (index_t product = 1; product < dim; product *= chain.factors[at(*next++)]) factors.push_back(*next);
  }
  return result;
}

index_t volume_of(std::span<const index_t> dims) {
  return std::reduce(dims.begin(), dims.end(), index_t{1}, std::multiplies<>());
}

}  // namespace

Rearrange in_order(std::vector<index_t> dims) {
  Rearrange chain{.dims = std::move(dims)};
  if (const index_t elems = volume_of(chain.dims); elems > 1) {
    chain.factors = {elems};
    chain.order = {0};
  }
  return chain;
}

Rearrange transposed(const Rearrange& chain, std::span<const int> perm) {
  PARCONV_EXPECT(perm.size() == chain.dims.size(), perm.size(), " axes of ", chain.dims.size(), " dimensions");
  const std::optional<Rearrange> fine = split_behind(chain, chain.dims);
  PARCONV_EXPECT(fine.has_value(), "a chain whose dimensions are no products of its factors");
  const std::vector<std::vector<int>> factors = factors_of_dims(*fine);
  Rearrange result{.factors = fine->factors};
  for (const int k : perm) {
    result.order.insert(result.order.end(), factors[at(k)].begin(), factors[at(k)].end());
    result.dims.push_back(chain.dims[at(k)]);
  }
  return merged(result);
}

std::optional<Rearrange> reshaped(const Rearrange& chain, std::vector<index_t> dims) {
  PARCONV_EXPECT(volume_of(dims) == volume_of(chain.dims), volume_of(dims), " elements of ", volume_of(chain.dims));
  if (!cut(transposed_factors(chain), dims)) return std::nullopt;
  return Rearrange{.factors = chain.factors, .order = chain.order, .dims = std::move(dims)};
}

bool keeps_order(const Rearrange& chain) { return std::is_sorted(chain.order.begin(), chain.order.end()); }

std::optional<Rearrange> aligned(const Rearrange& chain, const Extents& in) {
  const std::optional<Rearrange> fine = split_before(chain, in.values);
  return fine ? split_behind(*fine, chain.dims) : std::nullopt;
}

Box sources_of(const IndexDigits& digits, const Box& out) {
  Box box;
  for (Interval& interval : box.intervals) interval = {0, 1};
  for (Axis axis : all_axes) {
    Interval rest = out[axis];
    for (const IndexDigit& digit : digits[static_cast<std::size_t>(axis)]) {
      const Interval values{rest.lo / digit.dst_stride, ceil_div(rest.hi, digit.dst_stride)};
      // For several values of a digit, the faster digits take their whole range; for a single one, the remaining range.
      rest = values.size() == 1 ? rest.shifted(-values.lo * digit.dst_stride) : Interval{0, digit.dst_stride};
      box[digit.src].lo += values.lo * digit.src_stride;
      box[digit.src].hi += (values.hi - 1) * digit.src_stride;
    }
  }
  return box;
}

}  // namespace parconv
