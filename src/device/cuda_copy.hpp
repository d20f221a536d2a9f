// Copying boxes inside the memory of a GPU.
#pragma once

#include <cuda_runtime_api.h>

#include "parconv/model/local_op.hpp"

namespace parconv {

/// dst = src element by element, converted if the types differ (f32, bf16, f16). Both in device memory, the same extents, no
/// overlap. Gives its work to `stream`. Throws Error if the launch fails.
void launch_copy_box(const std::byte* src, const OperandLayout& src_layout, std::byte* dst, const OperandLayout& dst_layout,
                     cudaStream_t stream);

}  // namespace parconv
