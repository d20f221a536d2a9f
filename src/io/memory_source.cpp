// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/memory_source.hpp"

#include <utility>

#include "parconv/core/error.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv {

MemorySource::MemorySource(HostTensor tensor, int ndims) : tensor_(std::move(tensor)), ndims_(ndims) {
  PARCONV_EXPECT(tensor_.box() == Box::whole(tensor_.box().extents()), tensor_.box());
}

void MemorySource::read(const Box& box, View dst) {
  PARCONV_EXPECT(tensor_.box().contains(box), box, " of ", tensor_.box());
  if (!box.is_empty()) convert(std::as_const(tensor_).view(box), dst);
}

}  // namespace parconv
