// SPDX-License-Identifier: Apache-2.0
// The factory of element kernels.
#pragma once

#include "compute/elements/element_kinds.hpp"

namespace parconv::element {

/// Creates the kernel of any kind with an element function. Throws Error(Unavailable) for kinds with a filter, which need a
/// library, and for unsupported element types.
template <class Executor>
std::unique_ptr<Kernel> make_element_kernel(const LocalOp& op, const Executor& executor) {
  return std::visit(
      [&]<class Kind>(const Kind& kind) -> std::unique_ptr<Kernel> {
        if constexpr (KindWithFilter<Kind>)
          throw Error(ExitCode::Unavailable, concat("no element-wise kernel for the kind \"", Kind::name, "\""),
                      "Convolutions are prepared by a ConvLibrary.");
        else
          return make_element_kernel_of(kind, op, executor);
      },
      op.kind);
}

}  // namespace parconv::element
