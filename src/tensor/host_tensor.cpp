// SPDX-License-Identifier: Apache-2.0
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv {
namespace {

std::size_t bytes_for(const Box& box, DType type) {
  const index_t elems = checked_product(box.extents().values, "elements of a tensor");
  return static_cast<std::size_t>(checked_mul(elems, static_cast<index_t>(size_of(type)), "bytes of a tensor"));
}

}  // namespace

HostTensor::HostTensor(const Box& box, DType type) : box_(box), type_(type), memory_(bytes_for(box, type)) {}

View HostTensor::view() { return view(box_); }
ConstView HostTensor::view() const { return view(box_); }
View HostTensor::view(const Box& inner) { return view_within(memory_.data(), inner, box_, type_); }
ConstView HostTensor::view(const Box& inner) const { return view_within(memory_.data(), inner, box_, type_); }

float& HostTensor::at(index_t n, index_t c, index_t d, index_t h, index_t w) {
  return *reinterpret_cast<float*>(memory_.data() + offset_of(n, c, d, h, w));
}

float HostTensor::at(index_t n, index_t c, index_t d, index_t h, index_t w) const {
  return *reinterpret_cast<const float*>(memory_.data() + offset_of(n, c, d, h, w));
}

index_t HostTensor::offset_of(index_t n, index_t c, index_t d, index_t h, index_t w) const {
  PARCONV_EXPECT(type_ == DType::F32, "a tensor of ", name_of(type_));
  const Box element{{{{n, n + 1}, {c, c + 1}, {d, d + 1}, {h, h + 1}, {w, w + 1}}}};
  return offset_within(element, box_) * static_cast<index_t>(size_of(type_));
}

}  // namespace parconv
