// SPDX-License-Identifier: Apache-2.0
// Activations written out in operators, as by exporters, and expressions that only resemble them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "model/named_network_builder.hpp"

namespace parconv::test {
namespace {

constexpr Extents image{{1, 2, 1, 4, 4}};

/// Builds functions of "x" from element-wise operators.
class Writer {
 public:
  ValueId x() const { return x_; }
  ValueId call(ActivationKind kind, ValueId of, float alpha = 0, float beta = 0) {
    return build_.add(name(), Elementwise{}, {of}, Epilogue{.activation = {.kind = kind, .alpha = alpha, .beta = beta}});
  }
  // A ValueId is an int, so constants are written as floats.
  ValueId add(ValueId a, float b) { return build_.add(name(), Sum{}, {a, number(b)}); }
  ValueId add(ValueId a, ValueId b) { return build_.add(name(), Sum{}, {a, b}); }
  ValueId mul(ValueId a, ValueId b) { return build_.add(name(), Binary{BinaryKind::Mul}, {a, b}); }
  ValueId mul(float a, ValueId b) { return build_.add(name(), Binary{BinaryKind::Mul}, {number(a), b}); }
  ValueId div(ValueId a, float b) { return build_.add(name(), Binary{BinaryKind::Div}, {a, number(b)}); }

  /// After fusion, with `outputs` of the network.
  Network fused(const std::vector<ValueId>& outputs) { return fuse(build_.build(outputs)); }

 private:
  std::string name() { return "value" + std::to_string(next_++); }
  ValueId number(float value) {
    const ValueId id = build_.constant(name(), Extents{});
    build_.set_fill(id, value);
    return id;
  }

  NamedNetworkBuilder build_;
  int next_ = 0;
  ValueId x_ = build_.input("x", image);
};

/// The only remaining activation; None for several nodes.
ActivationKind recognised(Writer& writer, ValueId output) {
  const Network network = writer.fused({output});
  if (network.nodes.size() != 1 || !std::holds_alternative<Elementwise>(network.nodes[0].op)) return ActivationKind::None;
  return network.nodes[0].epilogue.activation.kind;
}

using enum ActivationKind;

ValueId one_and_erf(Writer& w) { return w.add(w.call(Erf, w.div(w.x(), std::sqrt(2.0F))), 1.0F); }

TEST(Recognise, GeluInEveryOrder) {
  Writer a, b, c, d;
  EXPECT_EQ(recognised(a, a.mul(0.5F, a.mul(a.x(), one_and_erf(a)))), Gelu);
  EXPECT_EQ(recognised(b, b.mul(b.mul(0.5F, b.x()), one_and_erf(b))), Gelu);
  EXPECT_EQ(recognised(c, c.mul(one_and_erf(c), c.mul(0.5F, c.x()))), Gelu);
  EXPECT_EQ(recognised(d, d.mul(d.x(), d.mul(0.5F, d.add(d.call(Erf, d.mul(0.70710678F, d.x())), 1.0F)))), Gelu);
}

TEST(Recognise, GeluByTanh) {
  Writer a, b;
  const auto tanh_of = [](Writer& w, ValueId cube) {
    return w.call(Tanh, w.mul(0.7978845608F, w.add(w.x(), w.mul(0.044715F, cube))));
  };
  EXPECT_EQ(recognised(a, a.mul(0.5F, a.mul(a.x(), a.add(tanh_of(a, a.call(Power, a.x(), 3)), 1.0F)))), GeluTanh);
  EXPECT_EQ(recognised(b, b.mul(b.mul(0.5F, b.x()), b.add(tanh_of(b, b.mul(b.x(), b.mul(b.x(), b.x()))), 1.0F))), GeluTanh);
}

TEST(Recognise, HardSwishMishAndSilu) {
  Writer a, b, c, d, e;
  EXPECT_EQ(recognised(a, a.mul(a.x(), a.call(HardSigmoid, a.x(), 1.0F / 6, 0.5F))), HardSwish);
  EXPECT_EQ(recognised(b, b.div(b.mul(b.x(), b.call(Clip, b.add(b.x(), 3.0F), 0, 6)), 6.0F)), HardSwish);
  EXPECT_EQ(recognised(c, c.mul(c.x(), c.call(Tanh, c.call(Softplus, c.x())))), Mish);
  EXPECT_EQ(recognised(d, d.mul(d.call(Tanh, d.call(Log, d.add(d.call(Exp, d.x()), 1.0F))), d.x())), Mish);
  EXPECT_EQ(recognised(e, e.mul(e.call(Sigmoid, e.x()), e.x())), Silu);
}

TEST(Recognise, NearActivationsStay) {
  Writer other_factor, clipped, other_corner;
  EXPECT_EQ(recognised(other_factor, other_factor.mul(0.501F, other_factor.mul(other_factor.x(), one_and_erf(other_factor)))),
            None);
  const ValueId gelu = clipped.mul(0.5F, clipped.mul(clipped.x(), one_and_erf(clipped)));
  const Network network = clipped.fused({clipped.call(Clip, gelu, -1000, 1000)});
  ASSERT_EQ(network.nodes.size(), 2U);
  EXPECT_EQ(network.nodes[0].epilogue.activation.kind, Gelu);
  EXPECT_EQ(network.nodes[1].epilogue.activation.kind, Clip);
  const ValueId x = other_corner.x();
  EXPECT_EQ(recognised(other_corner, other_corner.mul(x, other_corner.call(HardSigmoid, x, 0.2F, 0.5F))), None);
}

TEST(Recognise, SharedValuesStay) {
  Writer writer;
  const ValueId gate = writer.call(Sigmoid, writer.x());
  const Network network = writer.fused({writer.mul(writer.x(), gate), gate});
  EXPECT_EQ(network.nodes.size(), 2U);
}

}  // namespace
}  // namespace parconv::test
