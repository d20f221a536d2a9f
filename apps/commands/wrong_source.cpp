// SPDX-License-Identifier: Apache-2.0
#include "wrong_source.hpp"

#include "parconv/tensor/convert.hpp"

namespace parconv::app {

void WrongSource::read(const Box& box, View dst) {
  inner_.read(box, dst);
  if (box.is_empty()) return;
  const Extents one;
  HostTensor wrong(Box::whole(one));
  wrong.at(0, 0, 0, 0, 0) = 1000.0F;
  dst.layout.extents = one;
  convert(wrong.view(), dst);
}

}  // namespace parconv::app
