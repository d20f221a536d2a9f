// SPDX-License-Identifier: Apache-2.0
// Subviews.
#pragma once

#include "parconv/tensor/view.hpp"

namespace parconv::hdf5 {

/// The subview of `inner` in `view`, whose box is `outer`.
template <class Byte>
BasicView<Byte> part_of(BasicView<Byte> view, const Box& inner, const Box& outer) {
  index_t offset = 0;
  for (Axis axis : all_axes) offset += (inner[axis].lo - outer[axis].lo) * view.layout.strides[axis];
  OperandLayout layout = view.layout;
  layout.extents = inner.extents();
  return {view.data + offset * static_cast<index_t>(size_of(layout.type)), layout};
}

}  // namespace parconv::hdf5
