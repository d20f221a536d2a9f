#include <utility>

#include "parconv/core/error.hpp"
#include "parconv/io/data_sink.hpp"
#include "parconv/io/data_source.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv {

MemorySource::MemorySource(HostTensor tensor, int ndims) : tensor_(std::move(tensor)), ndims_(ndims) {
  PARCONV_EXPECT(tensor_.box() == Box::whole(tensor_.box().extents()), tensor_.box());
}

void MemorySource::read(const Box& box, View dst) {
  PARCONV_EXPECT(tensor_.box().contains(box), box, " of ", tensor_.box());
  if (!box.is_empty()) convert(std::as_const(tensor_).view(box), dst);
}

MemorySink::MemorySink(const Extents& extents) : tensor_(Box::whole(extents)) {}

Extents MemorySink::chunk() const {
  Extents sample = extents();
  sample[Axis::N] = 1;
  return sample;
}

void MemorySink::write(const Box& box, ConstView src) {
  PARCONV_EXPECT(tensor_.box().contains(box), box, " of ", tensor_.box());
  if (!box.is_empty()) convert(src, tensor_.view(box));
}

}  // namespace parconv
