// Folds what a model computes of shapes and short constants while it is read.
#pragma once

#include <string_view>

#include "io/onnx_node.hpp"

namespace parconv {

/// True for the operators that `fold` knows.
bool is_foldable(std::string_view op_type);

/// Makes the node's output a constant and returns true, if its inputs are constants of at most 1024 elements (or values of known
/// shape, for Shape) and dimensions that it can treat; otherwise does nothing. The n of a Shape is the number of samples of the
/// data. Throws Error(BadData) naming the node for an index out of range or a division by zero.
bool fold(NodeReader& node);

}  // namespace parconv
