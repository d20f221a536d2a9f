// What each kind of LocalOp makes of its operands at one place. Plain values: tables and operands by address, so that they can be
// handed to a GPU.
#pragma once

#include <array>
#include <limits>

#include "compute/element_map.hpp"

namespace parconv::element {

// A kind whose channels are found one by one has `is_single`, one that does so in some calls picks_channels(): they are not asked
// for more.

/// The operands of a kind: all sources but the residual, in order.
template <int N>
struct Operands {
  ConstElements srcs[N];
};

struct Fill {
  Operands<1> from{};  ///< not read
  float number = 0;

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> value(const Place&) const {
    Lanes<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = number;
    return result;
  }
};

/// The element at the same place.
struct Copy {
  Operands<1> from{};

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> value(const Place& at) const {
    return load<V>(from.srcs[0], at);
  }
};

struct ScaleShift {
  Operands<1> from{};
  Table<float> scale{};
  Table<float> shift{};

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> value(const Place& at) const {
    Lanes<V> result = load<V>(from.srcs[0], at);
    for (int k = 0; k < V; ++k) result.x[k] = scale[at.c + k] * result.x[k] + shift[at.c + k];
    return result;
  }
};

/// Operands with fewer elements than the result have strides of 0.
struct Sum {
  static constexpr int most_operands = 32;
  Operands<most_operands> from{};
  int count = 1;

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> value(const Place& at) const {
    Lanes<V> sum = load<V>(from.srcs[0], at);
    for (int i = 1; i < count; ++i) {
      const Lanes<V> term = load<V>(from.srcs[i], at);
      for (int k = 0; k < V; ++k) sum.x[k] += term.x[k];
    }
    return sum;
  }
};

PARCONV_HOST_DEVICE inline float combined(BinaryKind kind, float a, float b) {
  switch (kind) {
    case BinaryKind::Mul:
      return a * b;
    case BinaryKind::Sub:
      return a - b;
    case BinaryKind::Div:
      return a / b;
    case BinaryKind::Max:
      return a < b ? b : a;
    case BinaryKind::Min:
      return b < a ? b : a;
    case BinaryKind::PRelu:
      return a < 0 ? a * b : a;
    case BinaryKind::Pow:
      return std::pow(a, b);
  }
  return a;
}

/// Operands with fewer elements than the result have strides of 0.
struct Binary {
  Operands<2> from{};
  BinaryKind kind = BinaryKind::Mul;

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> value(const Place& at) const {
    Lanes<V> a = load<V>(from.srcs[0], at);
    const Lanes<V> b = load<V>(from.srcs[1], at);
    for (int k = 0; k < V; ++k) a.x[k] = element::combined(kind, a.x[k], b.x[k]);
    return a;
  }
};

/// The taps of one output along one axis that lie in the source.
struct PoolTaps {
  index_t first = 0;  ///< index of the source, of the first tap
  index_t count = 0;
  index_t divisor = 1;
};

/// Taps are met in the order d, h, w.
struct Pool {
  Operands<1> from{};
  bool is_max = true;
  Table<PoolTaps> d{};
  Table<PoolTaps> h{};
  Table<PoolTaps> w{};
  Place step{};  ///< from tap to tap, in elements

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> value(const Place& at) const {
    const PoolTaps& along_d = d[at.d];
    const PoolTaps& along_h = h[at.h];
    const PoolTaps& along_w = w[at.w];
    const ConstElements& src = from.srcs[0];
    const index_t first = src.offset({.n = at.n, .c = at.c, .d = along_d.first, .h = along_h.first, .w = along_w.first});
    Lanes<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = is_max ? -std::numeric_limits<float>::infinity() : 0;
    for (index_t i = 0; i < along_d.count; ++i)
      for (index_t j = 0; j < along_h.count; ++j)
        for (index_t l = 0; l < along_w.count; ++l) take(result, first + i * step.d + j * step.h + l * step.w);
    if (is_max) return result;
    const float divisor = static_cast<float>(along_d.divisor * along_h.divisor * along_w.divisor);
    for (int k = 0; k < V; ++k) result.x[k] /= divisor;
    return result;
  }

 private:
  template <int V>
  PARCONV_HOST_DEVICE void take(Lanes<V>& result, index_t offset) const {
    const Lanes<V> tap = load_dense<V>(from.srcs[0], offset);
    for (int k = 0; k < V; ++k) result.x[k] = is_max ? (tap.x[k] > result.x[k] ? tap.x[k] : result.x[k]) : result.x[k] + tap.x[k];
  }
};

/// Adds up `count` pixels of w in order.
struct RowSum {
  Operands<1> from{};
  index_t count = 1;

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> value(const Place& at) const {
    Lanes<V> sum{};
    for (index_t w = 0; w < count; ++w) {
      const Lanes<V> pixel = load<V>(from.srcs[0], {.n = at.n, .c = at.c, .d = at.d, .h = at.h, .w = w});
      for (int k = 0; k < V; ++k) sum.x[k] += pixel.x[k];
    }
    return sum;
  }
};

/// Joins the elements of a group in the order n, d, h, w, c, then divides.
struct Reduce {
  Operands<1> from{};
  ReduceKind kind = ReduceKind::Sum;
  Place extents{};  ///< of a group: 1 along the axes that stay
  float divisor = 1;

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> value(const Place& at) const {
    Lanes<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = beginning();
    for (index_t n = 0; n < extents.n; ++n)
      for (index_t d = 0; d < extents.d; ++d)
        for (index_t h = 0; h < extents.h; ++h)
          for (index_t w = 0; w < extents.w; ++w)
            for (index_t c = 0; c < extents.c; ++c)
              join(result, load<V>(from.srcs[0], {.n = at.n + n, .c = at.c + c, .d = at.d + d, .h = at.h + h, .w = at.w + w}));
    for (int k = 0; k < V; ++k) result.x[k] /= divisor;
    return result;
  }

 private:
  PARCONV_HOST_DEVICE float beginning() const {
    const float infinity = std::numeric_limits<float>::infinity();
    if (kind == ReduceKind::Max) return -infinity;
    if (kind == ReduceKind::Min) return infinity;
    return kind == ReduceKind::Product ? 1.0F : 0.0F;
  }

  template <int V>
  PARCONV_HOST_DEVICE void join(Lanes<V>& result, const Lanes<V>& next) const {
    for (int k = 0; k < V; ++k) result.x[k] = joined(result.x[k], next.x[k]);
  }

  PARCONV_HOST_DEVICE float joined(float a, float b) const {
    if (kind == ReduceKind::Max) return b > a ? b : a;
    if (kind == ReduceKind::Min) return b < a ? b : a;
    return kind == ReduceKind::Product ? a * b : a + b;
  }
};

/// The channels around each, in order.
struct Lrn {
  Operands<1> from{};
  parconv::Lrn lrn{};
  index_t own = 0;       ///< channel of the source that is channel 0 of dst
  index_t channels = 0;  ///< of the source

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> value(const Place& at) const {
    Lanes<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = normalised(at, own + at.c + k);
    return result;
  }

 private:
  PARCONV_HOST_DEVICE float normalised(Place at, index_t channel) const {
    const index_t lowest = channel - (lrn.size - 1) / 2, highest = channel + lrn.size / 2;
    float sum = 0;
    for (index_t c = lowest < 0 ? 0 : lowest; c < channels && c <= highest; ++c) {
      at.c = c;
      const float x = load_one(from.srcs[0], from.srcs[0].offset(at));
      sum += x * x;
    }
    at.c = channel;
    const float factor = lrn.alpha / static_cast<float>(lrn.size);
    return load_one(from.srcs[0], from.srcs[0].offset(at)) / std::pow(lrn.bias + factor * sum, lrn.beta);
  }
};

/// The product of two matrices, summed in order of the inner index. Operands that are broadcast have strides of 0.
struct MatMul {
  Operands<2> from{};
  index_t inner = 1;      ///< how many products a sum has
  index_t left_step = 0;  ///< from one to the next, in elements
  index_t right_step = 0;

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> value(const Place& at) const {
    Lanes<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = product({.n = at.n, .c = at.c + k, .d = at.d, .h = at.h, .w = at.w});
    return result;
  }

 private:
  PARCONV_HOST_DEVICE float product(const Place& at) const {
    const index_t left = from.srcs[0].offset(at), right = from.srcs[1].offset(at);
    float sum = 0;
    for (index_t k = 0; k < inner; ++k)
      sum += load_one(from.srcs[0], left + k * left_step) * load_one(from.srcs[1], right + k * right_step);
    return sum;
  }
};

/// The element with the same ONNX index in another shape.
struct Reshape {
  static constexpr bool is_single = true;
  Operands<1> from{};
  Place dst_offset{};
  Place dst_shape{};
  Divisor src_c{};
  Divisor src_d{};
  Divisor src_h{};
  Divisor src_w{};

  template <int V>
  PARCONV_HOST_DEVICE Lanes<1> value(const Place& at) const {
    return load<1>(from.srcs[0], in_source(at));
  }

 private:
  PARCONV_HOST_DEVICE Place in_source(const Place& at) const {
    index_t index = dst_offset.n + at.n;
    index = index * dst_shape.c + dst_offset.c + at.c;
    index = index * dst_shape.d + dst_offset.d + at.d;
    index = index * dst_shape.h + dst_offset.h + at.h;
    index = index * dst_shape.w + dst_offset.w + at.w;
    Place place;
    place.w = src_w.take_remainder(index);
    place.h = src_h.take_remainder(index);
    place.d = src_d.take_remainder(index);
    place.c = src_c.take_remainder(index);
    place.n = index;
    return place;
  }
};

/// A digit of an index of dst, and how far one of it is in the source.
struct StepDigit {
  Divisor dst_stride{};
  Divisor size{};
  index_t step = 0;
};

/// The element that the digits of the indices name.
struct Rearrange {
  Operands<1> from{};
  Table<StepDigit> n{};
  Table<StepDigit> c{};
  Table<StepDigit> d{};
  Table<StepDigit> h{};
  Table<StepDigit> w{};
  Place dst_offset{};
  index_t origin = 0;  ///< of index 0 in the source

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> value(const Place& at) const {
    const index_t first = origin + along(n, dst_offset.n + at.n) + along(d, dst_offset.d + at.d) + along(h, dst_offset.h + at.h) +
                          along(w, dst_offset.w + at.w);
    Lanes<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = load_one(from.srcs[0], first + along(c, dst_offset.c + at.c + k));
    return result;
  }

 private:
  static PARCONV_HOST_DEVICE index_t along(const Table<StepDigit>& digits, index_t index) {
    index_t offset = 0;
    for (index_t k = 0; k < digits.size; ++k) {
      index_t rest = digits[k].dst_stride.quotient(index);
      offset += digits[k].size.take_remainder(rest) * digits[k].step;
    }
    return offset;
  }
};

/// Interpolates along d, then h, then w, each as lo + weight * (hi - lo).
struct Resample {
  Operands<1> from{};
  Table<AxisTap> c{};  ///< empty: the channels as they are; otherwise they are made one by one
  Table<AxisTap> d{};
  Table<AxisTap> h{};
  Table<AxisTap> w{};
  float fill = 0;

  bool picks_channels() const { return c.size > 0; }

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> value(const Place& at) const {
    const AxisTap& tap = w[at.w];
    if (tap.lo < 0 || h[at.h].lo < 0 || d[at.d].lo < 0) return Fill{.number = fill}.value<V>(at);
    Lanes<V> result = along_h<V>(at, tap.lo);
    if (tap.lo != tap.hi) blend(result, along_h<V>(at, tap.hi), tap.weight);
    return result;
  }

 private:
  template <int V>
  static PARCONV_HOST_DEVICE void blend(Lanes<V>& low, const Lanes<V>& high, float weight) {
    for (int k = 0; k < V; ++k) low.x[k] = low.x[k] + weight * (high.x[k] - low.x[k]);
  }

  /// Not inlined twice: it is long.
  template <int V>
  PARCONV_HOST_DEVICE PARCONV_OUT_OF_LINE Lanes<V> along_h(const Place& at, index_t src_w) const {
    const AxisTap& tap = h[at.h];
    Lanes<V> result = along_d<V>(at, tap.lo, src_w);
    if (tap.lo != tap.hi) blend(result, along_d<V>(at, tap.hi, src_w), tap.weight);
    return result;
  }

  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> along_d(const Place& at, index_t src_h, index_t src_w) const {
    const AxisTap& tap = d[at.d];
    Lanes<V> result = pixel<V>({.n = at.n, .c = at.c, .d = tap.lo, .h = src_h, .w = src_w});
    if (tap.lo != tap.hi) blend(result, pixel<V>({.n = at.n, .c = at.c, .d = tap.hi, .h = src_h, .w = src_w}), tap.weight);
    return result;
  }

  /// The channels that dst takes from a pixel of the source: one, or as they are.
  template <int V>
  PARCONV_HOST_DEVICE Lanes<V> pixel(Place at) const {
    if (V == 1 && c.size > 0) at.c = c[at.c].lo;
    return load<V>(from.srcs[0], at);
  }
};

/// What the elements of one softmax have in common.
struct SoftmaxTerms {
  float max = 0;
  double sum = 0;
};

/// The groups of a softmax: which one a place of dst belongs to, and what a group runs through. A stride or an extent is 0 or 1
/// along the axes that it does not have.
struct SoftmaxGroups {
  Place strides{};     ///< of the group's number, by dst's indices; 0 along marked axes
  Place first{};       ///< of the source: its offset from dst along the other axes, 0 along marked ones
  Place extents{};     ///< of one group in the source: 1 along the other axes
  Place dst_offset{};  ///< of dst in the source

  PARCONV_HOST_DEVICE index_t number(const Place& at) const {
    return at.n * strides.n + at.c * strides.c + at.d * strides.d + at.h * strides.h + at.w * strides.w;
  }
};

/// Measures one group: a function of its number.
struct MeasureSoftmax {
  ConstElements src{};
  SoftmaxGroups groups{};
  Places places{};  ///< of the groups, by dst's indices
  SoftmaxTerms* terms = nullptr;

  PARCONV_HOST_DEVICE void operator()(index_t number) const {
    const Place at = places.at(number);
    const Place& first = groups.first;
    const index_t begin =
        src.offset({.n = at.n + first.n, .c = at.c + first.c, .d = at.d + first.d, .h = at.h + first.h, .w = at.w + first.w});
    SoftmaxTerms found{.max = -std::numeric_limits<float>::infinity()};
    for_each_of_group(begin, [&](float x) { found.max = x > found.max ? x : found.max; });
    for_each_of_group(begin, [&](float x) { found.sum += static_cast<double>(exponential(x - found.max)); });
    terms[groups.number(at)] = found;
  }

 private:
  template <class Visit>
  PARCONV_HOST_DEVICE void for_each_of_group(index_t begin, Visit visit) const {
    const Place& e = groups.extents;
    for (index_t n = 0; n < e.n; ++n)
      for (index_t d = 0; d < e.d; ++d)
        for (index_t h = 0; h < e.h; ++h)
          for (index_t w = 0; w < e.w; ++w)
            for (index_t c = 0; c < e.c; ++c) visit(load_one(src, begin + src.offset({.n = n, .c = c, .d = d, .h = h, .w = w})));
  }
};

/// With the terms of MeasureSoftmax.
struct Softmax {
  static constexpr bool is_single = true;
  Operands<1> from{};
  SoftmaxGroups groups{};
  const SoftmaxTerms* terms = nullptr;
  bool is_logarithm = false;

  template <int V>
  PARCONV_HOST_DEVICE Lanes<1> value(const Place& at) const {
    const Place& by = groups.dst_offset;
    const SoftmaxTerms& of = terms[groups.number(at)];
    const Lanes<1> x =
        load<1>(from.srcs[0], {.n = at.n + by.n, .c = at.c + by.c, .d = at.d + by.d, .h = at.h + by.h, .w = at.w + by.w});
    return {normalised(x.x[0] - of.max, of.sum)};
  }

 private:
  PARCONV_HOST_DEVICE float normalised(float difference, double sum) const {
    if (is_logarithm) return static_cast<float>(static_cast<double>(difference) - std::log(sum));
    return static_cast<float>(static_cast<double>(exponential(difference)) / sum);
  }
};

}  // namespace parconv::element
