// The models of the ONNX test suite, as a package lays them out: SET/MODEL/model.onnx and SET/MODEL/test_data_set_K/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace parconv::test {

/// A model with one set of inputs and expected outputs.
struct SuiteCase {
  /// "node/test_add"; further data sets of a model have a number: "node/test_add:1".
  std::string name{};
  std::filesystem::path model{};
  std::filesystem::path data{};
};

/// All cases below `root` in the sets that hold models with data (node, pytorch-converted, pytorch-operator, simple), by name.
/// Throws Error(InputMissing) if a set or a model's data is not there.
std::vector<SuiteCase> find_cases(const std::filesystem::path& root);

}  // namespace parconv::test
