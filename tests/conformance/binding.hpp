// Which inputs of a model are data, and which are constants.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "conformance/test_model.hpp"
#include "parconv/io/onnx_reader.hpp"

namespace parconv::test {

/// The suite gives weights, bounds, axes and shapes as inputs of the graph, where a network has constants. The rule: as few
/// inputs as possible become constants, and at least one stays data; of equally few the later ones, since data comes first.
struct Binding {
  std::set<std::size_t> constants{};
  /// What the reader says of the model with all inputs but the first as constants, if it takes it in no form.
  std::string refusal{};
};

/// Tries the forms of a model in the order of the rule; local. Leaves at `path` the model in the form that is taken.
Binding find_binding(const TestModel& model, const std::string& path);

/// The model at `path`, bound as `constants` says, with the dimensions of its data. Throws what `read_network` throws.
Network read_bound(const TestModel& model, const std::set<std::size_t>& constants, const std::string& path);

/// What `summarize` says of the model as it is: empty if it agrees with `binding`, and what is wrong otherwise.
std::string inspect_problem(const TestModel& model, const Binding& binding, const std::string& path);

}  // namespace parconv::test
