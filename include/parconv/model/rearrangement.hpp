// SPDX-License-Identifier: Apache-2.0
// Chains of Transpose and Reshape as one move of elements.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "parconv/model/local_op.hpp"

namespace parconv {

// A chain is a Rearrange with maximal factors, independent of the input's axes; it may have any number of `dims`, also none.
// Example: (n, 6, h) viewed as (n, 2, 3, h), transposed to (n, 3, 2, h) and viewed as (n, 6, h) has the factors n, 2, 3, h in
// the order 0, 2, 1, 3.

/// The identity chain on a tensor of `dims`. Precondition: all are at least 1.
Rearrange in_order(std::vector<index_t> dims);

/// The chain followed by a Transpose: dimension k of the result is dimension perm[k] of the chain's. Precondition: perm is a
/// permutation of the chain's dimensions.
Rearrange transposed(const Rearrange& chain, std::span<const int> perm);

/// The chain followed by a Reshape; nullopt if a new dimension would cut across transposed factors, as in (2, 3) transposed and
/// viewed as (2, 3). Precondition: `dims` has as many elements.
std::optional<Rearrange> reshaped(const Rearrange& chain, std::vector<index_t> dims);

/// True if the chain keeps the order of elements: it is only a Reshape.
bool keeps_order(const Rearrange& chain);

/// The operator for a chain of 1 to 5 dimensions on a tensor of extents `in`, with factors cut at the borders of the axes.
/// Nullopt if the borders do not line up with the factors, as in (4, 6) viewed as (3, 8).
std::optional<Rearrange> aligned(const Rearrange& chain, const Extents& in);

/// The box of the source elements that `digits` name for the indices of `out`. The smallest one if no two digits of one axis
/// name the same axis. Precondition: `out` is not empty. Example: index 7 of (3, 4) has the digits 1 and 3; the indices [7, 9)
/// have the digits [1, 3) and [0, 4), the indices [5, 7) the digits 1 and [1, 3).
Box sources_of(const IndexDigits& digits, const Box& out);

}  // namespace parconv
