// SPDX-License-Identifier: Apache-2.0
// Shape rules: the output shape of an operator from its inputs' shapes.
#pragma once

#include <span>

#include "parconv/model/network.hpp"

namespace parconv {

/// Extents and ONNX rank of a tensor.
struct Shape {
  Extents extents{};
  int ndims = 4;

  friend bool operator==(const Shape&, const Shape&) = default;
};

/// The shape of a value.
Shape shape_of(const Value& value);

/// The shape from ONNX dimensions. Local. Throws Error(BadData) naming `what` unless there are 1 to 5 of them, all positive, with
/// at most 2^48 elements. Example: {2, 3, 8} is n 2, c 3, h 8 with ndims 3.
Shape shape_from_dims(std::span<const index_t> dims, const std::string& what);

/// The ONNX dimensions of a shape.
std::vector<index_t> dims_of(const Shape& shape);

/// Output shape of any operator but Reshape (whose target the reader knows) for the shapes of its operands. Local. All
/// arithmetic is checked for overflow. Throws Error(BadData) naming `node_name` and the attribute that does not fit.
Shape output_shape(const Operator& op, std::span<const Shape> operands, const std::string& node_name);

}  // namespace parconv
