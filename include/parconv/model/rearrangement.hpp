// Chains of Transpose and Reshape as one move of elements.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "parconv/model/local_op.hpp"

namespace parconv {

// A chain is a Rearrange whose factors are as large as they can be and know nothing of the input's axes; its `dims` may be more
// than five, or none. Example: (n, 6, h) seen as (n, 2, 3, h), transposed to (n, 3, 2, h) and seen as (n, 6, h) has the factors
// n, 2, 3, h in the order 0, 2, 1, 3.

/// The chain that does nothing to a tensor of `dims`. Precondition: all are at least 1.
Rearrange in_order(std::vector<index_t> dims);

/// The chain followed by a Transpose: dimension k of the result is dimension perm[k] of the chain's. Precondition: perm is a
/// permutation of the chain's dimensions.
Rearrange transposed(const Rearrange& chain, std::span<const int> perm);

/// The chain followed by a Reshape; nothing if it would cut through what was transposed, as (2, 3) transposed and seen as (2, 3).
/// Precondition: as many elements.
std::optional<Rearrange> reshaped(const Rearrange& chain, std::vector<index_t> dims);

/// True if the elements stay in their order: nothing but a Reshape.
bool keeps_order(const Rearrange& chain);

/// The operator that carries a chain of 1 to 5 dimensions out on a tensor of extents `in`: factors cut at the borders of the
/// axes. Nothing if these do not line up with the factors, as (4, 6) seen as (3, 8).
std::optional<Rearrange> aligned(const Rearrange& chain, const Extents& in);

/// The box of the elements that `digits` name for the indices of `out`, which is not empty. The smallest one if no two digits of
/// one axis name the same axis. Example: index 7 of (3, 4) has the digits 1 and 3; the indices [7, 9) have the digits [1, 3) and
/// [0, 4), the indices [5, 7) the digits 1 and [1, 3).
Box sources_of(const IndexDigits& digits, const Box& out);

}  // namespace parconv
