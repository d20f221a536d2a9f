// SPDX-License-Identifier: Apache-2.0
#include "conformance/binding.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"
#include "parconv/io/onnx/onnx_summary.hpp"

namespace parconv::test {
namespace {

/// Dimensions of the data inputs. An input that is not a numeric tensor is left to the reader.
ReadOptions options_for(const TestModel& model, const std::set<std::size_t>& constants) {
  ReadOptions options;
  for (std::size_t k = 0; k < model.input_names().size(); ++k) {
    if (constants.contains(k)) continue;
    try {
      options.inputs.push_back({.name = model.input_names()[k], .dims = model.input(k).dims});
    } catch (const Error&) {
    }
  }
  return options;
}

/// All subsets of `count` elements of [0, total), those of the largest elements first.
std::vector<std::set<std::size_t>> choices(std::size_t total, std::size_t count) {
  std::vector<bool> is_chosen(total, false);
  std::fill(is_chosen.begin(), is_chosen.begin() + static_cast<std::ptrdiff_t>(count), true);
  std::vector<std::set<std::size_t>> result;
  do {
    std::set<std::size_t> chosen;
    for (std::size_t k = 0; k < total; ++k)
      if (is_chosen[k]) chosen.insert(total - 1 - k);
    result.push_back(std::move(chosen));
  } while (std::prev_permutation(is_chosen.begin(), is_chosen.end()));
  return result;
}

/// The reader's reason for rejecting the model with these constants; empty if it accepts.
std::string refusal_of(const TestModel& model, const std::set<std::size_t>& constants, const std::string& path) {
  try {
    model.save(path, constants);
    read_bound(model, constants, path);
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

Network read_bound(const TestModel& model, const std::set<std::size_t>& constants, const std::string& path) {
  return read_network(OnnxModel(path), options_for(model, constants));
}

Binding find_binding(const TestModel& model, const std::string& path) {
  Binding binding;
  const std::size_t num_inputs = std::max<std::size_t>(model.input_names().size(), 1);
  for (std::size_t count = 0; count < num_inputs; ++count)
    for (const std::set<std::size_t>& constants : choices(model.input_names().size(), count)) {
      if (!std::all_of(constants.begin(), constants.end(), [&](std::size_t k) { return model.is_tensor(k); })) continue;
      const std::string refusal = refusal_of(model, constants, path);
      if (refusal.empty()) return {.constants = constants};
      if (!constants.contains(0)) binding.refusal = refusal;
    }
  return binding;
}

std::string inspect_problem(const TestModel& model, const Binding& binding, const std::string& path) {
  model.save(path, {});
  const bool is_taken = binding.refusal.empty() && binding.constants.empty();
  const ModelSummary summary = summarize(OnnxModel(path), options_for(model, {}));
  if (summary.is_supported() == is_taken) return {};
  return is_taken ? concat("inspect finds a problem that the reader does not: ", summary.problem)
                  : "inspect finds no problem, but the reader refuses the model as it is";
}

}  // namespace parconv::test
