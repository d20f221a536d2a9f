// SPDX-License-Identifier: Apache-2.0
// Box copies within GPU memory.
#pragma once

#include <cuda_runtime_api.h>

#include "parconv/geometry/operand_layout.hpp"

namespace parconv {

/// dst = src element by element, converted if the types differ (f32, bf16, f16). Both are in device memory, with the same
/// extents, no overlap. Enqueued on `stream`. Throws Error if the launch fails.
void launch_copy_box(const std::byte* src, const OperandLayout& src_layout, std::byte* dst, const OperandLayout& dst_layout,
                     cudaStream_t stream);

}  // namespace parconv
