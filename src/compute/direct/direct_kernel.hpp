// SPDX-License-Identifier: Apache-2.0
// Kernels of the cpu backend for operators with a filter.
#pragma once

#include <memory>

#include "compute/direct/packed_filter.hpp"
#include "compute/filter_cache.hpp"
#include "parconv/compute/backend.hpp"

namespace parconv::direct {

using PackedFilters = FilterCache<PackedFilter>;

struct DirectOptions {
  InstructionSet set = InstructionSet::Portable;
  int threads = 1;
};

/// The kernel of a LocalConv or LocalDeconv on operands of any type and strides, with a channel stride of 1. `cache` keeps packed
/// filters for all kernels that use the same part, and must outlive the call only.
std::unique_ptr<Kernel> make_direct_kernel(const LocalOp& op, const FilterReader& read_filter, const DirectOptions& options,
                                           PackedFilters& cache);

}  // namespace parconv::direct
