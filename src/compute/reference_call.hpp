// What the reference kernels share: operands by index, and finished results.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "compute/axis_taps.hpp"
#include "device/elements.hpp"
#include "parconv/model/activation.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv {

/// A position in an operand, or a displacement.
using Index = Extents;

/// Elements between the first element of an operand and the one at `at`.
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

/// An operand that is read, element by element as f32.
struct Source {
  const std::byte* data = nullptr;
  const OperandLayout* layout = nullptr;

  float at(const Index& index) const { return at_offset(offset_of(layout->strides, index)); }
  float at_offset(index_t elems) const { return load_one({.data = data, .strides = {}, .type = layout->type}, elems); }
  const Extents& extents() const { return layout->extents; }
};

/// One execution of a LocalOp.
class ReferenceCall {
 public:
  ReferenceCall(const LocalOp& op, std::span<const std::byte* const> srcs, std::byte* dst) : op_(op), srcs_(srcs), dst_(dst) {}

  const Extents& extents() const { return op_.dst.extents; }

  std::size_t num_operands() const { return op_.srcs.size() - (op_.finish.residual >= 0 ? 1 : 0); }

  /// Operand `k`; the residual does not count.
  Source operand(std::size_t k) const {
    const bool is_after_residual = op_.finish.residual >= 0 && k >= static_cast<std::size_t>(op_.finish.residual);
    return source(is_after_residual ? k + 1 : k);
  }

  /// Writes finish(value), rounded once if the result is not f32. Reads the residual first, so it may lie where the result goes.
  void store(const Index& at, float value) const {
    const LocalFinish& finish = op_.finish;
    if (!finish.bias.empty()) value += finish.bias[static_cast<std::size_t>(at[Axis::C])];
    if (finish.residual >= 0) value += source(static_cast<std::size_t>(finish.residual)).at(at);
    const Lanes<1> result{{activated(finish.activation, value)}};
    store_dense<1>({.data = dst_, .type = op_.dst.type}, offset_of(op_.dst.strides, at), result);
  }

  /// Writes finish(value_at(index)) for every index of the result.
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

}  // namespace parconv
