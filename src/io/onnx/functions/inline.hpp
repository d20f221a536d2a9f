// SPDX-License-Identifier: Apache-2.0
// Replaces calls of functions by their bodies, before a graph is indexed.
#pragma once

#include "io/onnx/file/onnx_file.hpp"

namespace parconv {

/// The model without functions: calls of its own functions, and operators that have no reader but that ONNX defines by a function
/// of others, are replaced by the nodes of the bodies, also inside bodies. A value `v` of the body that the node `a` calls
/// becomes "a/v", and a node `n` "a/n". A body that does not fit leaves an operator as it is, to be refused where it is read.
/// Throws Error(BadData) naming the node for a function that calls itself, for inputs, outputs or attributes that the function
/// does not have, and for more nodes or bytes than a model may have.
OnnxContents inlined(OnnxContents contents);

}  // namespace parconv
