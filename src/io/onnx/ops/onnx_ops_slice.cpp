// SPDX-License-Identifier: Apache-2.0
// Pad and Slice.
#include <algorithm>
#include <map>
#include <numeric>

#include "io/onnx/ops/onnx_ops.hpp"
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

Border read_border(NodeReader& node) {
  static const std::map<std::string, Border> modes{
      {"constant", Border::Fill}, {"edge", Border::Edge}, {"reflect", Border::Reflect}, {"wrap", Border::Wrap}};
  const std::string mode = node.attributes().get_string("mode", "constant");
  const auto found = modes.find(mode);
  if (found == modes.end()) node.refuse(concat("attribute mode is '", mode, "'; supported are constant, edge, reflect, wrap"));
  return found->second;
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

void read_pad(NodeReader& node) {
  const Shape in = node.shape(0);
  const Border border = read_border(node);
  const Pads pads = read_pads(node);
  const std::size_t count = pads.dims.size();
  if (pads.amounts.size() != 2 * count) node.refuse(concat("has ", pads.amounts.size(), " pads for ", count, " dimensions"));
  Resample op{.fill = pads.value};
  for (std::size_t k = 0; k < count; ++k) {
    const index_t before = pads.amounts[k];
    const index_t behind = pads.amounts[k + count];
    if (before == 0 && behind == 0) continue;
    if (std::max(before, behind) > max_pad || std::min(before, behind) < -max_pad)
      node.refuse(concat("has impossibly large pads: ", before, " and ", behind));
    const Axis axis = axis_of(node, pads.dims[k], in.ndims);
    const char* label = node.label().c_str();
    const index_t size = checked_add(checked_add(in.extents[axis], before, label), behind, label);
    op[axis] = {.method = TakeAxis{.start = -before, .border = border}, .size = size};
  }
  make_resample(node, op);
}

void read_slice(NodeReader& node) {
  const Shape in = node.shape(0);
  const Cuts cuts = read_cuts(node);
  Resample op;
  for (std::size_t k = 0; k < cuts.dims.size(); ++k) {
    const Axis axis = axis_of(node, cuts.dims[k], in.ndims);
    op[axis] = cut_axis(node, {cuts.starts[k], cuts.ends[k], cuts.steps[k]}, in.extents[axis]);
  }
  make_resample(node, op);
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"Pad", read_pad},
    {"Slice", read_slice, 1},
};

}  // namespace

std::span<const OperatorRow> slice_operators() { return rows; }

}  // namespace parconv
