// SPDX-License-Identifier: Apache-2.0
// Constants in ONNX's own types, for evaluation while a model is read.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "io/onnx/file/onnx_tensor.hpp"
#include "onnx/onnx_pb.h"

namespace parconv {

using Dims = std::vector<index_t>;

/// Elements in row-major order: float, float16 and bfloat16 as float; double; integers of all widths and bool (0 or 1).
using Numbers = std::variant<std::vector<float>, std::vector<double>, std::vector<index_t>>;

struct ConstantTensor {
  int type = onnx::TensorProto::FLOAT;  ///< of ONNX
  Dims dims{};
  Numbers numbers{};

  index_t count() const;
  bool is_integer() const { return std::holds_alternative<std::vector<index_t>>(numbers); }
  const std::vector<index_t>& integers() const { return std::get<std::vector<index_t>>(numbers); }
};

/// Reads all elements. Throws Error of read_constant.
ConstantTensor loaded(const OnnxConstant& constant);
OnnxConstant stored(ConstantTensor tensor);

/// True for the types that evaluation supports: those of ConstantData.
bool is_evaluated_type(int type);

/// The least and greatest value of an integer type; of 64 bits: signed.
std::array<index_t, 2> limits_of(int type);

ConstantTensor integer_tensor(std::vector<index_t> values, Dims dims, int type = onnx::TensorProto::INT64);
/// Rounds each value to the type, which is a floating-point type.
ConstantTensor real_tensor(const std::vector<double>& values, Dims dims, int type);
/// The elements of any type as double.
std::vector<double> reals(const ConstantTensor& tensor);

/// Product of dimensions that are known to be small.
index_t volume_of(const Dims& dims);
/// Steps of dimensions in row-major order.
Dims row_major_strides(const Dims& dims);

/// The source index of each element of `dims`, in row-major order; negative ones stand for a fill.
using Sources = std::vector<index_t>;
/// Elements at `sources`; a negative source gives element 0 of `fill`, or 0.
ConstantTensor taken(const ConstantTensor& from, const Sources& sources, Dims dims, const ConstantTensor* fill = nullptr);

/// The elements at all combinations of `indices`, one list per dimension; negative indices stand for a fill.
Sources combined_sources(const Dims& dims, const std::vector<Dims>& indices);
/// 0, 1, ..., for each dimension.
std::vector<Dims> all_indices(const Dims& dims);

/// For each element of a tensor of `dims` transposed by `perm`, as in ONNX, its source. Precondition: a permutation.
Sources transposed_sources(const Dims& dims, const Dims& perm);

/// For each element of `out_dims`, the broadcast element of a tensor of `dims`, aligned at the last dimension.
Sources broadcast_sources(const Dims& dims, const Dims& out_dims);

}  // namespace parconv
