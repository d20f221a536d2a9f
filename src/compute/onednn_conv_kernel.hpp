// A LocalConv as oneDNN calls, one or more a channel piece.
#pragma once

#include <memory>

#include "compute/onednn_piece.hpp"
#include "parconv/compute/backend.hpp"

namespace parconv::onednn {

/// Threads that the calls use, whether padding is always made explicit (otherwise only where oneDNN is slow without), and where
/// packed weights are looked up (null: the kernel shares none).
struct ConvKernelOptions {
  int threads = 1;
  Padding padding = Padding::Implicit;
  WeightCache* cache = nullptr;
};

/// Precondition: op.kind is a LocalConv; all operands are f32 or bf16 with channel stride 1.
std::unique_ptr<Kernel> make_conv_kernel(const LocalOp& op, const FilterReader& read_filter, const ConvKernelOptions& options);

}  // namespace parconv::onednn
