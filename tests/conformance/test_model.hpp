// One case of the suite in memory: the model's inputs, their values and the values expected of its outputs.
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
  /// Type of the elements in the file.
  DType type = DType::F32;
};

class TestModel {
 public:
  /// Throws Error(InputMissing or BadData).
  explicit TestModel(const SuiteCase& suite_case);

  /// Inputs of the graph that no initializer gives a value; as many as the case has data for.
  const std::vector<std::string>& input_names() const;
  /// True if input `k` can be a constant: it is a tensor, not a sequence or an optional value.
  bool is_tensor(std::size_t k) const;
  /// The values of input `k`. Throws Error(BadData) if it is not a tensor of numbers.
  TestTensor input(std::size_t k) const;
  /// The values expected of all outputs. Throws Error(BadData) if one is not a tensor of numbers.
  std::vector<TestTensor> expected_outputs() const;

  /// Writes the model with `constants` (indices of inputs) as initializers instead of inputs.
  void save(const std::string& path, const std::set<std::size_t>& constants) const;

 private:
  struct Contents;
  std::shared_ptr<const Contents> contents_;
};

}  // namespace parconv::test
