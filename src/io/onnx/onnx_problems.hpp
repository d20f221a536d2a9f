// SPDX-License-Identifier: Apache-2.0
// Nodes that cannot be read, by cause.
#pragma once

#include <string>
#include <vector>

#include "onnx/onnx_pb.h"
#include "parconv/core/error.hpp"

namespace parconv {

/// A node that was refused.
struct NodeProblem {
  const onnx::NodeProto* node = nullptr;
  std::string message{};
  std::string cause{};  ///< the message without the node's label
  std::string hint{};
};

/// The problem that an error of reading a node states.
NodeProblem problem_of(const onnx::NodeProto& node, const Error& error);
/// A problem without an error.
NodeProblem problem_of(const onnx::NodeProto& node, const std::string& cause, const std::string& hint);

/// One error for all problems: one of a single node as it is, several by operator and cause, one a line, with their numbers and
/// first nodes. Precondition: there is a problem.
Error error_of(const std::vector<NodeProblem>& problems);

}  // namespace parconv
