// SPDX-License-Identifier: Apache-2.0
// Destination of a network's output.
#pragma once

#include "parconv/tensor/view.hpp"

namespace parconv {

/// A tensor written box by box. All ranks together write every element exactly once.
class DataSink {
 public:
  virtual ~DataSink() = default;

  /// Global extents.
  virtual Extents extents() const = 0;
  /// Extents of a storage block. The block grid starts at index 0 and does not depend on the number of ranks. Writing is
  /// fastest if each block is written by a single call on one rank.
  virtual Extents chunk() const = 0;

  /// Stores `src` (f32, f16 or bf16, any strides) as f32 at `box`. Local, blocking. An empty box is a no-op. Preconditions: the
  /// tensor contains `box`, and `src` has its extents. Throws Error(Io).
  virtual void write(const Box& box, ConstView src) = 0;
};

}  // namespace parconv
