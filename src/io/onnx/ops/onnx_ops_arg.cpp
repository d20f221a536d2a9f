// SPDX-License-Identifier: Apache-2.0
// ArgMax and ArgMin, lowered to reductions: the largest element, and the first or last index at which it is reached.
#include "io/onnx/ops/onnx_ops.hpp"
#include "io/onnx/ops/onnx_reduction.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

struct Search {
  int dim = 0;
  Axis axis = Axis::N;
  index_t count = 1;
  bool is_last = false;  ///< of equal elements
};

Search search_of(NodeReader& node, const Shape& in) {
  constexpr index_t most = index_t{1} << 24;
  const index_t axis = node.attributes().get_int("axis", 0);
  Search search{.dim = checked_axis(node, axis, in.ndims), .axis = axis_of(node, axis, in.ndims)};
  search.count = in.extents[search.axis];
  search.is_last = node.attributes().get_int("select_last_index", 0) != 0;
  if (search.count > most) node.refuse(concat("makes indices up to ", search.count, ", but f32 represents them up to 2^24"));
  return search;
}

/// Numbers along the axis whose extreme among hits and zeros is that of the first or last hit: index - count for the minimum,
/// index + 1 for the maximum.
ValueId places_along(NodeReader& node, const Search& search, const Shape& in) {
  std::vector<float> places(static_cast<std::size_t>(search.count));
  for (index_t k = 0; k < search.count; ++k)
    places[static_cast<std::size_t>(k)] = static_cast<float>(search.is_last ? k + 1 : k - search.count);
  std::vector<index_t> dims(static_cast<std::size_t>(in.ndims), 1);
  dims[static_cast<std::size_t>(search.dim)] = search.count;
  const std::string name = node.network().fresh_name(concat(node.output_name(), ".index"));
  return node.network().add_constant(name, float_constant(std::move(places), dims), in.ndims, node.label());
}

/// The smallest element is the largest of the negated ones, which is exact.
ValueId searched(NodeReader& node) {
  if (node.op_type() == "ArgMax") return node.value(0);
  return node.add_step("negated", Elementwise{}, {node.value(0)}, Epilogue{.activation = {.kind = ActivationKind::Neg}});
}

/// A NaN is larger than all others, as in NumPy.
void read_arg(NodeReader& node) {
  node.expect_inputs(1, 1);
  const Shape in = node.shape(0);
  const Search search = search_of(node, in);
  AxisSet axes{};
  axes[static_cast<std::size_t>(search.axis)] = true;
  const ValueId x = searched(node);
  const ValueId largest = node.add_step("largest", reduction(in, ReduceKind::Max, axes), {x});
  const ValueId hits = node.add_step("hits", Binary{BinaryKind::Reaches}, {x, largest});
  const ValueId places = node.add_step("places", Binary{BinaryKind::Mul}, {hits, places_along(node, search, in)});
  const ReduceKind extreme = search.is_last ? ReduceKind::Max : ReduceKind::Min;
  const ValueId place = node.add_step("place", reduction(in, extreme, axes), {places});
  const ValueId offset = node.scalar_value("offset", search.is_last ? -1.0F : static_cast<float>(search.count), place);
  if (node.attributes().get_int("keepdims", 1) != 0) return node.make(Sum{}, {place, offset});
  std::vector<index_t> dims = dims_of(in);
  dims.erase(dims.begin() + search.dim);
  if (dims.empty()) dims = {1};
  node.make_with_dims(node.add_step("indices", Sum{}, {place, offset}), dims);
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"ArgMax", read_arg},
    {"ArgMin", read_arg},
};

}  // namespace

std::span<const OperatorRow> arg_operators() { return rows; }

}  // namespace parconv
