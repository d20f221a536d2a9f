// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/file/onnx_tensor.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "io/onnx/file/onnx_elements.hpp"
#include "io/onnx/file/onnx_external.hpp"
#include "io/onnx/file/onnx_input_file.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"
#include "parconv/io/constants.hpp"

namespace parconv {
namespace {

using onnx::TensorProto;

constexpr index_t max_integers = index_t{1} << 20;
constexpr index_t max_doubles = 1024;

std::optional<DType> dtype_of(int type) {
  switch (type) {
    case TensorProto::FLOAT:
      return DType::F32;
    case TensorProto::DOUBLE:
      return DType::F64;
    case TensorProto::FLOAT16:
      return DType::F16;
    case TensorProto::BFLOAT16:
      return DType::BF16;
    case TensorProto::BOOL:
    case TensorProto::UINT8:
      return DType::U8;
    case TensorProto::INT8:
      return DType::I8;
    case TensorProto::UINT16:
      return DType::U16;
    case TensorProto::INT16:
      return DType::I16;
    case TensorProto::INT32:
      return DType::I32;
    case TensorProto::INT64:
      return DType::I64;
    default:
      return std::nullopt;
  }
}

DType checked_type(const TensorProto& tensor, const std::string& what) {
  const std::optional<DType> type = dtype_of(tensor.data_type());
  if (!type)
    throw Error(ExitCode::BadData, concat(what, " has element type ", type_name(tensor.data_type()), ", which is not supported"),
                "use float, double, float16, bfloat16 or an integer type");
  return *type;
}

template <class Stored, class Element>
std::vector<std::byte> narrow(const google::protobuf::RepeatedField<Stored>& numbers) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(numbers.size()) * sizeof(Element));
  for (int i = 0; i < numbers.size(); ++i) {
    const auto element = static_cast<Element>(numbers[i]);
    std::memcpy(bytes.data() + static_cast<std::size_t>(i) * sizeof(Element), &element, sizeof(Element));
  }
  return bytes;
}

/// Elements of a typed field (float_data etc.) in the encoding of raw_data.
std::vector<std::byte> typed_bytes(const TensorProto& tensor, DType type) {
  switch (type) {
    case DType::F32:
      return narrow<float, float>(tensor.float_data());
    case DType::F64:
      return narrow<double, double>(tensor.double_data());
    case DType::I64:
      return narrow<std::int64_t, std::int64_t>(tensor.int64_data());
    case DType::I32:
      return narrow<std::int32_t, std::int32_t>(tensor.int32_data());
    case DType::U8:
    case DType::I8:
      return narrow<std::int32_t, std::uint8_t>(tensor.int32_data());
    case DType::F16:
    case DType::BF16:
    case DType::U16:
    case DType::I16:
      return narrow<std::int32_t, std::uint16_t>(tensor.int32_data());
    case DType::Accumulator:
      break;
  }
  return {};
}

std::vector<std::byte> inline_bytes(const TensorProto& tensor, DType type) {
  if (!tensor.has_raw_data()) return typed_bytes(tensor, type);
  const std::string& raw = tensor.raw_data();
  std::vector<std::byte> bytes(raw.size());
  if (!raw.empty()) std::memcpy(bytes.data(), raw.data(), raw.size());
  return bytes;
}

void check_size(index_t found_bytes, const OnnxConstant& constant, const std::string& what) {
  const index_t needed = checked_mul(constant.data.count, static_cast<index_t>(size_of(constant.data.type)), "bytes of a tensor");
  if (found_bytes == needed) return;
  throw Error(ExitCode::BadData,
              concat(what, " has dimensions ", dims_string(constant.dims), " of ", name_of(constant.data.type), ", which take ",
                     needed, " bytes, but holds ", found_bytes),
              "the model is damaged; export it again");
}

/// Elements that f32 may round.
bool is_kept_exactly(const OnnxConstant& constant) {
  return constant.data.count <= (constant.is_integer ? max_integers : constant.data.type == DType::F64 ? max_doubles : 0);
}

void keep_exactly(std::span<const std::byte> bytes, OnnxConstant& constant) {
  if (!is_kept_exactly(constant)) return;
  if (constant.is_integer) {
    constant.integers = convert_to_integers(bytes, constant.data.type);
  } else {
    constant.doubles.resize(static_cast<std::size_t>(constant.data.count));
    if (!bytes.empty()) std::memcpy(constant.doubles.data(), bytes.data(), bytes.size());
  }
}

void take_inline(const TensorProto& tensor, OnnxConstant& constant, const std::string& what) {
  const std::vector<std::byte> bytes = inline_bytes(tensor, constant.data.type);
  check_size(static_cast<index_t>(bytes.size()), constant, what);
  auto values = std::make_shared<std::vector<float>>(static_cast<std::size_t>(constant.data.count));
  convert_to_float(bytes, constant.data.type, *values);
  constant.data.values = std::move(values);
  keep_exactly(bytes, constant);
}

void take_reference(const FileRange& range, OnnxConstant& constant, const std::string& what) {
  check_size(range.size_bytes, constant, what);
  constant.data.file = range.file;
  constant.data.offset_bytes = range.offset_bytes;
  if (!is_kept_exactly(constant)) return;
  std::vector<std::byte> bytes(static_cast<std::size_t>(range.size_bytes));
  InputFile(range.file).read(bytes, range.offset_bytes);
  keep_exactly(bytes, constant);
}

index_t needed_bytes(const OnnxConstant& constant) {
  return checked_mul(constant.data.count, static_cast<index_t>(size_of(constant.data.type)), "bytes of a tensor");
}

FileRange range_in_model(const TensorProto& tensor, const std::string& model_path) {
  const auto& segment = tensor.segment();
  return {.file = model_path, .offset_bytes = segment.begin(), .size_bytes = segment.end() - segment.begin()};
}

}  // namespace

index_t count_of(const std::vector<index_t>& dims, const std::string& what) {
  constexpr index_t limit = index_t{1} << 48;
  index_t count = 1;
  bool is_huge = false;
  for (const index_t dim : dims) {
    if (dim < 0) throw Error(ExitCode::BadData, concat(what, " has a negative dimension: ", dims_string(dims)));
    is_huge = is_huge || dim > limit || (dim > 0 && count > limit / dim);
    if (!is_huge) count *= dim;
  }
  if (is_huge) throw Error(ExitCode::BadData, concat(what, " has impossibly large dimensions: ", dims_string(dims)));
  return count;
}

OnnxConstant read_tensor(const TensorProto& tensor, const std::string& model_path, const std::string& what) {
  OnnxConstant constant{.dims = {tensor.dims().begin(), tensor.dims().end()}};
  constant.data.type = checked_type(tensor, what);
  constant.data.count = count_of(constant.dims, what);
  constant.type = tensor.data_type();
  constant.is_integer = is_integer(constant.data.type);
  if (tensor.data_location() == TensorProto::EXTERNAL)
    take_reference(resolve_external(tensor, model_path, needed_bytes(constant), what), constant, what);
  else if (tensor.has_segment())
    take_reference(range_in_model(tensor, model_path), constant, what);
  else
    take_inline(tensor, constant, what);
  return constant;
}

std::vector<float> elements_of(const OnnxConstant& constant, const std::string& what) {
  constexpr index_t limit = index_t{1} << 24;
  if (constant.data.is_fill && constant.data.count > limit)
    throw Error(ExitCode::BadData, concat(what, " needs all elements of a constant of dimensions ", dims_string(constant.dims),
                                          ", which are more than 2^24"));
  return read_constant(constant.data);
}

OnnxConstant float_constant(std::vector<float> values, std::vector<index_t> dims) {
  OnnxConstant constant{.dims = std::move(dims)};
  constant.data.count = static_cast<index_t>(values.size());
  constant.data.values = std::make_shared<const std::vector<float>>(std::move(values));
  return constant;
}

OnnxConstant integer_constant(std::vector<index_t> values, std::vector<index_t> dims) {
  std::vector<float> floats;
  for (const index_t value : values) floats.push_back(static_cast<float>(value));
  OnnxConstant constant = float_constant(std::move(floats), std::move(dims));
  constant.type = TensorProto::INT64;
  constant.is_integer = true;
  constant.integers = std::move(values);
  return constant;
}

std::string dims_string(const std::vector<index_t>& dims) {
  constexpr std::size_t max_shown = 16;
  std::string text = "[";
  for (std::size_t k = 0; k < std::min(dims.size(), max_shown); ++k) text += concat(k == 0 ? "" : ", ", dims[k]);
  if (dims.size() > max_shown) text += concat(", ... ", dims.size(), " numbers");
  return text + "]";
}

std::string type_name(int onnx_type) {
  static constexpr std::array names{"undefined", "float",  "uint8",     "int8",       "uint16",  "int16",
                                    "int32",     "int64",  "string",    "bool",       "float16", "double",
                                    "uint32",    "uint64", "complex64", "complex128", "bfloat16"};
  if (onnx_type >= 0 && static_cast<std::size_t>(onnx_type) < names.size()) return names[static_cast<std::size_t>(onnx_type)];
  return concat("number ", onnx_type);
}

}  // namespace parconv
