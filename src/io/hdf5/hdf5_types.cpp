// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_types.hpp"

#include <array>
#include <bit>

namespace parconv::hdf5 {
namespace {

constexpr std::array readable{DType::F32, DType::F64, DType::F16, DType::U8, DType::I8, DType::U16, DType::I16};

constexpr Attempt describing{.action = "describe", .object = "an element type", .code = ExitCode::Bug};

/// IEEE half precision: 1 sign, 5 exponent (bias 15) and 10 mantissa bits.
Handle half_type(hid_t like) {
  Handle type(H5Tcopy(like), &H5Tclose, describing);
  check(H5Tset_fields(type.get(), 15, 10, 5, 0, 10), describing);
  check(H5Tset_size(type.get(), 2), describing);
  check(H5Tset_ebias(type.get(), 15), describing);
  return type;
}

/// The first half of an f32: 1 sign, 8 exponent (bias 127) and 7 mantissa bits.
Handle bfloat_type(hid_t like) {
  Handle type(H5Tcopy(like), &H5Tclose, describing);
  check(H5Tset_fields(type.get(), 15, 7, 8, 0, 7), describing);
  check(H5Tset_size(type.get(), 2), describing);
  check(H5Tset_ebias(type.get(), 127), describing);
  return type;
}

Handle copy_of(hid_t type) { return Handle(H5Tcopy(type), &H5Tclose, describing); }

Handle little_endian(DType dtype) {
  switch (dtype) {
    case DType::F32:
      return copy_of(H5T_IEEE_F32LE);
    case DType::F64:
      return copy_of(H5T_IEEE_F64LE);
    case DType::F16:
      return half_type(H5T_IEEE_F32LE);
    case DType::BF16:
      return bfloat_type(H5T_IEEE_F32LE);
    case DType::U8:
      return copy_of(H5T_STD_U8LE);
    case DType::I8:
      return copy_of(H5T_STD_I8LE);
    case DType::U16:
      return copy_of(H5T_STD_U16LE);
    case DType::I16:
      return copy_of(H5T_STD_I16LE);
    default:
      break;
  }
  throw Bug(concat("no HDF5 type for ", name_of(dtype)));
}

Handle with_order(DType dtype, H5T_order_t order) {
  Handle type = little_endian(dtype);
  check(H5Tset_order(type.get(), order), describing);
  return type;
}

const char* kind_of(H5T_class_t type_class) {
  switch (type_class) {
    case H5T_TIME:
      return "time";
    case H5T_STRING:
      return "string";
    case H5T_BITFIELD:
      return "bit field";
    case H5T_OPAQUE:
      return "opaque";
    case H5T_COMPOUND:
      return "compound";
    case H5T_REFERENCE:
      return "reference";
    case H5T_ENUM:
      return "enumeration";
    case H5T_VLEN:
      return "variable-length";
    case H5T_ARRAY:
      return "array";
    default:
      return "unknown type";
  }
}

}  // namespace

std::optional<DType> readable_dtype(hid_t type) {
  for (DType dtype : readable) {
    for (H5T_order_t order : {H5T_ORDER_LE, H5T_ORDER_BE}) {
      if (H5Tequal(type, with_order(dtype, order).get()) > 0) return dtype;
    }
  }
  return std::nullopt;
}

Handle native_type(DType dtype) {
  return with_order(dtype, std::endian::native == std::endian::little ? H5T_ORDER_LE : H5T_ORDER_BE);
}

std::string describe_type(hid_t type) {
  const H5T_class_t type_class = H5Tget_class(type);
  const std::string bits = concat(8 * H5Tget_size(type), "-bit ");
  if (type_class == H5T_FLOAT) return bits + (readable_dtype(type) ? "float" : "float of unusual format");
  if (type_class == H5T_INTEGER) return bits + (H5Tget_sign(type) == H5T_SGN_NONE ? "unsigned integer" : "signed integer");
  return kind_of(type_class);
}

bool is_numeric(hid_t type) {
  const H5T_class_t type_class = H5Tget_class(type);
  return type_class == H5T_FLOAT || type_class == H5T_INTEGER;
}

Handle utf8_type() {
  Handle type = copy_of(H5T_C_S1);
  check(H5Tset_size(type.get(), H5T_VARIABLE), describing);
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), describing);
  return type;
}

}  // namespace parconv::hdf5
