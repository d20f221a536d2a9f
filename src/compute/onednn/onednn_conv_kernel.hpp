// SPDX-License-Identifier: Apache-2.0
// A LocalConv as oneDNN calls, one or more per channel block.
#pragma once

#include <memory>

#include "compute/onednn/onednn_block.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv::onednn {

/// Threads per call; whether padding is always explicit (otherwise only where oneDNN is slow without); the cache of packed
/// weights (null: not shared).
struct ConvKernelOptions {
  int threads = 1;
  Padding padding = Padding::Implicit;
  WeightCache* cache = nullptr;
};

/// Precondition: op.kind is a LocalConv; all operands are f32 or bf16 with channel stride 1.
std::unique_ptr<Kernel> make_conv_kernel(const LocalOp& op, const FilterReader& read_filter, const ConvKernelOptions& options);

}  // namespace parconv::onednn
