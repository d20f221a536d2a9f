// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/file/onnx_elements.hpp"

#include <bit>
#include <cstring>

#include "parconv/core/error.hpp"
#include "parconv/tensor/half.hpp"

namespace parconv {

static_assert(std::endian::native == std::endian::little, "ONNX data is little-endian and is read as it is");

namespace {

/// target[i] = convert(element i), for elements of type Source.
template <class Source, class Target, class Convert>
void convert_each(std::span<const std::byte> bytes, std::span<Target> target, Convert convert) {
  PARCONV_EXPECT(bytes.size() == target.size() * sizeof(Source), bytes.size(), " bytes for ", target.size(), " elements");
  for (std::size_t i = 0; i < target.size(); ++i) {
    Source element;
    std::memcpy(&element, bytes.data() + i * sizeof(Source), sizeof(Source));
    target[i] = convert(element);
  }
}

template <class Source, class Target>
void cast_each(std::span<const std::byte> bytes, std::span<Target> target) {
  convert_each<Source>(bytes, target, [](Source element) { return static_cast<Target>(element); });
}

/// Converts integer types to any arithmetic type; returns false for other types.
template <class Target>
bool cast_integers(std::span<const std::byte> bytes, DType type, std::span<Target> target) {
  switch (type) {
    case DType::U8:
      return cast_each<std::uint8_t>(bytes, target), true;
    case DType::I8:
      return cast_each<std::int8_t>(bytes, target), true;
    case DType::U16:
      return cast_each<std::uint16_t>(bytes, target), true;
    case DType::I16:
      return cast_each<std::int16_t>(bytes, target), true;
    case DType::I32:
      return cast_each<std::int32_t>(bytes, target), true;
    case DType::I64:
      return cast_each<std::int64_t>(bytes, target), true;
    case DType::F32:
    case DType::F16:
    case DType::BF16:
    case DType::F64:
    case DType::Accumulator:
      return false;
  }
  return false;
}

}  // namespace

void convert_to_float(std::span<const std::byte> bytes, DType type, std::span<float> target) {
  if (cast_integers(bytes, type, target)) return;
  switch (type) {
    case DType::F64:
      return cast_each<double>(bytes, target);
    case DType::F16:
      return convert_each<std::uint16_t>(bytes, target, float_from_half);
    case DType::BF16:
      return convert_each<std::uint16_t>(bytes, target, float_from_bfloat16);
    default:
      return cast_each<float>(bytes, target);
  }
}

std::vector<index_t> convert_to_integers(std::span<const std::byte> bytes, DType type) {
  std::vector<index_t> result(bytes.size() / size_of(type));
  const bool is_done = cast_integers(bytes, type, std::span(result));
  PARCONV_EXPECT(is_done, name_of(type), " is not an integer type");
  return result;
}

bool is_integer(DType type) { return type != DType::F32 && type != DType::F16 && type != DType::BF16 && type != DType::F64; }

}  // namespace parconv
