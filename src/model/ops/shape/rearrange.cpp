// SPDX-License-Identifier: Apache-2.0
#include "model/ops/shape/rearrange.hpp"

#include <algorithm>
#include <optional>

#include "parconv/core/error.hpp"
#include "parconv/model/rearrangement.hpp"

namespace parconv {
namespace {

/// Position of a factor in a tensor: it counts `stride` indices along `axis`.
struct Place {
  Axis axis = Axis::N;
  index_t stride = 1;
};

/// Positions of consecutive factors; nullopt if they are not the axes or parts of them.
/// Example: 2, 3, 4 in a tensor of 6 channels and 4 rows: 3 and 1 channels, 1 row.
std::optional<std::vector<Place>> places_in(const Extents& extents, const std::vector<index_t>& factors) {
  std::vector<Place> places(factors.size());
  auto axis = all_axes.rbegin();
  index_t stride = 1;
  for (std::size_t k = factors.size(); k-- > 0;) {
    for (; axis != all_axes.rend() && stride == extents[*axis]; ++axis) stride = 1;
    if (axis == all_axes.rend() || factors[k] < 2 || extents[*axis] / stride % factors[k] != 0) return std::nullopt;
    places[k] = {*axis, stride};
    stride *= factors[k];
  }
  for (; axis != all_axes.rend() && stride == extents[*axis]; ++axis) stride = 1;
  return axis == all_axes.rend() ? std::optional(places) : std::nullopt;
}

std::vector<index_t> transposed_factors(const Rearrange& op) {
  std::vector<index_t> result;
  for (const int k : op.order) result.push_back(op.factors[static_cast<std::size_t>(k)]);
  return result;
}

bool is_permutation(std::vector<int> order, std::size_t count) {
  std::sort(order.begin(), order.end());
  for (std::size_t k = 0; k < order.size(); ++k)
    if (order[k] != static_cast<int>(k)) return false;
  return order.size() == count;
}

IndexDigits digits_of(const Rearrange& op, const NodeView& view) {
  const auto srcs = places_in(view.in(), op.factors);
  const auto dsts = places_in(view.out(), transposed_factors(op));
  PARCONV_EXPECT(srcs && dsts, view.node.name, ": from ", view.in(), " to ", view.out());
  IndexDigits digits;
  for (std::size_t k = 0; k < op.order.size(); ++k) {
    const auto factor = static_cast<std::size_t>(op.order[k]);
    digits[static_cast<std::size_t>((*dsts)[k].axis)].push_back(
        {op.factors[factor], (*dsts)[k].stride, (*srcs)[factor].axis, (*srcs)[factor].stride});
  }
  return digits;
}

bool is_slowest(const IndexDigit& digit, const Extents& in) { return digit.size * digit.src_stride == in[digit.src]; }

/// For every output axis, the input axis whose slowest digit comes first in it.
std::array<std::optional<Axis>, num_axes> decided_axes(const IndexDigits& digits, const Extents& in) {
  std::array<std::optional<Axis>, num_axes> decided;
  for (std::size_t axis = 0; axis < digits.size(); ++axis)
    for (const IndexDigit& digit : digits[axis])
      if (!decided[axis] && is_slowest(digit, in)) decided[axis] = digit.src;
  return decided;
}

}  // namespace

Shape Rules<Rearrange>::output_shape(const Rearrange& op, const OperandShapes& operands) {
  const Extents& in = operands.only().extents;
  const Shape out = shape_from_dims(op.dims, operands.node);
  if (!is_permutation(op.order, op.factors.size())) operands.refuse("its order is no permutation of its factors");
  if (!places_in(in, op.factors)) operands.refuse(concat("its factors are not those of an input of ", in));
  if (!places_in(out.extents, transposed_factors(op)))
    operands.refuse(concat("its factors are not those of a result of ", out.extents));
  return out;
}

Box Rules<Rearrange>::needed_box(const Rearrange& op, const NodeView& view, std::size_t, const WorkRegion& work) {
  return sources_of(digits_of(op, view), work.computed);
}

std::array<Axis, num_axes> Rules<Rearrange>::work_axes(const Rearrange& op, const NodeView& view) {
  auto decided = decided_axes(digits_of(op, view), view.in());
  const auto is_free = [&](Axis input) { return std::find(decided.begin(), decided.end(), input) == decided.end(); };
  // Axes without a deciding digit take the remaining input axes, so that an empty work region needs nothing.
  for (Axis axis : all_axes)
    if (auto& input = decided[static_cast<std::size_t>(axis)]; !input)
      input = is_free(axis) ? axis : *std::find_if(all_axes.begin(), all_axes.end(), is_free);
  std::array<Axis, num_axes> result{};
  for (Axis axis : all_axes) result[static_cast<std::size_t>(*decided[static_cast<std::size_t>(axis)])] = axis;
  return result;
}

LocalKind Rules<Rearrange>::localise(const Rearrange& op, const NodeView& view, const WorkRegion& work, const Box& need) {
  LocalRearrange local{.digits = digits_of(op, view)};
  for (Axis axis : all_axes) {
    local.dst_offset[axis] = work.computed[axis].lo;
    local.src_offset[axis] = need[axis].lo;
  }
  return local;
}

bool Rules<Rearrange>::mixes_samples(const Rearrange& op, const NodeView& view) {
  const index_t n = view.in()[Axis::N];
  if (view.out()[Axis::N] != n) return true;
  return n > 1 && (op.order.front() != 0 || op.factors.front() != n);
}

void Rules<Rearrange>::rebatch(Rearrange& op, index_t n) {
  if (op.dims.front() > 1) {
    op.factors.erase(op.factors.begin());
    op.order.erase(op.order.begin());
  } else {
    for (int& k : op.order) ++k;
  }
  op.dims.front() = n;
  if (n > 1) {
    op.factors.insert(op.factors.begin(), n);
    op.order.insert(op.order.begin(), 0);
    return;
  }
  for (int& k : op.order) --k;
}

}  // namespace parconv
