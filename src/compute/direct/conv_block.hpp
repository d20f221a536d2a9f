// SPDX-License-Identifier: Apache-2.0
// The channel blocks of a convolution with their positions in the operands.
#pragma once

#include <vector>

#include "compute/direct/direct_conv.hpp"
#include "compute/direct/direct_kernel.hpp"

namespace parconv::direct {

struct ConvBlock {
  DirectConv conv;
  index_t src_bytes = 0;  ///< from the operand's first element to the block's
  index_t dst_bytes = 0;
  index_t residual_bytes = 0;
  std::size_t filter_bytes = 0;  ///< 0 if an earlier kernel made the filter
};

/// The blocks of a LocalConv.
std::vector<ConvBlock> conv_blocks(const LocalOp& op, const FilterReader& read, const DirectOptions& options,
                                   PackedFilters& cache);

/// The blocks of a LocalDeconv: a convolution for each phase of the strides, which writes every stride-th output.
std::vector<ConvBlock> deconv_blocks(const LocalOp& op, const FilterReader& read, const DirectOptions& options);

}  // namespace parconv::direct
