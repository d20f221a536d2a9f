// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/memory_sink.hpp"

#include "parconv/core/error.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv {

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
