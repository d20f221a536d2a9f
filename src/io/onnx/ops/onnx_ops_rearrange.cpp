// SPDX-License-Identifier: Apache-2.0
// Reshape, Flatten, Squeeze, Unsqueeze, Transpose, DepthToSpace and SpaceToDepth. None adds a node: each extends the chain of
// its input, and a reader of the chain gets all of it in one Rearrange.
#include <algorithm>
#include <numeric>
#include <optional>

#include "io/onnx/constants/constant_tensor.hpp"
#include "io/onnx/ops/onnx_ops.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"
#include "parconv/io/constants.hpp"

namespace parconv {
namespace {

using Ints = std::vector<index_t>;
using Perm = std::vector<int>;

index_t product(const NodeReader& node, std::span<const index_t> dims) { return checked_product(dims, node.label().c_str()); }

void check_dims(NodeReader& node, const Ints& in, const Ints& dims) {
  const index_t least = node.is_constant(0) ? 0 : 1;
  for (const index_t dim : dims)
    if (dim < least) node.refuse(concat("the result has dimensions ", dims_string(dims), ", each must be at least ", least));
  if (product(node, in) != product(node, dims))
    node.refuse(concat("cannot reshape an input of ", dims_string(in), " to ", dims_string(dims)),
                "a fixed batch size in the model's Reshape may be the cause; export it with a symbolic batch");
}

void set_chain(NodeReader& node, Chain chain) {
  chain.node = node.name();
  node.network().set_chain(node.output_name(), std::move(chain));
}

/// Reshapes input 0 to `dims`.
void make_reshape(NodeReader& node, const Ints& dims) {
  check_dims(node, node.dims(0), dims);
  OnnxNetworkBuilder& network = node.network();
  if (const OnnxConstant* constant = network.find_constant(node.input_name(0))) {
    OnnxConstant copy = *constant;
    copy.dims = dims;
    return network.set_constant(node.output_name(), std::move(copy));
  }
  set_chain(node, network.reshaped_chain(node.input_name(0), dims));
}

OnnxConstant transposed_constant(const OnnxConstant& from, const Perm& perm) {
  OnnxConstant result = from;
  for (std::size_t k = 0; k < perm.size(); ++k) result.dims[k] = from.dims[static_cast<std::size_t>(perm[k])];
  if (from.data.is_fill) return result;
  const Ints indices = transposed_sources(from.dims, {perm.begin(), perm.end()});
  const auto picked = [&](const auto& elements) {
    std::decay_t<decltype(elements)> list;
    for (const index_t index : indices) list.push_back(elements[static_cast<std::size_t>(index)]);
    return list;
  };
  if (!from.integers.empty()) return integer_constant(picked(from.integers), result.dims);
  return float_constant(picked(read_constant(from.data)), result.dims);
}

/// Attribute perm; by default it reverses the dimensions.
Perm read_perm(NodeReader& node, std::size_t ndims) {
  Perm perm(ndims);
  std::iota(perm.rbegin(), perm.rend(), 0);
  if (!node.attributes().has("perm")) return perm;
  const Ints stated = node.attributes().get_ints("perm");
  Ints sorted = stated, expected(ndims);
  std::sort(sorted.begin(), sorted.end());
  std::iota(expected.begin(), expected.end(), index_t{0});
  if (sorted != expected)
    node.refuse(concat("attribute perm is ", dims_string(stated), ", which is not a permutation of ", ndims, " dimensions"));
  std::transform(stated.begin(), stated.end(), perm.begin(), [](index_t axis) { return static_cast<int>(axis); });
  return perm;
}

/// Input 0 reshaped to `parts`, transposed, and reshaped to `dims`.
void make_moved(NodeReader& node, const Ints& parts, const Perm& perm, const Ints& dims) {
  Chain chain = node.network().reshaped_chain(node.input_name(0), parts);
  chain.moves = reshaped(transposed(chain.moves, perm), dims).value();
  set_chain(node, std::move(chain));
}

/// Dimensions of an image and its block size.
struct Blocks {
  index_t n = 1, c = 1, h = 1, w = 1;
  index_t size = 1;
};

Blocks read_blocks(NodeReader& node) {
  node.expect_inputs(1, 1);
  const Ints in = node.dims(0);
  if (in.size() != 4) node.refuse(concat("its input has ", in.size(), " dimensions, expected 4"));
  if (node.is_constant(0)) node.refuse("its input is a constant", "simplify the model when it is exported");
  const index_t size = node.attributes().get_int("blocksize", 0);
  if (size < 1 || size > (index_t{1} << 30)) node.refuse(concat("attribute blocksize is ", size, ", must be 1 to 2^30"));
  return {.n = in[0], .c = in[1], .h = in[2], .w = in[3], .size = size};
}

/// Replaces 0 by the input's dimension, and the batch fixed by the model by that of the data.
void fill_in(NodeReader& node, const Ints& in, Ints& target) {
  const bool keeps_zeros = node.attributes().get_int("allowzero", 0) != 0;
  const ReadContext& context = node.context();
  for (std::size_t k = 0; k < target.size(); ++k) {
    if (target[k] < -1 || (target[k] == 0 && (keeps_zeros || k >= in.size())))
      node.refuse(concat("the target shape ", dims_string(target), " has the invalid entry ", target[k]));
    if (target[k] == 0) target[k] = in[k];
  }
  const bool is_batch =
      context.model_batch > 0 && !target.empty() && !in.empty() && target[0] == context.model_batch && in[0] == context.batch;
  if (is_batch) target[0] = context.batch;
}

/// Replaces -1 by the inferred dimension.
void infer(const NodeReader& node, index_t elems, Ints& target) {
  const auto unknown = std::find(target.begin(), target.end(), -1);
  if (unknown == target.end()) return;
  const std::string stated = dims_string(target);
  if (std::find(unknown + 1, target.end(), -1) != target.end())
    node.refuse(concat("the target shape ", stated, " has more than one -1"));
  *unknown = 1;
  const index_t others = product(node, target);
  if (others == 0 || elems % others != 0) node.refuse(concat("cannot reshape ", elems, " elements to ", stated));
  *unknown = elems / others;
}

/// The axes of a Squeeze or Unsqueeze: an attribute, an input from opset 13 on; none if omitted.
std::optional<Ints> read_axes(NodeReader& node) {
  if (node.opset() >= 13) {
    node.expect_inputs(1, 2);
    return node.has_input(1) ? std::optional(node.integers(1, "the axes")) : std::nullopt;
  }
  node.expect_inputs(1, 1);
  return node.attributes().has("axes") ? std::optional(node.attributes().get_ints("axes")) : std::nullopt;
}

/// Mask of the `ndims` dimensions listed in `axes`, each at most once.
std::vector<bool> marked_axes(NodeReader& node, const Ints& axes, std::size_t ndims) {
  std::vector<bool> is_marked(ndims, false);
  for (const index_t axis : axes) {
    const auto dim = static_cast<std::size_t>(checked_axis(node, axis, static_cast<int>(ndims)));
    if (is_marked[dim]) node.refuse(concat("names axis ", axis, " twice"));
    is_marked[dim] = true;
  }
  return is_marked;
}

void read_flatten(NodeReader& node) {
  node.expect_inputs(1, 1);
  const Ints in = node.dims(0);
  const auto ndims = static_cast<int>(in.size());
  const index_t axis = node.attributes().get_int("axis", 1);
  const int split = axis == ndims ? ndims : checked_axis(node, axis, ndims);
  const std::span<const index_t> all(in);
  make_reshape(node, {product(node, all.first(static_cast<std::size_t>(split))),
                      product(node, all.subspan(static_cast<std::size_t>(split)))});
}

void read_reshape(NodeReader& node) {
  node.expect_inputs(2, 2);
  const Ints in = node.dims(0);
  Ints target = node.integers(1, "the target shape");
  fill_in(node, in, target);
  infer(node, product(node, in), target);
  make_reshape(node, target);
}

void read_squeeze(NodeReader& node) {
  const std::optional<Ints> axes = read_axes(node);
  const Ints in = node.dims(0);
  const std::vector<bool> is_marked = marked_axes(node, axes.value_or(Ints{}), in.size());
  Ints dims;
  for (std::size_t k = 0; k < in.size(); ++k) {
    if (is_marked[k] && in[k] != 1) node.refuse(concat("cannot drop axis ", k, " of ", dims_string(in)));
    const bool is_dropped = axes ? is_marked[k] : in[k] == 1;
    if (!is_dropped) dims.push_back(in[k]);
  }
  make_reshape(node, dims);
}

void read_unsqueeze(NodeReader& node) {
  const std::optional<Ints> axes = read_axes(node);
  if (!axes) node.refuse("has no axes");
  const Ints in = node.dims(0);
  Ints dims;
  auto old = in.begin();
  for (const bool is_new : marked_axes(node, *axes, in.size() + axes->size())) dims.push_back(is_new ? 1 : *old++);
  make_reshape(node, dims);
}

void read_transpose(NodeReader& node) {
  node.expect_inputs(1, 1);
  const Perm perm = read_perm(node, node.dims(0).size());
  OnnxNetworkBuilder& network = node.network();
  if (const OnnxConstant* constant = network.find_constant(node.input_name(0)))
    return network.set_constant(node.output_name(), transposed_constant(*constant, perm));
  Chain chain = network.chain(node.input_name(0));
  chain.moves = transposed(chain.moves, perm);
  set_chain(node, std::move(chain));
}

void read_depth_to_space(NodeReader& node) {
  const auto [n, c, h, w, size] = read_blocks(node);
  const std::string mode = node.attributes().get_string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") node.refuse(concat("attribute mode is '", mode, "', expected DCR or CRD"));
  if (c % (size * size) != 0)
    node.refuse(concat(c, " channels are not a multiple of ", size, " x ", size, " (attribute blocksize)"));
  const index_t rest = c / size / size;
  const Ints dims{n, rest, h * size, w * size};
  if (mode == "DCR") return make_moved(node, {n, size, size, rest, h, w}, {0, 3, 4, 1, 5, 2}, dims);
  make_moved(node, {n, rest, size, size, h, w}, {0, 1, 4, 2, 5, 3}, dims);
}

void read_space_to_depth(NodeReader& node) {
  const auto [n, c, h, w, size] = read_blocks(node);
  if (h % size != 0 || w % size != 0)
    node.refuse(concat(h, " x ", w, " pixels are not a multiple of ", size, " x ", size, " (attribute blocksize)"));
  const index_t rows = h / size, columns = w / size;
  make_moved(node, {n, c, rows, size, columns, size}, {0, 3, 5, 1, 2, 4}, {n, c * size * size, rows, columns});
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"DepthToSpace", read_depth_to_space, 1}, {"Flatten", read_flatten, 1}, {"Reshape", read_reshape},
    {"SpaceToDepth", read_space_to_depth, 1}, {"Squeeze", read_squeeze, 1}, {"Transpose", read_transpose, 1},
    {"Unsqueeze", read_unsqueeze, 1},
};

}  // namespace

std::span<const OperatorRow> rearrange_operators() { return rows; }

}  // namespace parconv
