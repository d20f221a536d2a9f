// SPDX-License-Identifier: Apache-2.0
// Softmax and Hardmax, in two passes: group terms first, then elements.
#pragma once

#include <limits>

#include "compute/elements/element_call.hpp"
#include "parconv/tensor/exact_sum.hpp"

namespace parconv::element {

/// The groups along marked axes: the group of each dst index, and the source elements of each group.
struct Groups {
  ElementIndex strides{};     ///< of the group number, by dst index; 0 along marked axes
  ElementIndex first{};       ///< first source index relative to dst along unmarked axes; 0 along marked axes
  ElementIndex extents{};     ///< of one group in the source; 1 along unmarked axes
  ElementIndex dst_offset{};  ///< of dst in the source

  PARCONV_HOST_DEVICE index_t number(const ElementIndex& at) const {
    return at.n * strides.n + at.c * strides.c + at.d * strides.d + at.h * strides.h + at.w * strides.w;
  }

  /// The source offset of the element at dst index `at`.
  PARCONV_HOST_DEVICE index_t offset(const ConstElements& src, const ElementIndex& at) const {
    return src.offset(sum(at, dst_offset));
  }

  /// The source offset of the first element of the group of dst index `at`.
  PARCONV_HOST_DEVICE index_t begin(const ConstElements& src, const ElementIndex& at) const { return src.offset(sum(at, first)); }

 private:
  static PARCONV_HOST_DEVICE ElementIndex sum(const ElementIndex& a, const ElementIndex& b) {
    return {.n = a.n + b.n, .c = a.c + b.c, .d = a.d + b.d, .h = a.h + b.h, .w = a.w + b.w};
  }
};

/// The extents of the group numbers: 1 along the marked axes.
inline Extents group_counts(const std::array<bool, num_axes>& axes, Extents dst) {
  for (Axis axis : all_axes)
    if (axes[static_cast<std::size_t>(axis)]) dst[axis] = 1;
  return dst;
}

/// The groups along the marked axes of a call whose dst lies at `dst_offset` in the source.
inline Groups groups_of(const std::array<bool, num_axes>& axes, const Extents& dst_offset, const LocalOp& op) {
  const Extents& src = main_source(op).extents;
  const Extents counts = group_counts(axes, op.dst.extents);
  Extents strides{{0, 0, 0, 0, 0}}, first{{0, 0, 0, 0, 0}}, extents;
  index_t stride = 1;
  for (auto axis = memory_axes.rbegin(); axis != memory_axes.rend(); ++axis) {
    PARCONV_EXPECT(dst_offset[*axis] + op.dst.extents[*axis] <= src[*axis], src);
    if (axes[static_cast<std::size_t>(*axis)]) {
      extents[*axis] = src[*axis];
    } else {
      strides[*axis] = stride;
      first[*axis] = dst_offset[*axis];
      stride *= counts[*axis];
    }
  }
  return {.strides = element_index(strides),
          .first = element_index(first),
          .extents = element_index(extents),
          .dst_offset = element_index(dst_offset)};
}

/// Computes the Terms of one group, by group number. `Kind` has from, groups and measured(index), which returns its Terms.
template <class Kind>
struct MeasureGroup {
  Kind kind{};
  IndexMap index_map{};  ///< of the groups, by dst's indices
  typename Kind::Terms* terms = nullptr;

  PARCONV_HOST_DEVICE void operator()(index_t number) const {
    const ElementIndex at = index_map.at(number);
    terms[kind.groups.number(at)] = kind.measured(at);
  }
};

/// Computes the terms of all groups into scratch memory, then each element from the terms of its group.
template <class Executor, class Kind>
class GroupKernel final : public MapKernel<Executor, Kind> {
 public:
  using Terms = typename Kind::Terms;

  GroupKernel(const Kind& kind, const Extents& counts, const ElementCall<Executor>& call)
      : MapKernel<Executor, Kind>(call.op(), kind, Tables<Executor>(call.executor())), index_map_(counts) {}

  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(index_map_.count()) * sizeof(Terms); }

 private:
  void begin(std::byte* scratch) override {
    auto* const terms = reinterpret_cast<Terms*>(scratch);
    Kind& kind = this->kind();
    kind.terms = terms;
    this->executor().for_each(index_map_.count(), MeasureGroup<Kind>{.kind = kind, .index_map = index_map_, .terms = terms});
  }

  IndexMap index_map_;
};

/// The terms shared by the elements of one softmax group.
struct SoftmaxTerms {
  float max = 0;
  float sum = 0;
};

struct Softmax {
  using Terms = SoftmaxTerms;
  static constexpr bool is_single = true;
  Operands<1> from{};
  Groups groups{};
  const Terms* terms = nullptr;
  bool is_logarithm = false;

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<1> value(const ElementIndex& at) const {
    const Terms& of = terms[groups.number(at)];
    const float x = load_one(from.srcs[0], groups.offset(from.srcs[0], at));
    return {normalised(x - of.max, of.sum)};
  }

  PARCONV_HOST_DEVICE Terms measured(const ElementIndex& at) const {
    const index_t begin = groups.begin(from.srcs[0], at);
    Terms found{.max = -std::numeric_limits<float>::infinity()};
    for_each_of_group(begin, [&](float x) { found.max = x > found.max ? x : found.max; });
    ExactSum sum;
    for_each_of_group(begin, [&](float x) { add(sum, exponential(x - found.max)); });
    found.sum = rounded(sum);
    return found;
  }

 private:
  template <class Visit>
  PARCONV_HOST_DEVICE void for_each_of_group(index_t begin, Visit visit) const {
    const ElementIndex& e = groups.extents;
    const ConstElements& src = from.srcs[0];
    for (index_t n = 0; n < e.n; ++n)
      for (index_t d = 0; d < e.d; ++d)
        for (index_t h = 0; h < e.h; ++h)
          for (index_t w = 0; w < e.w; ++w)
            for (index_t c = 0; c < e.c; ++c) visit(load_one(src, begin + src.offset({.n = n, .c = c, .d = d, .h = h, .w = w})));
  }

  PARCONV_HOST_DEVICE float normalised(float difference, float sum) const {
    return is_logarithm ? difference - logarithm(sum) : exponential(difference) / sum;
  }
};

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalSoftmax& softmax, const ElementCall<Executor>& call) {
  const Softmax function{.from = call.source(),
                         .groups = groups_of(softmax.axes, softmax.dst_offset, call.op()),
                         .is_logarithm = softmax.is_logarithm};
  return std::make_unique<GroupKernel<Executor, Softmax>>(function, group_counts(softmax.axes, call.op().dst.extents), call);
}

/// 1 at the largest element of the group, 0 elsewhere. Its Terms: the source offset of that element.
struct Hardmax {
  using Terms = index_t;
  static constexpr bool is_single = true;
  Operands<1> from{};
  Groups groups{};
  const Terms* terms = nullptr;

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<1> value(const ElementIndex& at) const {
    return {groups.offset(from.srcs[0], at) == terms[groups.number(at)] ? 1.0F : 0.0F};
  }

  /// The first of equal maxima in ONNX order.
  PARCONV_HOST_DEVICE Terms measured(const ElementIndex& at) const {
    const ConstElements& src = from.srcs[0];
    const ElementIndex& e = groups.extents;
    const index_t begin = groups.begin(src, at);
    index_t largest = begin;
    for (index_t n = 0; n < e.n; ++n)
      for (index_t c = 0; c < e.c; ++c)
        for (index_t d = 0; d < e.d; ++d)
          for (index_t h = 0; h < e.h; ++h)
            for (index_t w = 0; w < e.w; ++w) {
              const index_t next = begin + src.offset({.n = n, .c = c, .d = d, .h = h, .w = w});
              if (load_one(src, next) > load_one(src, largest)) largest = next;
            }
    return largest;
  }
};

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalHardmax& hardmax, const ElementCall<Executor>& call) {
  const Hardmax function{.from = call.source(), .groups = groups_of(hardmax.axes, hardmax.dst_offset, call.op())};
  return std::make_unique<GroupKernel<Executor, Hardmax>>(function, group_counts(hardmax.axes, call.op().dst.extents), call);
}

}  // namespace parconv::element
