// SPDX-License-Identifier: Apache-2.0
// Operators computed whole by their definition, without the rules that cut them to boxes.
#pragma once

#include <functional>
#include <vector>

#include "parconv/compute/backend.hpp"
#include "parconv/geometry/box.hpp"
#include "parconv/model/network.hpp"

namespace parconv::test {

/// Elements in ONNX order: n, c, d, h, w from slowest to fastest.
struct Elements {
  Extents extents{};
  std::vector<float> values{};
};

/// Calls `visit` with the position in ONNX order of every element of `box` in a tensor of `extents`.
void for_each_element(const Box& box, const Extents& extents, const std::function<void(std::size_t)>& visit);

Elements cut(const Elements& whole, const Box& box);

/// The output of `node` for these operands (and the residual, if it has one), by the reference backend, or by plain loops where
/// elements are only moved. An operator without a definition here does not compile.
Elements whole_output(const Network& network, const Node& node, const std::vector<Elements>& inputs);

/// The first and the last index along `axis` of an operand's needed box.
struct NeededFaces {
  std::size_t input = 0;
  Axis axis = Axis::N;
  Extents in{};  ///< of the operand
};

/// True if both faces affect the result. Otherwise the box is rounded up: strides and dilations skip elements at the edge of the
/// tensor, weights of interpolations are zero.
bool has_tight_faces(const Operator& op, const NeededFaces& faces);

}  // namespace parconv::test
