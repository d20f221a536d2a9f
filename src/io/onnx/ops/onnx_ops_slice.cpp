// SPDX-License-Identifier: Apache-2.0
// Pad and Slice.
#include <algorithm>
#include <map>
#include <numeric>

#include "io/onnx/ops/onnx_ops.hpp"
#include "io/onnx/ops/onnx_pieces.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

std::vector<index_t> first_dims(std::size_t count) {
  std::vector<index_t> dims(count);
  std::iota(dims.begin(), dims.end(), index_t{0});
  return dims;
}

/// Dimensions listed in the optional input `k`; by default the first `count`.
std::vector<index_t> dims_from_input(NodeReader& node, std::size_t k, std::size_t count) {
  return node.has_input(k) ? node.integers(k, "the axes") : first_dims(count);
}

struct Pads {
  std::vector<index_t> dims{};
  std::vector<index_t> amounts{};  ///< at the beginning of each of dims, then at the end of each
  float value = 0;
};

Pads read_pads(NodeReader& node) {
  const auto ndims = static_cast<std::size_t>(node.shape(0).ndims);
  if (node.opset() < 11) {
    node.expect_inputs(1, 1);
    return {.dims = first_dims(ndims),
            .amounts = node.attributes().get_ints("pads"),
            .value = node.attributes().get_float("value", 0)};
  }
  node.expect_inputs(2, 4);
  Pads pads{.dims = dims_from_input(node, 3, ndims), .amounts = node.integers(1, "the pads")};
  if (node.has_input(2)) pads.value = node.scalar(2, "the value of the padding");
  return pads;
}

/// Far above any real network; sums with extents cannot overflow.
constexpr index_t max_pad = index_t{1} << 48;

/// Elements that are listed one by one.
constexpr index_t max_listed = index_t{1} << 20;

struct Amounts {
  index_t before = 0, behind = 0;
};

/// The node's output: `op`, then the elements at indices along the axes that have some.
void make_selected(NodeReader& node, const Resample& op, const std::map<Axis, std::vector<index_t>>& indices) {
  if (indices.empty()) return make_resample(node, op);
  ValueId value = is_copy(op) ? node.value(0) : node.add_step("resampled", op, {node.value(0)});
  for (const auto& [axis, list] : indices) value = elements_at(node, value, axis, list, op.fill);
  node.make(Elementwise{}, {value});
}

/// One entry of a Slice as stated by the model: [start, end) with a step.
struct Cut {
  index_t start = 0;
  index_t end = 0;
  index_t step = 1;
};

/// Resolves a negative index and clamps to [lowest, highest].
index_t clipped(index_t index, index_t size, index_t lowest, index_t highest) {
  return std::clamp<index_t>(index < 0 ? index + size : index, lowest, highest);
}

ResampledAxis cut_axis(NodeReader& node, const Cut& cut, index_t in_size) {
  if (cut.step == 0) node.refuse("has step 0");
  const bool goes_back = cut.step < 0;
  const index_t start = goes_back ? clipped(cut.start, in_size, -1, in_size - 1) : clipped(cut.start, in_size, 0, in_size);
  const index_t end = goes_back ? clipped(cut.end, in_size, -1, in_size - 1) : clipped(cut.end, in_size, 0, in_size);
  const index_t span = goes_back ? start - end : end - start;
  if (span <= 0) node.refuse(concat("selects no elements: from ", cut.start, " to ", cut.end, " of ", in_size));
  const index_t stride = std::min(goes_back ? -std::max(cut.step, -in_size) : cut.step, in_size);
  const index_t size = (span - 1) / stride + 1;
  if (goes_back) return {.method = TakeAxis{.start = start, .step = size == 1 ? 1 : -stride}, .size = size};
  if (size == in_size) return {};
  return {.method = TakeAxis{.start = start, .step = size == 1 ? 1 : stride}, .size = size};
}

struct Cuts {
  std::vector<index_t> dims{};
  std::vector<index_t> starts{};
  std::vector<index_t> ends{};
  std::vector<index_t> steps{};
};

Cuts read_cuts(NodeReader& node) {
  Cuts cuts;
  if (node.opset() < 10) {
    node.expect_inputs(1, 1);
    cuts = {.dims = node.attributes().get_ints("axes"),
            .starts = node.attributes().get_ints("starts"),
            .ends = node.attributes().get_ints("ends")};
    if (cuts.dims.empty()) cuts.dims = first_dims(cuts.starts.size());
  } else {
    node.expect_inputs(3, 5);
    cuts.starts = node.integers(1, "the starts");
    cuts.ends = node.integers(2, "the ends");
    cuts.dims = dims_from_input(node, 3, cuts.starts.size());
    if (node.has_input(4)) cuts.steps = node.integers(4, "the steps");
  }
  if (cuts.steps.empty()) cuts.steps.assign(cuts.starts.size(), 1);
  const std::size_t count = cuts.starts.size();
  if (cuts.ends.size() != count || cuts.dims.size() != count || cuts.steps.size() != count)
    node.refuse(concat("has ", count, " starts, ", cuts.ends.size(), " ends, ", cuts.dims.size(), " axes and ", cuts.steps.size(),
                       " steps"));
  return cuts;
}

/// The amounts before and behind each axis.
std::map<Axis, Amounts> amounts_of(NodeReader& node, const Pads& pads, int ndims) {
  const std::size_t count = pads.dims.size();
  if (pads.amounts.size() != 2 * count) node.refuse(concat("has ", pads.amounts.size(), " pads for ", count, " dimensions"));
  std::map<Axis, Amounts> amounts;
  for (std::size_t k = 0; k < count; ++k) {
    const Amounts amount{.before = pads.amounts[k], .behind = pads.amounts[k + count]};
    if (std::max(amount.before, amount.behind) > max_pad || std::min(amount.before, amount.behind) < -max_pad)
      node.refuse(concat("has impossibly large pads: ", amount.before, " and ", amount.behind));
    amounts[axis_of(node, pads.dims[k], ndims)] = amount;
  }
  return amounts;
}

/// True if one Resample can pad this axis: it pads space only, and reflects once.
bool is_resampled(Axis axis, const Amounts& amount, Border border, index_t extent) {
  if (axis == Axis::N) return false;
  if (axis == Axis::C) return amount.before <= 0 && amount.behind <= 0;
  return border != Border::Reflect || std::max(amount.before, amount.behind) < extent;
}

void read_pad(NodeReader& node) {
  const Shape in = node.shape(0);
  const Border border = border_of(node);
  const Pads pads = read_pads(node);
  const char* label = node.label().c_str();
  Resample op{.fill = pads.value};
  std::map<Axis, std::vector<index_t>> indices;
  for (const auto& [axis, amount] : amounts_of(node, pads, in.ndims)) {
    const auto [before, behind] = amount;
    if (before == 0 && behind == 0) continue;
    const index_t size = checked_add(checked_add(in.extents[axis], before, label), behind, label);
    if (is_resampled(axis, amount, border, in.extents[axis])) {
      op[axis] = {.method = TakeAxis{.start = -before, .border = border}, .size = size};
    } else {
      if (size > max_listed) node.refuse(concat("pads to ", size, " elements; at most ", max_listed, " are supported here"));
      indices[axis] = padded_indices(border, before, size, in.extents[axis]);
    }
  }
  make_selected(node, op, indices);
}

void read_slice(NodeReader& node) {
  const Shape in = node.shape(0);
  const Cuts cuts = read_cuts(node);
  Resample op;
  std::map<Axis, std::vector<index_t>> indices;
  for (std::size_t k = 0; k < cuts.dims.size(); ++k) {
    const Axis axis = axis_of(node, cuts.dims[k], in.ndims);
    const ResampledAxis cut = cut_axis(node, {cuts.starts[k], cuts.ends[k], cuts.steps[k]}, in.extents[axis]);
    const auto* taken = std::get_if<TakeAxis>(&cut.method);
    if (axis != Axis::N || taken == nullptr || taken->step == 1) {
      op[axis] = cut;
    } else {
      if (cut.size > max_listed) node.refuse(concat("takes ", cut.size, " samples; at most ", max_listed, " are supported here"));
      for (index_t at = 0; at < cut.size; ++at) indices[axis].push_back(taken->start + at * taken->step);
    }
  }
  make_selected(node, op, indices);
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"Pad", read_pad},
    {"Slice", read_slice, 1},
};

}  // namespace

std::span<const OperatorRow> slice_operators() { return rows; }

}  // namespace parconv
