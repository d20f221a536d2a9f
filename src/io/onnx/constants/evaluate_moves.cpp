// SPDX-License-Identifier: Apache-2.0
// Operators whose result consists of elements of their inputs, at places that do not depend on values.
#include <algorithm>
#include <numeric>

#include "io/onnx/constants/constant_node.hpp"
#include "io/onnx/ops/onnx_pieces.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

Dims dims_of(const std::vector<Dims>& indices) {
  Dims dims;
  for (const Dims& list : indices) dims.push_back(std::ssize(list));
  return dims;
}

/// The elements of input 0 at all combinations of indices.
Evaluated selected(ConstantNode& node, const std::vector<Dims>& indices, const ConstantTensor* fill = nullptr) {
  const Dims dims = dims_of(indices);
  node.checked_count(dims);
  return {taken(node.input(0), combined_sources(node.input(0).dims, indices), dims, fill)};
}

Dims axes_or_all(ConstantNode& node, std::size_t input, std::size_t count) {
  if (node.has_input(input)) return node.integers(input, "the axes");
  Dims axes(count);
  std::iota(axes.begin(), axes.end(), index_t{0});
  return axes;
}

Evaluated expand(ConstantNode& node) {
  const std::vector<Dims> all{node.input(0).dims, node.integers(1, "the shape")};
  node.checked_count(all[1]);
  const Dims dims = node.broadcast(all);
  return {taken(node.input(0), broadcast_sources(all[0], dims), dims)};
}

Evaluated tile(ConstantNode& node) {
  const Dims& dims = node.input(0).dims;
  const Dims& times = node.integers(1, "the repeats");
  if (times.size() != dims.size()) node.refuse(concat("has ", times.size(), " repeats for ", dims.size(), " dimensions"));
  Dims tiled;
  for (std::size_t k = 0; k < dims.size(); ++k) tiled.push_back(checked_mul(dims[k], times[k], node.reader().label().c_str()));
  node.checked_count(tiled);
  std::vector<Dims> indices = all_indices(tiled);
  for (std::size_t k = 0; k < dims.size(); ++k)
    for (index_t& index : indices[k]) index %= dims[k];
  return selected(node, indices);
}

Evaluated transpose(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  Dims perm(from.dims.size());
  std::iota(perm.rbegin(), perm.rend(), index_t{0});
  if (node.attributes().has("perm")) perm = node.attributes().get_ints("perm");
  Dims dims;
  std::vector<bool> is_used(from.dims.size(), false);
  if (perm.size() != from.dims.size()) node.refuse("attribute perm does not fit the dimensions of its input");
  for (index_t& axis : perm) {
    axis = node.resolved(axis, std::ssize(from.dims), "entry of attribute perm");
    const auto k = static_cast<std::size_t>(axis);
    if (is_used[k]) node.refuse("attribute perm is not a permutation");
    is_used[k] = true;
    dims.push_back(from.dims[k]);
  }
  return {taken(from, transposed_sources(from.dims, perm), dims)};
}

/// Arguments of a Slice: inputs, or attributes before opset 10.
struct Range {
  Dims starts{}, ends{}, axes{}, steps{};
};

Range range_of(ConstantNode& node) {
  if (node.opset() < 10) {
    Attributes& attributes = node.attributes();
    Range range{
        .starts = attributes.get_ints("starts"), .ends = attributes.get_ints("ends"), .axes = attributes.get_ints("axes")};
    if (range.axes.empty()) range.axes = axes_or_all(node, node.num_inputs(), range.starts.size());
    range.steps.assign(range.starts.size(), 1);
    return range;
  }
  node.reader().expect_inputs(3, 5);
  Range range{.starts = node.integers(1, "the starts"), .ends = node.integers(2, "the ends")};
  range.axes = axes_or_all(node, 3, range.starts.size());
  range.steps = node.has_input(4) ? node.integers(4, "the steps") : Dims(range.starts.size(), 1);
  return range;
}

Dims sliced(ConstantNode& node, index_t start, index_t end, index_t step, index_t count) {
  if (step == 0) node.refuse("has a step of 0");
  const index_t lowest = step > 0 ? 0 : -1;
  const auto limit = [&](index_t index) {
    return std::clamp(index < 0 ? std::max(index, -count - 1) + count : index, lowest, count + lowest);
  };
  Dims indices;
  const index_t last = limit(end), bounded = std::clamp(step, -count - 1, count + 1);
  for (index_t at = limit(start); step > 0 ? at < last : at > last; at += bounded) indices.push_back(at);
  return indices;
}

Evaluated slice(ConstantNode& node) {
  const Dims& dims = node.input(0).dims;
  const Range range = range_of(node);
  const std::size_t count = range.starts.size();
  if (range.ends.size() != count || range.axes.size() != count || range.steps.size() != count)
    node.refuse(concat("has ", count, " starts, ", range.ends.size(), " ends, ", range.axes.size(), " axes and ",
                       range.steps.size(), " steps"));
  std::vector<Dims> indices = all_indices(dims);
  for (std::size_t k = 0; k < count; ++k) {
    const auto axis = static_cast<std::size_t>(node.resolved(range.axes[k], std::ssize(dims), "axis"));
    indices[axis] = sliced(node, range.starts[k], range.ends[k], range.steps[k], dims[axis]);
  }
  return selected(node, indices);
}

Dims split_sizes(ConstantNode& node, index_t extent) {
  if (node.opset() >= 13 && node.has_input(1)) return node.integers(1, "the sizes");
  if (node.attributes().has("split")) return node.attributes().get_ints("split");
  const auto outputs = static_cast<index_t>(node.reader().num_outputs());
  if (node.attributes().get_int("num_outputs", outputs) != outputs) node.refuse("attribute num_outputs differs from its outputs");
  const index_t size = ceil_div(extent, outputs);
  Dims sizes(static_cast<std::size_t>(outputs), size);
  sizes.back() = extent - size * (outputs - 1);
  return sizes;
}

Evaluated split(ConstantNode& node) {
  const Dims& dims = node.input(0).dims;
  const std::size_t axis = node.axis(0, dims.size());
  const Dims sizes = split_sizes(node, dims[axis]);
  if (sizes.size() != node.reader().num_outputs() ||
      std::any_of(sizes.begin(), sizes.end(), [](index_t size) { return size < 0; }) ||
      std::accumulate(sizes.begin(), sizes.end(), index_t{0}) != dims[axis])
    node.refuse(concat("splits ", dims[axis], " elements into parts of ", dims_string(sizes)));
  Evaluated parts;
  index_t start = 0;
  for (const index_t size : sizes) {
    std::vector<Dims> indices = all_indices(dims);
    indices[axis].resize(static_cast<std::size_t>(size));
    std::iota(indices[axis].begin(), indices[axis].end(), start);
    parts.push_back(selected(node, indices).front());
    start += size;
  }
  return parts;
}

/// The parts one after another, and the sources that put them together along an axis.
Evaluated concatenation(ConstantNode& node) {
  const ConstantTensor& first = node.input(0);
  if (first.dims.empty()) node.refuse("concatenates scalars");
  const std::size_t axis = node.axis(node.opset() < 4 ? 1 : 0, first.dims.size());
  Dims dims = first.dims;
  dims[axis] = 0;
  for (std::size_t k = 0; k < node.num_inputs(); ++k) {
    Dims part = node.input(k).dims;
    if (part.size() != dims.size() || node.input(k).type != first.type) return {};
    dims[axis] = checked_add(dims[axis], part[axis]);
    part[axis] = first.dims[axis];
    if (part != first.dims)
      node.refuse(concat("concatenates ", dims_string(first.dims), " and ", dims_string(node.input(k).dims)));
  }
  node.checked_count(dims);
  const index_t rows =
      std::accumulate(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(axis), index_t{1}, std::multiplies<>());
  ConstantTensor result = taken(first, {}, dims);
  std::visit(
      [&](auto& elements) {
        for (index_t row = 0; row < rows; ++row)
          for (std::size_t k = 0; k < node.num_inputs(); ++k) {
            const auto& part = std::get<std::decay_t<decltype(elements)>>(node.input(k).numbers);
            const auto length = std::ssize(part) / rows;
            elements.insert(elements.end(), part.begin() + row * length, part.begin() + (row + 1) * length);
          }
      },
      result.numbers);
  return {result};
}

Evaluated pad(ConstantNode& node) {
  const Dims& dims = node.input(0).dims;
  const Border border = border_of(node.reader());
  const bool has_inputs = node.opset() >= 11;
  const Dims pads = has_inputs ? node.integers(1, "the pads") : node.attributes().get_ints("pads");
  const Dims axes = axes_or_all(node, has_inputs ? 3 : node.num_inputs(), dims.size());
  if (pads.size() != 2 * axes.size()) node.refuse(concat("has ", pads.size(), " pads for ", axes.size(), " dimensions"));
  std::vector<Dims> indices = all_indices(dims);
  Dims sizes = dims;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const auto axis = static_cast<std::size_t>(node.resolved(axes[k], std::ssize(dims), "axis"));
    sizes[axis] = checked_add(checked_add(dims[axis], pads[k]), pads[k + axes.size()]);
    node.checked_count({std::max<index_t>(sizes[axis], 0)});
    if (dims[axis] == 0 && border != Border::Fill) node.refuse("has no elements to pad with");
    indices[axis] = padded_indices(border, pads[k], sizes[axis], dims[axis]);
  }
  if (!has_inputs) {
    const ConstantTensor fill = real_tensor({node.attributes().get_float("value", 0)}, {}, onnx::TensorProto::FLOAT);
    return selected(node, indices, &fill);
  }
  return selected(node, indices, node.has_input(2) ? &node.input(2) : nullptr);
}

Evaluated triangle(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  if (from.dims.size() < 2) node.refuse("has fewer than two dimensions");
  const index_t diagonal = node.has_input(1) ? node.integer(1, "the diagonal") : 0;
  const bool is_upper = node.attributes().get_int("upper", 1) != 0;
  const index_t columns = from.dims.back(), rows = from.dims[from.dims.size() - 2];
  Sources sources(static_cast<std::size_t>(from.count()));
  for (std::size_t k = 0; k < sources.size(); ++k) {
    const auto at = static_cast<index_t>(k);
    const index_t distance = at % columns - at / columns % rows;
    sources[k] = (is_upper ? distance >= diagonal : distance <= diagonal) ? at : -1;
  }
  return {taken(from, sources, from.dims)};
}

constexpr EvaluationRow rows[]{
    {"Concat", concatenation}, {"Expand", expand},  {"Pad", pad}, {"Slice", slice}, {"Split", split}, {"Tile", tile},
    {"Transpose", transpose},  {"Trilu", triangle},
};

}  // namespace

std::span<const EvaluationRow> move_evaluations() { return rows; }

}  // namespace parconv
