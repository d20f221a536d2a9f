// SPDX-License-Identifier: Apache-2.0
// Writer of small ONNX models, valid and invalid, for tests and demonstrations.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv::test {

/// Element types of ONNX (TensorProto.DataType).
enum class OnnxType : int {
  Float = 1,
  Uint8 = 2,
  Int8 = 3,
  Uint16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  Bfloat16 = 16
};

/// A tensor as raw bytes, without consistency checks of dimensions, type and size.
struct OnnxTensor {
  OnnxType type = OnnxType::Float;
  std::vector<index_t> dims{};
  std::string bytes{};
};

OnnxTensor float_tensor(std::vector<index_t> dims, const std::vector<float>& values);
OnnxTensor double_tensor(std::vector<index_t> dims, const std::vector<double>& values);
OnnxTensor int64_tensor(std::vector<index_t> dims, const std::vector<index_t>& values);
/// A tensor from bit patterns of float16 or bfloat16.
OnnxTensor half_tensor(OnnxType type, std::vector<index_t> dims, const std::vector<std::uint16_t>& bits);

struct OnnxAttribute {
  std::string name{};
  std::variant<index_t, float, std::string, std::vector<index_t>, std::vector<float>, OnnxTensor> value{};
};

/// A dimension of an input: a size, a symbolic name, or neither.
struct OnnxDim {
  OnnxDim() = default;
  OnnxDim(index_t number) : size(number), has_size(true) {}
  OnnxDim(int number) : OnnxDim(static_cast<index_t>(number)) {}
  OnnxDim(const char* name) : symbol(name) {}

  index_t size = 0;
  bool has_size = false;
  std::string symbol{};
};

/// Entries of external_data, as text; empty ones are omitted.
struct OnnxExternal {
  std::string location{};
  std::string offset{};
  std::string length{};
};

struct OnnxNode {
  std::string op_type{};
  std::vector<std::string> inputs{};
  std::vector<OnnxAttribute> attributes{};
  /// If empty: a generated name.
  std::vector<std::string> outputs{};
  /// If empty: the name of the first output.
  std::string name{};
  std::string domain{};
};

/// Builds a model step by step and saves it.
class OnnxWriter {
 public:
  explicit OnnxWriter(index_t opset = 13, index_t ir_version = 8);
  ~OnnxWriter();
  OnnxWriter(OnnxWriter&&) noexcept;
  OnnxWriter& operator=(OnnxWriter&&) noexcept;

  std::string add_input(const std::string& name, const std::vector<OnnxDim>& dims, OnnxType type = OnnxType::Float);
  void add_output(const std::string& name, const std::vector<OnnxDim>& dims = {});
  std::string add_initializer(const std::string& name, const OnnxTensor& tensor);
  /// Stores elements in float_data instead of raw_data.
  std::string add_float_data(const std::string& name, std::vector<index_t> dims, const std::vector<float>& values);
  /// Stores elements in another file; the bytes of `tensor` are not used.
  std::string add_external(const std::string& name, const OnnxTensor& tensor, const OnnxExternal& external);
  /// Returns the name of the first output.
  std::string add_node(const OnnxNode& node);
  void add_sparse_initializer();
  void add_opset(const std::string& domain, index_t version);

  std::string serialized() const;
  void save(const std::string& path) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parconv::test
