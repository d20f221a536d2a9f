// SPDX-License-Identifier: Apache-2.0
// Reductions of groups, and of partial results. Sums are exact.
#pragma once

#include <limits>

#include "compute/elements/element_call.hpp"
#include "compute/elements/extremes.hpp"
#include "compute/elements/sum_chain.hpp"
#include "parconv/tensor/exact_sum.hpp"

namespace parconv::element {

/// The exact sum of a group of elements, rounded and divided.
struct GroupSum {
  static constexpr bool is_single = true;
  Operands<1> from{};
  ElementIndex extents{};  ///< of a group: 1 along the axes that stay
  float divisor = 1;

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<1> value(const ElementIndex& at) const {
    return {{rounded(sum(at)) / divisor}};
  }

  PARCONV_HOST_DEVICE ExactSum sum(const ElementIndex& at) const {
    const ConstElements& src = from.srcs[0];
    const index_t begin = src.offset(at);
    ExactSum result;
    for (index_t n = 0; n < extents.n; ++n)
      for (index_t d = 0; d < extents.d; ++d)
        for (index_t h = 0; h < extents.h; ++h)
          for (index_t w = 0; w < extents.w; ++w)
            for (index_t c = 0; c < extents.c; ++c)
              add(result, load_one(src, begin + src.offset({.n = n, .c = c, .d = d, .h = h, .w = w})));
    return result;
  }
};

PARCONV_HOST_DEVICE inline float neutral_element(ReduceKind kind) {
  const float infinity = std::numeric_limits<float>::infinity();
  if (kind == ReduceKind::Max) return -infinity;
  if (kind == ReduceKind::Min) return infinity;
  return kind == ReduceKind::Product ? 1.0F : 0.0F;
}

/// Not for sums.
PARCONV_HOST_DEVICE inline float joined(ReduceKind kind, float a, float b) {
  if (kind == ReduceKind::Max) return maximum(a, b);
  return kind == ReduceKind::Min ? minimum(a, b) : a * b;
}

/// A product, maximum or minimum.
struct Reduce {
  Operands<1> from{};
  ReduceKind kind = ReduceKind::Max;
  ElementIndex extents{};  ///< of a group: 1 along the axes that stay

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    ChannelVector<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = neutral_element(kind);
    for (index_t n = 0; n < extents.n; ++n)
      for (index_t d = 0; d < extents.d; ++d)
        for (index_t h = 0; h < extents.h; ++h)
          for (index_t w = 0; w < extents.w; ++w)
            for (index_t c = 0; c < extents.c; ++c)
              join(result, load<V>(from.srcs[0], {.n = at.n + n, .c = at.c + c, .d = at.d + d, .h = at.h + h, .w = at.w + w}));
    return result;
  }

 private:
  template <int V>
  PARCONV_HOST_DEVICE void join(ChannelVector<V>& result, const ChannelVector<V>& next) const {
    for (int k = 0; k < V; ++k) result.x[k] = joined(kind, result.x[k], next.x[k]);
  }
};

/// Partial results, element by element.
struct ReduceParts {
  static constexpr bool is_single = true;
  static constexpr int most_operands = 32;
  Operands<most_operands> from{};
  int count = 1;
  ReduceKind kind = ReduceKind::Sum;
  float divisor = 1;

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<1> value(const ElementIndex& at) const {
    if (kind == ReduceKind::Sum) return {{rounded(sum(at)) / divisor}};
    float result = neutral_element(kind);
    for (int k = 0; k < count; ++k) result = joined(kind, result, load_one(from.srcs[k], from.srcs[k].offset(at)));
    return {{result}};
  }

  PARCONV_HOST_DEVICE ExactSum sum(const ElementIndex& at) const {
    ExactSum result;
    for (int k = 0; k < count; ++k) add(result, reinterpret_cast<const ExactSum*>(from.srcs[k].data)[from.srcs[k].offset(at)]);
    return result;
  }
};

/// Writes sums that are not rounded.
template <class Kind>
struct StoreSums {
  Kind kind{};
  Elements dst{};
  IndexMap indices{};

  PARCONV_HOST_DEVICE void operator()(index_t number) const {
    const ElementIndex at = indices.at(number);
    reinterpret_cast<ExactSum*>(dst.data)[dst.offset(at)] = kind.sum(at);
  }
};

/// A sum whose result has the type Accumulator; it has no epilogue.
template <class Executor, class Kind>
class AccumulatorKernel final : public Kernel {
 public:
  AccumulatorKernel(const ElementCall<Executor>& call, const Kind& kind)
      : op_(call.op()), kind_(kind), executor_(call.executor()), indices_(op_.dst.extents) {}

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* /*scratch*/) override {
    for (std::size_t k = 0; k < srcs.size(); ++k) kind_.from.srcs[k].data = srcs[k];
    executor_.for_each(indices_.count(), StoreSums<Kind>{.kind = kind_, .dst = elements_of(op_.dst, dst), .indices = indices_});
  }

  std::string implementation() const override { return concat(Executor::name, ":", name_of(op_.kind)); }

 private:
  LocalOp op_;
  Kind kind_;
  Executor executor_;
  IndexMap indices_;
};

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalReduce& reduce, const ElementCall<Executor>& call) {
  Extents group;
  for (Axis axis : all_axes)
    if (reduce.axes[static_cast<std::size_t>(axis)]) group[axis] = call.source_extents()[axis];
  PARCONV_EXPECT(reduce.count == 1 || reduce.kind == ReduceKind::Sum, "divides by ", reduce.count);
  if (reduce.kind != ReduceKind::Sum)
    return call.map(Reduce{.from = call.source(), .kind = reduce.kind, .extents = element_index(group)});
  const GroupSum sum{.from = call.source(), .extents = element_index(group), .divisor = static_cast<float>(reduce.count)};
  if (call.op().dst.type == DType::Accumulator) return std::make_unique<AccumulatorKernel<Executor, GroupSum>>(call, sum);
  return call.map(sum);
}

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalReduceParts& parts, const ElementCall<Executor>& call) {
  const std::vector<std::size_t> operands = operand_indices(call.op());
  if (operands.size() > static_cast<std::size_t>(ReduceParts::most_operands))
    return std::make_unique<SumChain>(call.op(), ReduceParts::most_operands, [&](const LocalOp& link) {
      return make_kernel(parts, ElementCall<Executor>(link, call.executor()));
    });
  ReduceParts function{
      .count = static_cast<int>(operands.size()), .kind = parts.kind, .divisor = static_cast<float>(parts.count)};
  call.repeat_operands(function.from);
  if (call.op().dst.type != DType::Accumulator) return call.map(function);
  return std::make_unique<AccumulatorKernel<Executor, ReduceParts>>(call, function);
}

}  // namespace parconv::element
