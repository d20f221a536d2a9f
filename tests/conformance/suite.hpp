// SPDX-License-Identifier: Apache-2.0
// Models of the ONNX test suite, as packaged: SET/MODEL/model.onnx and SET/MODEL/test_data_set_K/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace parconv::test {

/// A model with one set of inputs and expected outputs.
struct SuiteCase {
  /// "node/test_add"; further data sets of a model are numbered: "node/test_add:1".
  std::string name{};
  std::filesystem::path model{};
  std::filesystem::path data{};
  /// Why its expected outputs are known to be wrong; empty if they are not.
  std::string wrong_data{};
};

/// All cases under `root`, by name, of the sets with data (node, pytorch-converted, pytorch-operator, simple). Throws
/// Error(InputMissing) if a set or a model's data is missing.
std::vector<SuiteCase> find_cases(const std::filesystem::path& root);

}  // namespace parconv::test
