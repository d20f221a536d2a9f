// SPDX-License-Identifier: Apache-2.0
// ONNX tensors as constants.
#pragma once

#include <string>
#include <vector>

#include "io/onnx/file/onnx_file.hpp"
#include "parconv/model/constant.hpp"

namespace parconv {

/// A constant of the graph with its ONNX dimensions (empty for a scalar).
struct OnnxConstant {
  std::vector<index_t> dims{};
  ConstantData data{};
  int type = onnx::TensorProto::FLOAT;  ///< of ONNX
  bool is_integer = false;              ///< or bool
  /// All elements, exactly, of an integer tensor of at most 2^20 elements, or that was evaluated; else empty.
  std::vector<index_t> integers{};
  /// All elements, exactly, of a tensor of doubles that is short or was evaluated; else empty.
  std::vector<double> doubles{};
};

/// Converts `tensor` to a constant; paths of external data are relative to the model. Checks dimensions, type and data size.
/// Throws Error(BadData) with a message that begins with `what`, for example "initializer 'conv1.weight'".
OnnxConstant read_tensor(const onnx::TensorProto& tensor, const std::string& model_path, const std::string& what);

/// All elements as f32, for evaluation while a model is read. Throws Error(BadData), beginning with `what`, for a fill of more
/// than 2^24 elements, which a few bytes of a model can request.
std::vector<float> elements_of(const OnnxConstant& constant, const std::string& what);

/// Constants in memory. Precondition: the number of values is the product of the dimensions.
OnnxConstant float_constant(std::vector<float> values, std::vector<index_t> dims);
OnnxConstant integer_constant(std::vector<index_t> values, std::vector<index_t> dims);

/// Product of the dimensions, 1 for none. Throws Error(BadData), beginning with `what`, if one is negative or the product is
/// too large.
index_t count_of(const std::vector<index_t>& dims, const std::string& what);

/// "[1, 3, 224, 224]".
std::string dims_string(const std::vector<index_t>& dims);

/// Name of an ONNX element type in messages: "float", "int64", ...
std::string type_name(int onnx_type);

}  // namespace parconv
