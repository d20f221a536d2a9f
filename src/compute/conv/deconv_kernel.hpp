// SPDX-License-Identifier: Apache-2.0
// A LocalDeconv as ordinary convolutions, one for each phase of the strides.
#pragma once

#include <functional>

#include "parconv/compute/backend.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv {

/// Prepares a LocalConv. Its filter has the taps of a phase from last to first.
using MakeConvKernel = std::function<std::unique_ptr<Kernel>(const LocalOp&, const FilterReader&)>;

/// Precondition: op.kind is a LocalDeconv; the channel stride of all operands is 1. `make_conv` is called for each phase that
/// has taps and outputs.
std::unique_ptr<Kernel> make_deconv_kernel(const LocalOp& op, const FilterReader& read_filter, const MakeConvKernel& make_conv);

}  // namespace parconv
