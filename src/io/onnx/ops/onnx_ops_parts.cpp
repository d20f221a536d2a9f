// SPDX-License-Identifier: Apache-2.0
// Concat, Split, Gather, Expand and Tile, which only move elements.
#include <algorithm>
#include <numeric>

#include "io/onnx/ops/onnx_ops.hpp"
#include "io/onnx/ops/onnx_pieces.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using Dims = std::vector<index_t>;

/// Elements start, start + step, ..., start + (size - 1) * step of an axis.
struct Part {
  Axis axis = Axis::C;
  index_t start = 0;
  index_t size = 1;
  index_t step = 1;
};

Resample taking(const Part& part) {
  Resample op;
  op[part.axis] = {.method = TakeAxis{.start = part.start, .step = part.step}, .size = part.size};
  return op;
}

/// Extent of each output of a Split along the axis.
Dims split_sizes(NodeReader& node, index_t extent) {
  if (node.opset() >= 13 && node.has_input(1)) return node.integers(1, "the sizes");
  if (node.attributes().has("split")) return node.attributes().get_ints("split");
  const auto outputs = static_cast<index_t>(node.num_outputs());
  const index_t count = node.attributes().get_int("num_outputs", outputs);
  if (count != outputs) node.refuse(concat("attribute num_outputs is ", count, ", but the node has ", outputs, " outputs"));
  if (node.opset() < 18 && extent % outputs != 0)
    node.refuse(concat("splits ", extent, " elements into ", outputs, " equal parts"));
  const index_t size = ceil_div(extent, outputs);
  Dims sizes(node.num_outputs(), size);
  sizes.back() = extent - size * (outputs - 1);
  return sizes;
}

void check_sizes(const NodeReader& node, const Dims& sizes, index_t extent) {
  index_t sum = 0;
  for (const index_t size : sizes) {
    if (size < 1) node.refuse(concat("has a part of ", size, " elements; each must have at least 1"));
    sum = checked_add(sum, size, node.label().c_str());
  }
  if (sizes.size() != node.num_outputs() || sum != extent)
    node.refuse(
        concat("splits ", extent, " elements into parts of ", dims_string(sizes), " for ", node.num_outputs(), " outputs"));
}

/// Each run of indices becomes a node.
constexpr index_t max_gathered = 1024;

/// Input `k` as non-negative indices into `extent` elements.
Dims gather_indices(NodeReader& node, index_t extent) {
  const OnnxConstant& indices = node.constant(1, "the indices");
  const bool is_short = indices.data.count >= 1 && indices.data.count <= max_gathered;
  if (!indices.is_integer || !is_short || std::ssize(indices.integers) != indices.data.count)
    node.refuse("the indices are not a short list of integers");
  Dims result = indices.integers;
  for (index_t& index : result) {
    if (index < -extent || index >= extent) node.refuse(concat("index ", index, " is out of range for ", extent, " elements"));
    if (index < 0) index += extent;
  }
  return result;
}

/// Tiles `value` along an axis: samples by concatenation, other axes by wrapping around, or by stride 0 if the extent is 1.
ValueId repeated(NodeReader& node, ValueId value, Axis axis, index_t times) {
  if (times == 1) return value;
  constexpr index_t most_copies = 4096;
  const index_t extent = node.network().shape(value).extents[axis];
  if (axis == Axis::N) {
    if (times > most_copies) node.refuse(concat("repeats samples ", times, " times; at most ", most_copies, " are supported"));
    return node.add_step("copies", Concat{.axis = axis}, std::vector<ValueId>(static_cast<std::size_t>(times), value));
  }
  const index_t size = checked_mul(extent, times, node.label().c_str());
  Resample op;
  const TakeAxis again = extent == 1 ? TakeAxis{.start = 0, .step = 0} : TakeAxis{.start = 0, .border = Border::Wrap};
  op[axis] = {.method = again, .size = size};
  return node.add_step("repeated", op, {value});
}

/// Produces the node's output by tiling `x` along each dimension.
void make_repeated(NodeReader& node, ValueId x, const Dims& times) {
  const auto ndims = static_cast<int>(times.size());
  for (int k = ndims - 1; k >= 0; --k) {
    const index_t count = times[static_cast<std::size_t>(k)];
    if (count < 1) node.refuse(concat("repeats dimension ", k, " ", count, " times; at least 1 is required"));
    x = repeated(node, x, axis_of(node, k, ndims), count);
  }
  node.make(Elementwise{}, {x});
}

/// A part that adds nothing.
bool is_empty_constant(NodeReader& node, std::size_t k) {
  const OnnxConstant* constant = node.network().find_constant(node.input_name(k));
  return constant != nullptr && constant->data.count == 0;
}

void read_concat(NodeReader& node) {
  node.expect_inputs(1, std::max<std::size_t>(node.num_inputs(), 1));
  std::size_t first = 0;
  while (first + 1 < node.num_inputs() && node.has_input(first) && is_empty_constant(node, first)) ++first;
  const int ndims = node.shape(first).ndims;
  if (!node.attributes().has("axis")) node.refuse("attribute axis is missing");
  const Axis axis = axis_of(node, node.attributes().get_int("axis", 1), ndims);
  std::vector<ValueId> inputs;
  for (std::size_t k = 0; k < node.num_inputs(); ++k) {
    if (!node.has_input(k)) node.refuse(concat("input ", k, " is missing"));
    if (is_empty_constant(node, k)) continue;
    if (node.shape(k).ndims != ndims)
      node.refuse(concat("concatenates inputs of ", ndims, " and ", node.shape(k).ndims, " dimensions"));
    inputs.push_back(node.value(k));
  }
  node.make(Concat{.axis = axis}, std::move(inputs));
}

void read_split(NodeReader& node) {
  node.expect_inputs(1, node.opset() < 13 ? 1 : 2);
  const Shape in = node.shape(0);
  const Axis axis = axis_of(node, node.attributes().get_int("axis", 0), in.ndims);
  const Dims sizes = split_sizes(node, in.extents[axis]);
  check_sizes(node, sizes, in.extents[axis]);
  index_t start = 0;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    const Resample op = taking({.axis = axis, .start = start, .size = sizes[k]});
    const bool is_whole = sizes[k] == in.extents[axis];
    const Operator part = is_whole ? Operator(Elementwise{}) : Operator(op);
    const std::string name = k == 0 ? node.name() : concat(node.name(), ".", k);
    if (k == 0 || node.is_output_used(k))
      node.network().add_node({.name = name, .op = part, .inputs = {node.value(0)}}, node.output_name(k));
    start += sizes[k];
  }
}

void read_gather(NodeReader& node) {
  node.expect_inputs(2, 2);
  const Shape in = node.shape(0);
  const int dim = checked_axis(node, node.attributes().get_int("axis", 0), in.ndims);
  const Axis axis = axis_of(node, dim, in.ndims);
  const Dims all = gather_indices(node, in.extents[axis]);
  const Dims index_dims = node.constant(1, "the indices").dims;
  Dims dims = dims_of(in);
  dims.erase(dims.begin() + dim);
  dims.insert(dims.begin() + dim, index_dims.begin(), index_dims.end());
  node.make_with_dims(elements_at(node, node.value(0), axis, all), dims.empty() ? Dims{1} : dims);
}

void read_expand(NodeReader& node) {
  node.expect_inputs(2, 2);
  Dims target = node.integers(1, "the shape"), in = dims_of(node.shape(0));
  const std::size_t ndims = std::max(target.size(), in.size());
  if (ndims > num_axes) node.refuse(concat("has a result of ", ndims, " dimensions, but 1 to 5 are supported"));
  target.insert(target.begin(), ndims - target.size(), 1);
  in.insert(in.begin(), ndims - in.size(), 1);
  Dims times = target;
  for (std::size_t k = 0; k < ndims; ++k) {
    if (in[k] != 1 && target[k] != 1 && in[k] != target[k])
      node.refuse(concat("cannot broadcast ", dims_string(in), " to ", dims_string(target)));
    if (in[k] != 1) times[k] = 1;
  }
  make_repeated(node, node.with_dims(node.value(0), in), times);
}

void read_tile(NodeReader& node) {
  node.expect_inputs(2, 2);
  const Dims times = node.integers(1, "the repeats");
  const int ndims = node.shape(0).ndims;
  if (std::ssize(times) != ndims) node.refuse(concat("has ", times.size(), " repeats for ", ndims, " dimensions"));
  make_repeated(node, node.value(0), times);
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"Concat", read_concat}, {"Expand", read_expand}, {"Gather", read_gather, 1}, {"Split", read_split}, {"Tile", read_tile},
};

}  // namespace

std::span<const OperatorRow> parts_operators() { return rows; }

}  // namespace parconv
