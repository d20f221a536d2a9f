// SPDX-License-Identifier: Apache-2.0
// Shared by the reference kernels: operands by index, checks, and stores with the epilogue.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "compute/elements/axis_taps.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/activation.hpp"
#include "parconv/model/local_op.hpp"
#include "parconv/tensor/elements.hpp"
#include "parconv/tensor/exact_sum.hpp"

namespace parconv::reference {

/// An index into an operand, or a displacement.
using Index = Extents;

/// The offset, in elements, of the element at `at`.
constexpr index_t offset_of(const Extents& strides, const Index& at) {
  index_t offset = 0;
  for (Axis axis : all_axes) offset += at[axis] * strides[axis];
  return offset;
}

constexpr Index sum_of(const Index& a, const Index& b) {
  Index result;
  for (Axis axis : all_axes) result[axis] = a[axis] + b[axis];
  return result;
}

/// Calls visit(index) for every index below `extents`, channels fastest.
template <class Visit>
void for_each_index(const Extents& extents, Visit&& visit) {
  Index at;
  for (at[Axis::N] = 0; at[Axis::N] < extents[Axis::N]; ++at[Axis::N]) {
    for (at[Axis::D] = 0; at[Axis::D] < extents[Axis::D]; ++at[Axis::D]) {
      for (at[Axis::H] = 0; at[Axis::H] < extents[Axis::H]; ++at[Axis::H]) {
        for (at[Axis::W] = 0; at[Axis::W] < extents[Axis::W]; ++at[Axis::W]) {
          for (at[Axis::C] = 0; at[Axis::C] < extents[Axis::C]; ++at[Axis::C]) visit(at);
        }
      }
    }
  }
}

/// `extents` along the marked axes (or along the others), 1 elsewhere.
inline Extents extents_along(const Extents& extents, const std::array<bool, num_axes>& axes, bool is_marked) {
  Extents result;
  for (Axis axis : all_axes) {
    if (axes[static_cast<std::size_t>(axis)] == is_marked) result[axis] = extents[axis];
  }
  return result;
}

/// A source operand, read element by element as f32.
struct Source {
  const std::byte* data = nullptr;
  const OperandLayout* layout = nullptr;

  float at(const Index& index) const { return at_offset(offset_of(layout->strides, index)); }
  float at_offset(index_t elems) const { return load_one({.data = data, .strides = {}, .type = layout->type}, elems); }
  ExactSum accumulator(const Index& index) const {
    PARCONV_EXPECT(layout->type == DType::Accumulator, name_of(layout->type));
    return reinterpret_cast<const ExactSum*>(data)[offset_of(layout->strides, index)];
  }
  const Extents& extents() const { return layout->extents; }
};

/// Extents of a call's operands, without the residual.
struct CallExtents {
  std::vector<Extents> srcs{};
  Extents dst{};
};

/// Checks common to all kinds. Throws Bug if the epilogue does not fit or a source is missing, and Error(Unavailable) if an
/// operand is not f32, f16, bf16, or accumulators where the kind takes them.
CallExtents check_operands(const LocalOp& op);

/// Checks that dst has the extents of the only source, with 1 along the axes `reduced`.
void check_reduced(const CallExtents& call, std::span<const Axis> reduced);
/// Checks that each source has dst's extent or 1 along every axis.
void check_broadcast(const CallExtents& call);
/// Checks that dst lies in the first source, `offset` from its first element.
void check_within(const CallExtents& call, const Extents& offset);

/// One execution of a LocalOp.
class ReferenceCall {
 public:
  ReferenceCall(const LocalOp& op, std::span<const std::byte* const> srcs, std::byte* dst) : op_(op), srcs_(srcs), dst_(dst) {}

  const Extents& extents() const { return op_.dst.extents; }
  DType type() const { return op_.dst.type; }

  std::size_t num_operands() const { return op_.srcs.size() - (op_.epilogue.residual >= 0 ? 1 : 0); }

  /// Operand `k`, not counting the residual.
  Source operand(std::size_t k) const {
    const bool is_after_residual = op_.epilogue.residual >= 0 && k >= static_cast<std::size_t>(op_.epilogue.residual);
    return source(is_after_residual ? k + 1 : k);
  }

  /// Writes epilogue(value), rounded once if the result is not f32. Reads the residual first, so it may alias the result.
  void store(const Index& at, float value) const {
    const LocalEpilogue& epilogue = op_.epilogue;
    if (!epilogue.bias.empty()) value += epilogue.bias[static_cast<std::size_t>(at[Axis::C])];
    if (epilogue.residual >= 0) value += source(static_cast<std::size_t>(epilogue.residual)).at(at);
    const ChannelVector<1> result{{activated(epilogue.activation, value)}};
    store_dense<1>({.data = dst_, .type = op_.dst.type}, offset_of(op_.dst.strides, at), result);
  }

  /// Writes an accumulator; it has no epilogue.
  void store(const Index& at, const ExactSum& sum) const {
    PARCONV_EXPECT(op_.dst.type == DType::Accumulator && op_.epilogue.residual < 0, name_of(op_.dst.type));
    reinterpret_cast<ExactSum*>(dst_)[offset_of(op_.dst.strides, at)] = sum;
  }

  /// Writes epilogue(value_at(index)) for every index of the result.
  template <class Value>
  void store_each(Value&& value_at) const {
    for_each_index(extents(), [&](const Index& at) { store(at, value_at(at)); });
  }

 private:
  Source source(std::size_t k) const { return {srcs_[k], &op_.srcs[k]}; }

  const LocalOp& op_;
  std::span<const std::byte* const> srcs_;
  std::byte* dst_;
};

}  // namespace parconv::reference
