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

}  // namespace

void compute(const LocalRowSum&, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each([&](Index at) {
    float sum = 0;
    for (at[Axis::W] = 0; at[Axis::W] < src.extents()[Axis::W]; ++at[Axis::W]) sum += src.at(at);
    return sum;
  });
}

void compute(const LocalRowsMean& mean, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each([&](Index at) {
    float sum = 0;
    for (at[Axis::D] = 0; at[Axis::D] < src.extents()[Axis::D]; ++at[Axis::D]) {
      for (at[Axis::H] = 0; at[Axis::H] < src.extents()[Axis::H]; ++at[Axis::H]) sum += src.at(at);
    }
    return sum / static_cast<float>(mean.count);
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
