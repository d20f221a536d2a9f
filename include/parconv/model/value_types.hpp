// In which type each value of a network is kept in memory.
#pragma once

#include <vector>

#include "parconv/model/network.hpp"

namespace parconv {

/// One type for each value, where activations are kept in `activations`.
/// * What a convolution or a Concat reads has that type, whoever made it: convolutions compute in the type of their source, and
/// the
///   parts of a Concat land in its result as they are.
/// * Statistics stay f32: sums over rows, and what is made of statistics and constants alone (means, variances, their roots).
///   They are small, and rounding them would shift whole channels.
/// * Other constants stay f32 as well.
std::vector<DType> types_of_values(const Network& network, DType activations);

}  // namespace parconv
