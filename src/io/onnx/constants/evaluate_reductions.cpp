// SPDX-License-Identifier: Apache-2.0
// Operators that combine elements along dimensions.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <type_traits>

#include "io/onnx/constants/constant_node.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using onnx::TensorProto;

/// The places of the elements that each result combines.
struct Groups {
  Dims dims{};                     ///< of the results, with reduced dimensions of 1
  std::vector<Sources> members{};  ///< by result
};

Groups grouped(const Dims& dims, const std::vector<bool>& is_reduced) {
  Groups groups{.dims = dims};
  std::vector<Dims> kept = all_indices(dims), inner = all_indices(dims);
  for (std::size_t k = 0; k < dims.size(); ++k) {
    (is_reduced[k] ? kept[k] : inner[k]) = {0};
    if (is_reduced[k]) groups.dims[k] = 1;
  }
  const Sources offsets = combined_sources(dims, inner);
  for (const index_t begin : combined_sources(dims, kept)) {
    Sources members = offsets;
    for (index_t& member : members) member += begin;
    groups.members.push_back(std::move(members));
  }
  return groups;
}

Dims without(const Dims& dims, const std::vector<bool>& is_dropped) {
  Dims rest;
  for (std::size_t k = 0; k < dims.size(); ++k)
    if (!is_dropped[k]) rest.push_back(dims[k]);
  return rest;
}

/// Axes from an input in newer opsets, else from an attribute.
std::vector<bool> reduced_axes(ConstantNode& node) {
  const std::size_t ndims = node.input(0).dims.size();
  const bool are_input = node.opset() >= (node.op_type() == "ReduceSum" ? 13 : 18);
  Dims axes;
  if (are_input && node.has_input(1)) axes = node.integers(1, "the axes");
  if (!are_input) axes = node.attributes().get_ints("axes");
  const bool keeps_all = axes.empty() && node.attributes().get_int("noop_with_empty_axes", 0) != 0;
  std::vector<bool> is_reduced(ndims, axes.empty() && !keeps_all);
  for (const index_t axis : axes)
    is_reduced[static_cast<std::size_t>(node.resolved(axis, static_cast<index_t>(ndims), "axis"))] = true;
  return is_reduced;
}

double reduced_value(std::string_view name, const std::vector<double>& values) {
  const auto sum = [&](auto term) {
    return std::accumulate(values.begin(), values.end(), 0.0, [&](double total, double x) { return total + term(x); });
  };
  if (name == "ReduceSum") return sum([](double x) { return x; });
  if (name == "ReduceMean") return sum([](double x) { return x; }) / static_cast<double>(values.size());
  if (name == "ReduceL1") return sum([](double x) { return std::abs(x); });
  if (name == "ReduceL2") return std::sqrt(sum([](double x) { return x * x; }));
  if (name == "ReduceSumSquare") return sum([](double x) { return x * x; });
  if (name == "ReduceProd") return std::accumulate(values.begin(), values.end(), 1.0, std::multiplies<>());
  return name == "ReduceMax" ? *std::max_element(values.begin(), values.end()) : *std::min_element(values.begin(), values.end());
}

index_t reduced_integers(ConstantNode& node, const std::vector<index_t>& values) {
  const char* label = node.reader().label().c_str();
  const std::string& name = node.op_type();
  if (name == "ReduceMax") return *std::max_element(values.begin(), values.end());
  if (name == "ReduceMin") return *std::min_element(values.begin(), values.end());
  if (name == "ReduceProd")
    return std::accumulate(values.begin(), values.end(), index_t{1},
                           [&](index_t a, index_t b) { return checked_mul(a, b, label); });
  const index_t sum =
      std::accumulate(values.begin(), values.end(), index_t{0}, [&](index_t a, index_t b) { return checked_add(a, b, label); });
  return name == "ReduceMean" ? sum / std::ssize(values) : sum;
}

template <class List>
List members_of(const List& elements, const Sources& places) {
  List values;
  for (const index_t place : places) values.push_back(elements[static_cast<std::size_t>(place)]);
  return values;
}

Evaluated reduction(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  const std::vector<bool> is_reduced = reduced_axes(node);
  const Groups groups = grouped(from.dims, is_reduced);
  const bool keeps_dims = node.attributes().get_int("keepdims", 1) != 0;
  const Dims dims = keeps_dims ? groups.dims : without(groups.dims, is_reduced);
  const std::string& name = node.op_type();
  const bool needs_elements = name == "ReduceMax" || name == "ReduceMin" || name == "ReduceMean";
  if (needs_elements && !groups.members.empty() && groups.members.front().empty()) node.refuse("reduces no elements");
  if (from.is_integer()) {
    if (name == "ReduceL1" || name == "ReduceL2" || name == "ReduceSumSquare") return {};
    Dims values;
    for (const Sources& places : groups.members) values.push_back(reduced_integers(node, members_of(from.integers(), places)));
    return {integer_tensor(std::move(values), dims, from.type)};
  }
  const std::vector<double> elements = reals(from);
  std::vector<double> values;
  for (const Sources& places : groups.members) values.push_back(reduced_value(name, members_of(elements, places)));
  return {real_tensor(values, dims, from.type)};
}

Evaluated arg_extremum(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  std::vector<bool> is_reduced(from.dims.size(), false);
  is_reduced[node.axis(0, from.dims.size())] = true;
  const bool takes_last = node.attributes().get_int("select_last_index", 0) != 0;
  const bool is_greatest = node.op_type() == "ArgMax";
  const Groups groups = grouped(from.dims, is_reduced);
  const std::vector<double> elements = reals(from);
  Dims values;
  for (const Sources& places : groups.members) {
    if (places.empty()) node.refuse("reduces no elements");
    std::size_t best = 0;
    for (std::size_t k = 1; k < places.size(); ++k) {
      const double x = elements[static_cast<std::size_t>(places[k])], y = elements[static_cast<std::size_t>(places[best])];
      if ((is_greatest ? x > y : x < y) || (takes_last && x == y)) best = k;
    }
    values.push_back(static_cast<index_t>(best));
  }
  const bool keeps_dims = node.attributes().get_int("keepdims", 1) != 0;
  return {integer_tensor(std::move(values), keeps_dims ? groups.dims : without(groups.dims, is_reduced))};
}

Evaluated cumulative_sum(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  const auto axis = static_cast<std::size_t>(node.resolved(node.integer(1, "the axis"), std::ssize(from.dims), "axis"));
  const bool is_exclusive = node.attributes().get_int("exclusive", 0) != 0,
             is_reverse = node.attributes().get_int("reverse", 0) != 0;
  std::vector<bool> is_summed(from.dims.size(), false);
  is_summed[axis] = true;
  const Groups groups = grouped(from.dims, is_summed);
  const auto added = [label = node.reader().label()](auto a, auto b) {
    if constexpr (std::is_same_v<decltype(a), index_t>) return checked_add(a, b, label.c_str());
    return a + b;
  };
  ConstantTensor result = from;
  std::visit(
      [&](auto& elements) {
        for (Sources places : groups.members) {
          if (is_reverse) std::reverse(places.begin(), places.end());
          typename std::decay_t<decltype(elements)>::value_type sum{};
          for (const index_t place : places) {
            auto& element = elements[static_cast<std::size_t>(place)];
            const auto next = added(sum, element);
            element = is_exclusive ? sum : next;
            sum = next;
          }
        }
      },
      result.numbers);
  return {result};
}

Evaluated top_k(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  if (node.opset() < 10 || from.dims.empty()) return {};
  const std::size_t axis = node.axis(-1, from.dims.size());
  const index_t count = node.integer(1, "k");
  const bool is_largest = node.attributes().get_int("largest", 1) != 0;
  node.attributes().ignore("sorted");
  if (count < 0 || count > from.dims[axis]) node.refuse(concat("takes ", count, " of ", from.dims[axis], " elements"));
  std::vector<bool> is_ordered(from.dims.size(), false);
  is_ordered[axis] = true;
  const Groups groups = grouped(from.dims, is_ordered);
  const std::vector<double> elements = reals(from);
  Dims dims = from.dims;
  dims[axis] = count;
  const index_t inner = row_major_strides(dims)[axis];
  Sources sources(static_cast<std::size_t>(volume_of(dims)));
  Dims ranks(sources.size());
  for (std::size_t group = 0; group < groups.members.size(); ++group) {
    const Sources& places = groups.members[group];
    Dims order(places.size());
    std::iota(order.begin(), order.end(), index_t{0});
    const auto value = [&](index_t at) { return elements[static_cast<std::size_t>(places[static_cast<std::size_t>(at)])]; };
    std::stable_sort(order.begin(), order.end(),
                     [&](index_t a, index_t b) { return is_largest ? value(a) > value(b) : value(a) < value(b); });
    const auto at = static_cast<index_t>(group);
    for (index_t k = 0; k < count; ++k) {
      const auto out = static_cast<std::size_t>((at / inner * count + k) * inner + at % inner);
      ranks[out] = order[static_cast<std::size_t>(k)];
      sources[out] = places[static_cast<std::size_t>(ranks[out])];
    }
  }
  return {taken(from, sources, dims), integer_tensor(std::move(ranks), dims)};
}

/// Matrices of at least two dimensions, or vectors.
Evaluated matrix_product(ConstantNode& node) {
  constexpr index_t max_products = index_t{1} << 28;
  ConstantTensor a = node.input(0), b = node.input(1);
  if (a.is_integer() || b.is_integer() || a.dims.empty() || b.dims.empty()) return {};
  const bool is_row = a.dims.size() == 1, is_column = b.dims.size() == 1;
  if (is_row) a.dims.insert(a.dims.begin(), 1);
  if (is_column) b.dims.push_back(1);
  const index_t rows = a.dims.end()[-2], depth = a.dims.back(), columns = b.dims.back();
  if (b.dims.end()[-2] != depth) node.refuse(concat("multiplies ", dims_string(a.dims), " by ", dims_string(b.dims)));
  const std::vector<Dims> stacks{{a.dims.begin(), a.dims.end() - 2}, {b.dims.begin(), b.dims.end() - 2}};
  Dims dims = node.broadcast(stacks);
  const Sources of_a = broadcast_sources(stacks[0], dims), of_b = broadcast_sources(stacks[1], dims);
  dims.insert(dims.end(), {rows, columns});
  if (checked_mul(node.checked_count(dims), std::max<index_t>(depth, 1)) > max_products) return {};
  const std::vector<double> left = reals(a), right = reals(b);
  std::vector<double> values(static_cast<std::size_t>(volume_of(dims)));
  std::size_t out = 0;
  for (std::size_t stack = 0; stack < of_a.size(); ++stack)
    for (index_t row = 0; row < rows; ++row)
      for (index_t column = 0; column < columns; ++column, ++out)
        for (index_t k = 0; k < depth; ++k)
          values[out] += left[static_cast<std::size_t>((of_a[stack] * rows + row) * depth + k)] *
                         right[static_cast<std::size_t>((of_b[stack] * depth + k) * columns + column)];
  if (is_column) dims.pop_back();
  if (is_row) dims.erase(dims.end() - (is_column ? 1 : 2));
  return {real_tensor(values, dims, a.type)};
}

/// As in weight standardisation, with the statistics of its input in training mode.
Evaluated batch_normalization(ConstantNode& node) {
  const ConstantTensor& from = node.input(0);
  if (from.is_integer() || from.dims.size() < 2 || node.opset() < 9) return {};
  const bool is_training = node.attributes().get_int("training_mode", 0) != 0;
  const double epsilon = node.attributes().get_float("epsilon", 1e-5F);
  node.attributes().ignore("momentum");
  std::vector<bool> is_reduced(from.dims.size(), true);
  is_reduced[1] = false;
  const Groups groups = grouped(from.dims, is_reduced);
  std::vector<std::vector<double>> parameters;
  for (std::size_t k = 1; k < 5; ++k) {
    parameters.push_back(reals(node.input(k)));
    if (std::ssize(parameters.back()) != from.dims[1]) node.refuse("its parameters do not have one element for each channel");
  }
  const std::vector<double> elements = reals(from);
  std::vector<double> result(elements.size());
  for (std::size_t channel = 0; channel < groups.members.size(); ++channel) {
    const std::vector<double> values = members_of(elements, groups.members[channel]);
    const auto count = static_cast<double>(values.size());
    double mean = parameters[2][channel], variance = parameters[3][channel];
    if (is_training) {
      mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
      variance = std::accumulate(values.begin(), values.end(), 0.0,
                                 [&](double sum, double x) { return sum + (x - mean) * (x - mean); }) /
                 count;
    }
    const double scale = parameters[0][channel] / std::sqrt(variance + epsilon);
    for (std::size_t k = 0; k < values.size(); ++k)
      result[static_cast<std::size_t>(groups.members[channel][k])] = (values[k] - mean) * scale + parameters[1][channel];
  }
  return {real_tensor(result, from.dims, from.type)};
}

constexpr EvaluationRow rows[]{
    {"ArgMax", arg_extremum},
    {"ArgMin", arg_extremum},
    {"BatchNormalization", batch_normalization},
    {"CumSum", cumulative_sum},
    {"MatMul", matrix_product},
    {"ReduceL1", reduction},
    {"ReduceL2", reduction},
    {"ReduceMax", reduction},
    {"ReduceMean", reduction},
    {"ReduceMin", reduction},
    {"ReduceProd", reduction},
    {"ReduceSum", reduction},
    {"ReduceSumSquare", reduction},
    {"TopK", top_k},
};

}  // namespace

std::span<const EvaluationRow> reduction_evaluations() { return rows; }

}  // namespace parconv
