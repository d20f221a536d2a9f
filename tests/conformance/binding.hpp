// SPDX-License-Identifier: Apache-2.0
// Binding of model inputs: data or constants.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "conformance/test_model.hpp"
#include "parconv/io/onnx/onnx_reader.hpp"

namespace parconv::test {

/// The suite passes weights, bounds, axes and shapes as graph inputs, where a network needs constants. The binding makes as few
/// inputs as possible constant and leaves at least one as data; among equals, later inputs become constant, since data comes
/// first.
struct Binding {
  std::set<std::size_t> constants{};
  /// If no binding is accepted: the reader's message with all inputs but the first constant.
  std::string refusal{};
};

/// Tries bindings in order of preference and leaves the accepted model at `path`. Local.
Binding find_binding(const TestModel& model, const std::string& path);

/// Reads the model at `path`, saved with these constants, with the dimensions of its data. Throws as `read_network`.
Network read_bound(const TestModel& model, const std::set<std::size_t>& constants, const std::string& path);

/// Compares the summary of the unmodified model with `binding`; returns the disagreement, empty if there is none.
std::string inspect_problem(const TestModel& model, const Binding& binding, const std::string& path);

}  // namespace parconv::test
