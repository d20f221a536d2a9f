// SPDX-License-Identifier: Apache-2.0
// A LocalDeconv as oneDNN convolutions, one for each phase of the strides.
#pragma once

#include "compute/onednn/onednn_conv_kernel.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv::onednn {

/// Precondition: op.kind is a LocalDeconv; all operands are f32 or bf16 with channel stride 1.
std::unique_ptr<Kernel> make_deconv_kernel(const LocalOp& op, const FilterReader& read_filter, const ConvKernelOptions& options);

}  // namespace parconv::onednn
