// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/files/span_data.hpp"

#include "parconv/core/error.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv {
namespace {

/// Strides in elements, w fastest.
Extents onnx_strides(const Extents& extents) {
  Extents strides;
  index_t elems = 1;
  for (const Axis axis : {Axis::W, Axis::H, Axis::D, Axis::C, Axis::N}) {
    strides[axis] = elems;
    elems *= extents[axis];
  }
  return strides;
}

/// The view of a box in a whole tensor of `extents` in ONNX order, with its first element at `data`. Example: box h[2,4) w[1,3)
/// of 1x1x8x8 begins at element 2 * 8 + 1 = 17.
template <class Byte>
BasicView<Byte> view_of(Byte* data, const Extents& extents, const Box& box) {
  const Extents strides = onnx_strides(extents);
  index_t first = 0;
  for (const Axis axis : all_axes) first += box[axis].lo * strides[axis];
  return {data + first * static_cast<index_t>(sizeof(float)), {.extents = box.extents(), .strides = strides}};
}

void require_size(std::size_t size, const Extents& extents) {
  PARCONV_EXPECT(static_cast<index_t>(size) == volume(extents), size, " numbers for ", to_string(extents));
}

}  // namespace

SpanSource::SpanSource(std::span<const float> values, const Shape& shape) : values_(values), shape_(shape) {
  require_size(values.size(), shape.extents);
}

void SpanSource::read(const Box& box, View dst) {
  PARCONV_EXPECT(Box::whole(shape_.extents).contains(box), box, " of ", to_string(shape_.extents));
  if (!box.is_empty()) convert(view_of(std::as_bytes(values_).data(), shape_.extents, box), dst);
}

SpanSink::SpanSink(std::span<float> values, const Extents& extents) : values_(values), extents_(extents) {
  require_size(values.size(), extents);
}

Extents SpanSink::chunk() const {
  Extents sample = extents_;
  sample[Axis::N] = 1;
  return sample;
}

void SpanSink::write(const Box& box, ConstView src) {
  PARCONV_EXPECT(Box::whole(extents_).contains(box), box, " of ", to_string(extents_));
  if (!box.is_empty()) convert(src, view_of(std::as_writable_bytes(values_).data(), extents_, box));
}

}  // namespace parconv
