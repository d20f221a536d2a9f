// SPDX-License-Identifier: Apache-2.0
// The element function of every kind without a filter, found by overload: make_kernel(kind, ElementCall).
#pragma once

#include "compute/elements/element_lrn.hpp"
#include "compute/elements/element_matmul.hpp"
#include "compute/elements/element_pointwise.hpp"
#include "compute/elements/element_pool.hpp"
#include "compute/elements/element_rearrange.hpp"
#include "compute/elements/element_reduce.hpp"
#include "compute/elements/element_resample.hpp"
#include "compute/elements/element_softmax.hpp"
#include "compute/elements/element_sum.hpp"

namespace parconv::element {

/// Creates the kernel of `kind`, which is op.kind. Throws Bug or Error(Unavailable) if the operands do not fit.
template <class Kind, class Executor>
std::unique_ptr<Kernel> make_element_kernel_of(const Kind& kind, const LocalOp& op, const Executor& executor) {
  check_call(op);
  return make_kernel(kind, ElementCall<Executor>(op, executor));
}

}  // namespace parconv::element
