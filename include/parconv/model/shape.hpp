// Shape rules: what an operator makes of its inputs' shapes.
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

Shape shape_of(const Value& value);

/// The shape from ONNX dimensions (1 to 5 of them, all positive). Throws Error(BadData) naming `what` otherwise, or if the
/// number of elements is above 2^48.
Shape shape_from_dims(std::span<const index_t> dims, const std::string& what);

/// The ONNX dimensions of a shape.
std::vector<index_t> dims_of(const Shape& shape);

/// Output shape of any operator but Reshape (whose target the reader knows) for the shapes of its operands. Throws
/// Error(BadData) naming `node_name` and the attribute that does not fit. No size overflows: all arithmetic is checked.
Shape output_shape(const Operator& op, std::span<const Shape> operands, const std::string& node_name);

}  // namespace parconv
