// A LocalDeconv as oneDNN convolutions, one for each phase of the strides.
#pragma once

#include "compute/onednn_conv_kernel.hpp"

namespace parconv::onednn {

/// Precondition: op.kind is a LocalDeconv; all operands are f32 or bf16 with channel stride 1.
std::unique_ptr<Kernel> make_deconv_kernel(const LocalOp& op, const FilterReader& read_filter, const ConvKernelOptions& options);

}  // namespace parconv::onednn
