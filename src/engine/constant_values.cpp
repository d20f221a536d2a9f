// SPDX-License-Identifier: Apache-2.0
#include "engine/constant_values.hpp"

#include <utility>

#include "parconv/io/constants.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv {

void read_constant_box(const Value& value, const Box& box, View dst) {
  const std::vector<float> elements = read_constant(value.constant);
  HostTensor tensor(Box::whole(value.extents));
  from_onnx_order(std::as_bytes(std::span(elements)), DType::F32, tensor.view());
  convert(std::as_const(tensor).view(box), dst);
}

}  // namespace parconv
