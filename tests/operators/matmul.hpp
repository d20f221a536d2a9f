// SPDX-License-Identifier: Apache-2.0
// Products of two matrices.
#pragma once

#include "operators/operator_test.hpp"

namespace parconv::test {

template <>
struct OperatorTest<MatMul> {
  static constexpr int weight = 1;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    Random& random = builder.random();
    const Extents in = builder.extents(src);
    Extents other = in;
    other[Axis::H] = in[Axis::W];
    other[Axis::W] = random.integer(1, 20);
    if (random.once_in(2)) other[Axis::C] = 1;
    other[Axis::N] = 1;
    return builder.matmul(src, builder.constant(other, in[Axis::D] > 1 ? 5 : 4));
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    const auto by_constant = [](const Extents& extents, int ndims, const MatMul& op) {
      return
          [=](RandomNetworkBuilder& builder, ValueId src) { return builder.matmul(src, builder.constant(extents, ndims), op); };
    };
    cases.push_back({"product with a matrix for each channel", image, 4, by_constant({{1, 24, 1, 11, 9}}, 4, {})});
    cases.push_back({"product with one matrix", image, 4, by_constant({{1, 1, 1, 11, 70}}, 4, {})});
    cases.push_back({"product of cubes", cube, 5, by_constant({{1, 12, 7, 9, 5}}, 5, {})});
    cases.push_back({"linear layer of a sequence", signal, 3, by_constant({{1, 29, 1, 20, 1}}, 3, {Axis::C, Axis::H})});
    cases.push_back({"product of matrices", matrix, 2, by_constant({{40, 33, 1, 1, 1}}, 2, {Axis::N, Axis::C})});
    const auto constant_first = [](RandomNetworkBuilder& builder, ValueId src) {
      return builder.matmul(builder.constant(Extents{{1, 1, 1, 6, 13}}), src);
    };
    cases.push_back({"matrix times image", image, 4, constant_first});
    const auto of_two = [](RandomNetworkBuilder& builder, ValueId src) {
      const ValueId left = builder.conv(src, {.oc = 6}), right = builder.conv(src, {.oc = 6});
      return builder.relu(builder.matmul(left, right));
    };
    cases.push_back({"product of two activations", Extents{{2, 8, 1, 9, 9}}, 4, of_two});
  }
};

template <>
struct KindTest<LocalMatMul> {
  static constexpr int calls = 300;

  /// Matrices along the last two dimensions of 2 to 5, either of them broadcast along any of the others.
  static TestCall draw(LocalOpGenerator& g) {
    constexpr std::array<LocalMatMul, 3> axes{{{Axis::N, Axis::C}, {Axis::C, Axis::H}, {Axis::H, Axis::W}}};
    const LocalMatMul product = g.any_of(axes);
    g.set_spatial_axes(product.rows == Axis::H ? g.random().integer(2, 3) : product.rows == Axis::C ? 1 : 0);
    const Extents whole = g.extents(g.channels());
    const index_t inner = g.random().integer(1, 20),
                  columns = g.random().once_in(3) ? 80 + g.random().integer(0, 20) : g.channels();
    Extents a = whole, b = whole, out = whole;
    a[product.columns] = b[product.rows] = inner;
    b[product.columns] = out[product.columns] = columns;
    for (Axis axis : all_axes) {
      if (axis == product.rows || axis == product.columns) continue;
      if (g.random().once_in(4)) a[axis] = 1;
      if (g.random().once_in(4)) b[axis] = 1;
      out[axis] = std::max(a[axis], b[axis]);
    }
    TestCall call;
    call.srcs = {g.operand(a), g.operand(b)};
    call.op.kind = product;
    return g.finished(std::move(call), out);
  }
};

}  // namespace parconv::test
