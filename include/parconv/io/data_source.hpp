// SPDX-License-Identifier: Apache-2.0
// Source of a network's input.
#pragma once

#include "parconv/tensor/view.hpp"

namespace parconv {

/// A tensor read box by box.
class DataSource {
 public:
  virtual ~DataSource() = default;

  /// Global extents; 1 along axes absent from the data.
  virtual Extents extents() const = 0;
  /// ONNX rank of the tensor: 3 for NCW (with the signal along h), 4 for NCHW, 5 for NCDHW.
  virtual int ndims() const = 0;

  /// Fills `dst` (f32, f16 or bf16, any strides) with the elements of `box`, converted and scaled. Local, blocking. An empty
  /// box is a no-op. Preconditions: the tensor contains `box`, and `dst` has its extents. Throws Error(Io or BadData).
  virtual void read(const Box& box, View dst) = 0;
};

}  // namespace parconv
