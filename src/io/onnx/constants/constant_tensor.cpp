// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/constants/constant_tensor.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>

#include "parconv/core/error.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/tensor/half.hpp"

namespace parconv {
namespace {

using onnx::TensorProto;

float rounded(double value, int type) {
  const auto single = static_cast<float>(value);
  if (type == TensorProto::FLOAT16) return float_from_half(half_from_float(single));
  return type == TensorProto::BFLOAT16 ? rounded_to_bfloat16(single) : single;
}

}  // namespace

index_t ConstantTensor::count() const {
  return std::visit([](const auto& elements) { return std::ssize(elements); }, numbers);
}

bool is_evaluated_type(int type) {
  switch (type) {
    case TensorProto::FLOAT:
    case TensorProto::DOUBLE:
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
    case TensorProto::BOOL:
    case TensorProto::UINT8:
    case TensorProto::INT8:
    case TensorProto::UINT16:
    case TensorProto::INT16:
    case TensorProto::INT32:
    case TensorProto::INT64:
      return true;
    default:
      return false;
  }
}

ConstantTensor loaded(const OnnxConstant& constant) {
  ConstantTensor tensor{.type = constant.type, .dims = constant.dims};
  if (!constant.doubles.empty())
    tensor.numbers = constant.doubles;
  else if (!constant.is_integer)
    tensor.numbers = read_constant(constant.data);
  else if (!constant.integers.empty())
    tensor.numbers = constant.integers;
  else {
    const std::vector<float> values = read_constant(constant.data);
    tensor.numbers = std::vector<index_t>(values.begin(), values.end());
  }
  if (constant.type == TensorProto::DOUBLE && !std::holds_alternative<std::vector<double>>(tensor.numbers))
    tensor.numbers = reals(tensor);
  return tensor;
}

OnnxConstant stored(ConstantTensor tensor) {
  if (tensor.is_integer()) {
    OnnxConstant constant = integer_constant(std::get<std::vector<index_t>>(std::move(tensor.numbers)), std::move(tensor.dims));
    constant.type = tensor.type;
    return constant;
  }
  std::vector<double> doubles;
  std::vector<float> values;
  if (auto* floats = std::get_if<std::vector<float>>(&tensor.numbers)) {
    values = std::move(*floats);
  } else {
    doubles = std::get<std::vector<double>>(std::move(tensor.numbers));
    values.assign(doubles.begin(), doubles.end());
  }
  OnnxConstant constant = float_constant(std::move(values), std::move(tensor.dims));
  constant.type = tensor.type;
  constant.doubles = std::move(doubles);
  return constant;
}

std::array<index_t, 2> limits_of(int type) {
  const auto of = [](auto number) {
    using Limits = std::numeric_limits<decltype(number)>;
    return std::array{static_cast<index_t>(Limits::min()), static_cast<index_t>(Limits::max())};
  };
  switch (type) {
    case TensorProto::BOOL:
      return {0, 1};
    case TensorProto::UINT8:
      return of(std::uint8_t{});
    case TensorProto::INT8:
      return of(std::int8_t{});
    case TensorProto::UINT16:
      return of(std::uint16_t{});
    case TensorProto::INT16:
      return of(std::int16_t{});
    case TensorProto::INT32:
      return of(std::int32_t{});
    default:
      return of(std::int64_t{});
  }
}

ConstantTensor integer_tensor(std::vector<index_t> values, Dims dims, int type) {
  return {.type = type, .dims = std::move(dims), .numbers = std::move(values)};
}

ConstantTensor real_tensor(const std::vector<double>& values, Dims dims, int type) {
  ConstantTensor tensor{.type = type, .dims = std::move(dims)};
  if (type == TensorProto::DOUBLE) {
    tensor.numbers = values;
    return tensor;
  }
  std::vector<float> floats(values.size());
  std::transform(values.begin(), values.end(), floats.begin(), [&](double value) { return rounded(value, type); });
  tensor.numbers = std::move(floats);
  return tensor;
}

std::vector<double> reals(const ConstantTensor& tensor) {
  return std::visit([](const auto& elements) { return std::vector<double>(elements.begin(), elements.end()); }, tensor.numbers);
}

index_t volume_of(const Dims& dims) { return std::accumulate(dims.begin(), dims.end(), index_t{1}, std::multiplies<>()); }

Dims row_major_strides(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t k = dims.size(); k-- > 1;) strides[k - 1] = strides[k] * dims[k];
  return strides;
}

ConstantTensor taken(const ConstantTensor& from, const Sources& sources, Dims dims, const ConstantTensor* fill) {
  ConstantTensor result{.type = from.type, .dims = std::move(dims)};
  std::visit(
      [&](const auto& elements) {
        using List = std::decay_t<decltype(elements)>;
        using Number = typename List::value_type;
        const Number other = fill != nullptr && fill->count() > 0 ? static_cast<Number>(reals(*fill).front()) : Number{};
        List list(sources.size());
        std::transform(sources.begin(), sources.end(), list.begin(),
                       [&](index_t source) { return source < 0 ? other : elements[static_cast<std::size_t>(source)]; });
        result.numbers = std::move(list);
      },
      from.numbers);
  return result;
}

Sources combined_sources(const Dims& dims, const std::vector<Dims>& indices) {
  const Dims strides = row_major_strides(dims);
  Sources sources{0};
  for (std::size_t k = 0; k < dims.size(); ++k) {
    Sources next;
    next.reserve(sources.size() * indices[k].size());
    for (const index_t source : sources)
      for (const index_t index : indices[k]) next.push_back(source < 0 || index < 0 ? -1 : source + index * strides[k]);
    sources = std::move(next);
  }
  return sources;
}

std::vector<Dims> all_indices(const Dims& dims) {
  std::vector<Dims> indices;
  for (const index_t dim : dims) {
    indices.emplace_back(static_cast<std::size_t>(dim));
    std::iota(indices.back().begin(), indices.back().end(), index_t{0});
  }
  return indices;
}

Sources transposed_sources(const Dims& dims, const Dims& perm) {
  const Dims strides = row_major_strides(dims);
  Sources sources{0};
  for (const index_t axis : perm) {
    const auto k = static_cast<std::size_t>(axis);
    Sources next;
    for (const index_t source : sources)
      for (index_t at = 0; at < dims[k]; ++at) next.push_back(source + at * strides[k]);
    sources = std::move(next);
  }
  return sources;
}

Sources broadcast_sources(const Dims& dims, const Dims& out_dims) {
  const std::size_t missing = out_dims.size() - dims.size();
  Dims aligned(missing, 1);
  aligned.insert(aligned.end(), dims.begin(), dims.end());
  std::vector<Dims> indices = all_indices(out_dims);
  for (std::size_t k = 0; k < aligned.size(); ++k)
    if (aligned[k] == 1) std::fill(indices[k].begin(), indices[k].end(), index_t{0});
  return combined_sources(aligned, indices);
}

}  // namespace parconv
