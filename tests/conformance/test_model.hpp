// SPDX-License-Identifier: Apache-2.0
// One case of the suite in memory: the model's inputs, their values and the expected outputs.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "conformance/suite.hpp"
#include "parconv/core/types.hpp"

namespace parconv::test {

/// A tensor in row-major ONNX order.
struct TestTensor {
  std::string name{};
  std::vector<index_t> dims{};
  std::vector<float> values{};
  /// Element type in the file.
  DType type = DType::F32;
};

class TestModel {
 public:
  /// Throws Error(InputMissing or BadData).
  explicit TestModel(const SuiteCase& suite_case);

  /// Graph inputs without an initializer, of which there are as many as input files.
  const std::vector<std::string>& input_names() const;
  /// True if input `k` can be made constant: a tensor, not a sequence or an optional.
  bool is_tensor(std::size_t k) const;
  /// The value of input `k`. Throws Error(BadData) if it is not a numeric tensor.
  TestTensor input(std::size_t k) const;
  /// The expected outputs. Throws Error(BadData) if one is not a numeric tensor.
  std::vector<TestTensor> expected_outputs() const;

  /// Saves the model with `constants` (input indices) as initializers instead of inputs.
  void save(const std::string& path, const std::set<std::size_t>& constants) const;

 private:
  struct Contents;
  std::shared_ptr<const Contents> contents_;
};

}  // namespace parconv::test
