#include <cmath>
#include <limits>

#include "compute/reference_kinds.hpp"

namespace parconv {
namespace {

/// `extents` along the marked axes (or along the others), 1 elsewhere.
Extents along(const Extents& extents, const std::array<bool, num_axes>& axes, bool is_marked) {
  Extents result;
  for (Axis axis : all_axes) {
    if (axes[static_cast<std::size_t>(axis)] == is_marked) result[axis] = extents[axis];
  }
  return result;
}

/// What the elements of one softmax have in common.
struct SoftmaxTerms {
  float maximum = -std::numeric_limits<float>::infinity();
  float sum = 0;
};

/// Over all elements of `group`, which begins at `first` of the source.
SoftmaxTerms softmax_terms(const Source& src, const Index& first, const Extents& group) {
  SoftmaxTerms terms;
  for_each_index(group, [&](const Index& at) { terms.maximum = std::max(terms.maximum, src.at(sum_of(first, at))); });
  for_each_index(group, [&](const Index& at) { terms.sum += std::exp(src.at(sum_of(first, at)) - terms.maximum); });
  return terms;
}

float softmax_of(float x, const SoftmaxTerms& terms, bool is_logarithm) {
  const float shifted = x - terms.maximum;
  return is_logarithm ? shifted - std::log(terms.sum) : std::exp(shifted) / terms.sum;
}

/// What joins with any number to that number.
float beginning_of(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::Sum:
      return 0;
    case ReduceKind::Product:
      return 1;
    case ReduceKind::Max:
      return -std::numeric_limits<float>::infinity();
    case ReduceKind::Min:
      return std::numeric_limits<float>::infinity();
  }
  return 0;
}

float joined(ReduceKind kind, float a, float b) {
  switch (kind) {
    case ReduceKind::Sum:
      return a + b;
    case ReduceKind::Product:
      return a * b;
    case ReduceKind::Max:
      return std::max(a, b);
    case ReduceKind::Min:
      return std::min(a, b);
  }
  return a;
}

}  // namespace

void compute(const LocalRowSum&, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each([&](Index at) {
    float sum = 0;
    for (at[Axis::W] = 0; at[Axis::W] < src.extents()[Axis::W]; ++at[Axis::W]) sum += src.at(at);
    return sum;
  });
}

void compute(const LocalReduce& reduce, const ReferenceCall& call) {
  const Source src = call.operand(0);
  const Extents group = along(src.extents(), reduce.axes, true);
  call.store_each([&](const Index& at) {
    float result = beginning_of(reduce.kind);
    for_each_index(group, [&](const Index& within) { result = joined(reduce.kind, result, src.at(sum_of(at, within))); });
    return result / static_cast<float>(reduce.count);
  });
}

void compute(const LocalSoftmax& softmax, const ReferenceCall& call) {
  const Source src = call.operand(0);
  const Extents group = along(src.extents(), softmax.axes, true);
  const Extents computed = along(call.extents(), softmax.axes, true);
  const Index offset = softmax.dst_offset;
  for_each_index(along(call.extents(), softmax.axes, false), [&](const Index& outer) {
    Index first = outer;
    for (Axis axis : all_axes) first[axis] = softmax.axes[static_cast<std::size_t>(axis)] ? 0 : outer[axis] + offset[axis];
    const SoftmaxTerms terms = softmax_terms(src, first, group);
    for_each_index(computed, [&](const Index& inner) {
      const Index at = sum_of(outer, inner);
      call.store(at, softmax_of(src.at(sum_of(at, offset)), terms, softmax.is_logarithm));
    });
  });
}

}  // namespace parconv
