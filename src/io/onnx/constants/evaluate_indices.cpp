// SPDX-License-Identifier: Apache-2.0
// Operators that read or write elements at places given by another input.
#include <algorithm>
#include <type_traits>

#include "io/onnx/constants/constant_node.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

std::ptrdiff_t offset(std::size_t k) { return static_cast<std::ptrdiff_t>(k); }

index_t volume_from(const Dims& dims, std::size_t first) { return volume_of({dims.begin() + offset(first), dims.end()}); }
index_t volume_before(const Dims& dims, std::size_t last) { return volume_of({dims.begin(), dims.begin() + offset(last)}); }

Evaluated gather(ConstantNode& node) {
  node.reader().expect_inputs(2, 2);
  const ConstantTensor &data = node.input(0), &indices = node.input(1);
  if (data.dims.empty()) node.refuse("gathers from a scalar");
  const std::size_t axis = node.axis(0, data.dims.size());
  std::vector<Dims> wanted = all_indices(data.dims);
  wanted[axis].clear();
  for (const index_t index : node.integers(1, "the indices"))
    wanted[axis].push_back(node.resolved(index, data.dims[axis], "index"));
  Dims dims = data.dims;
  dims.erase(dims.begin() + offset(axis));
  dims.insert(dims.begin() + offset(axis), indices.dims.begin(), indices.dims.end());
  node.checked_count(dims);
  return {taken(data, combined_sources(data.dims, wanted), dims)};
}

/// The element of `dims` that each index stands for, where the index replaces the coordinate along an axis.
Sources element_sources(ConstantNode& node, const Dims& dims, std::size_t axis) {
  const ConstantTensor& indices = node.input(1);
  if (indices.dims.size() != dims.size()) node.refuse("the indices have another number of dimensions than the data");
  for (std::size_t k = 0; k < dims.size(); ++k)
    if (k != axis && indices.dims[k] > dims[k]) node.refuse("the indices exceed the data");
  const Dims strides = row_major_strides(dims);
  std::vector<Dims> coordinates = all_indices(indices.dims);
  std::fill(coordinates[axis].begin(), coordinates[axis].end(), index_t{0});
  Sources sources = combined_sources(dims, coordinates);
  for (std::size_t k = 0; k < sources.size(); ++k)
    sources[k] += node.resolved(node.integers(1, "the indices")[k], dims[axis], "index") * strides[axis];
  return sources;
}

Evaluated gather_elements(ConstantNode& node) {
  const ConstantTensor& data = node.input(0);
  const std::size_t axis = node.axis(0, data.dims.size());
  return {taken(data, element_sources(node, data.dims, axis), node.input(1).dims)};
}

/// Begin of the slice of `dims` for each tuple of indices, the last dimension of input 1; the first `batch` dimensions are
/// common.
Sources slice_begins(ConstantNode& node, const Dims& dims, std::size_t batch) {
  const ConstantTensor& indices = node.input(1);
  const std::vector<index_t>& values = node.integers(1, "the indices");
  if (indices.dims.empty()) node.refuse("the indices are a scalar");
  const auto length = static_cast<std::size_t>(indices.dims.back());
  if (batch + length > dims.size() || batch >= indices.dims.size()) node.refuse("the indices have too many dimensions");
  const Dims strides = row_major_strides(dims);
  const index_t tuples = volume_before(indices.dims, indices.dims.size() - 1);
  const index_t batches = volume_before(dims, batch);
  if (batches != volume_before(indices.dims, batch)) node.refuse("data and indices differ in their batch dimensions");
  Sources begins;
  for (index_t tuple = 0; tuple < tuples; ++tuple) {
    index_t begin = batches == 0 ? 0 : tuple / (tuples / batches) * volume_from(dims, batch);
    for (std::size_t k = 0; k < length; ++k) {
      const index_t index = values[static_cast<std::size_t>(tuple) * length + k];
      begin += node.resolved(index, dims[batch + k], "index") * strides[batch + k];
    }
    begins.push_back(begin);
  }
  return begins;
}

Evaluated gather_nd(ConstantNode& node) {
  const ConstantTensor& data = node.input(0);
  const auto batch = static_cast<std::size_t>(std::max<index_t>(node.attributes().get_int("batch_dims", 0), 0));
  const Sources begins = slice_begins(node, data.dims, batch);
  const std::size_t fixed = batch + static_cast<std::size_t>(node.input(1).dims.back());
  const index_t length = volume_from(data.dims, fixed);
  Dims dims(node.input(1).dims.begin(), node.input(1).dims.end() - 1);
  dims.insert(dims.end(), data.dims.begin() + offset(fixed), data.dims.end());
  node.checked_count(dims);
  Sources sources;
  for (const index_t begin : begins)
    for (index_t k = 0; k < length; ++k) sources.push_back(begin + k);
  return {taken(data, sources, dims)};
}

template <class Number>
Number reduced(std::string_view reduction, Number before, Number update, const char* label) {
  if constexpr (std::is_same_v<Number, index_t>) {
    if (reduction == "add") return checked_add(before, update, label);
    if (reduction == "mul") return checked_mul(before, update, label);
  }
  if (reduction == "add") return before + update;
  if (reduction == "mul") return before * update;
  if (reduction == "max") return std::max(before, update);
  return reduction == "min" ? std::min(before, update) : update;
}

/// Input 0 with the elements of input 2 at `targets`.
Evaluated scattered(ConstantNode& node, const Sources& targets) {
  const std::string reduction = node.attributes().get_string("reduction", "none");
  const ConstantTensor& updates = node.input(2);
  if (updates.type != node.input(0).type || updates.count() != std::ssize(targets)) node.refuse("the updates do not fit");
  const char* label = node.reader().label().c_str();
  ConstantTensor result = node.input(0);
  std::visit(
      [&](auto& elements) {
        const auto& list = std::get<std::decay_t<decltype(elements)>>(updates.numbers);
        for (std::size_t k = 0; k < targets.size(); ++k) {
          auto& element = elements[static_cast<std::size_t>(targets[k])];
          element = reduced(reduction, element, list[k], label);
        }
      },
      result.numbers);
  return {result};
}

Evaluated scatter_elements(ConstantNode& node) {
  const ConstantTensor& data = node.input(0);
  return scattered(node, element_sources(node, data.dims, node.axis(0, data.dims.size())));
}

Evaluated scatter_nd(ConstantNode& node) {
  const ConstantTensor& data = node.input(0);
  const Sources begins = slice_begins(node, data.dims, 0);
  const index_t length = volume_from(data.dims, static_cast<std::size_t>(node.input(1).dims.back()));
  Sources targets;
  for (const index_t begin : begins)
    for (index_t k = 0; k < length; ++k) targets.push_back(begin + k);
  return scattered(node, targets);
}

Evaluated one_hot(ConstantNode& node) {
  const ConstantTensor &indices = node.input(0), &values = node.input(2);
  const auto depth = static_cast<index_t>(reals(node.input(1)).at(0));
  if (values.count() != 2 || depth < 0) node.refuse("has no two values, or a negative depth");
  const std::size_t ndims = indices.dims.size() + 1;
  const auto axis =
      static_cast<std::size_t>(node.resolved(node.attributes().get_int("axis", -1), static_cast<index_t>(ndims), "axis"));
  Dims dims = indices.dims;
  dims.insert(dims.begin() + offset(axis), depth);
  node.checked_count(dims);
  const index_t inner = volume_from(indices.dims, axis), outer = volume_before(indices.dims, axis);
  const std::vector<double> hot = reals(indices);
  Sources sources;
  for (index_t a = 0; a < outer; ++a)
    for (index_t at = 0; at < depth; ++at)
      for (index_t b = 0; b < inner; ++b) {
        const auto index = static_cast<index_t>(hot[static_cast<std::size_t>(a * inner + b)]);
        sources.push_back((index < 0 ? index + depth : index) == at ? 1 : 0);
      }
  return {taken(values, sources, dims)};
}

Evaluated non_zero(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  const std::vector<double> values = reals(from);
  const Dims strides = row_major_strides(from.dims);
  Dims places;
  for (std::size_t k = 0; k < values.size(); ++k)
    if (values[k] != 0) places.push_back(static_cast<index_t>(k));
  Dims coordinates;
  for (std::size_t k = 0; k < from.dims.size(); ++k)
    for (const index_t place : places) coordinates.push_back(place / strides[k] % from.dims[k]);
  return {integer_tensor(std::move(coordinates), {std::ssize(from.dims), std::ssize(places)})};
}

constexpr EvaluationRow rows[]{
    {"Gather", gather},
    {"GatherElements", gather_elements},
    {"GatherND", gather_nd},
    {"NonZero", non_zero},
    {"OneHot", one_hot},
    {"Scatter", scatter_elements},
    {"ScatterElements", scatter_elements},
    {"ScatterND", scatter_nd},
};

}  // namespace

std::span<const EvaluationRow> index_evaluations() { return rows; }

}  // namespace parconv
