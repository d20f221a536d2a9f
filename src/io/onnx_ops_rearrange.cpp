// Reshape, Flatten, Squeeze, Unsqueeze, Transpose, DepthToSpace, SpaceToDepth: elements in another order or shape. None makes a
// node: it makes the chain of its input longer, and whoever reads the end of a chain gets it in one move.
#include <algorithm>
#include <numeric>
#include <optional>

#include "io/onnx_ops.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"
#include "parconv/io/constants.hpp"

namespace parconv {
namespace {

using Ints = std::vector<index_t>;
using Perm = std::vector<int>;

index_t product(const NodeReader& node, std::span<const index_t> dims) { return checked_product(dims, node.label().c_str()); }

void check_dims(NodeReader& node, const Ints& in, const Ints& dims) {
  for (const index_t dim : dims)
    if (dim < 1) node.refuse(concat("the result has dimensions ", dims_string(dims), ", each must be at least 1"));
  if (product(node, in) != product(node, dims))
    node.refuse(concat("cannot make ", dims_string(dims), " of an input of ", dims_string(in)),
                "a fixed batch size in the model's Reshape may be the cause; export it with a symbolic batch");
}

void set_chain(NodeReader& node, Chain chain) {
  chain.node = node.name();
  node.network().set_chain(node.output_name(), std::move(chain));
}

/// Gives input 0 the dimensions `dims`.
void make_reshape(NodeReader& node, const Ints& dims) {
  check_dims(node, node.dims(0), dims);
  NetworkBuilder& network = node.network();
  if (const OnnxConstant* constant = network.find_constant(node.input_name(0))) {
    OnnxConstant copy = *constant;
    copy.dims = dims;
    return network.set_constant(node.output_name(), std::move(copy));
  }
  set_chain(node, network.reshaped_chain(node.input_name(0), dims));
}

/// Where the elements of a transposed tensor of `dims` were.
Ints transposed_places(const Ints& dims, const Perm& perm) {
  Ints strides(dims.size(), 1);
  for (std::size_t k = dims.size(); k-- > 1;) strides[k - 1] = strides[k] * dims[k];
  Ints places{0};
  for (const int k : perm) {
    Ints next;
    for (const index_t place : places)
      for (index_t at = 0; at < dims[static_cast<std::size_t>(k)]; ++at)
        next.push_back(place + at * strides[static_cast<std::size_t>(k)]);
    places = std::move(next);
  }
  return places;
}

OnnxConstant transposed_constant(const OnnxConstant& from, const Perm& perm) {
  OnnxConstant result = from;
  for (std::size_t k = 0; k < perm.size(); ++k) result.dims[k] = from.dims[static_cast<std::size_t>(perm[k])];
  if (from.data.is_fill) return result;
  const Ints places = transposed_places(from.dims, perm);
  const auto picked = [&](const auto& elements) {
    std::decay_t<decltype(elements)> list;
    for (const index_t place : places) list.push_back(elements[static_cast<std::size_t>(place)]);
    return list;
  };
  if (!from.integers.empty()) return integer_constant(picked(from.integers), result.dims);
  return float_constant(picked(read_constant(from.data)), result.dims);
}

/// Attribute perm; left out, it reverses the dimensions.
Perm read_perm(NodeReader& node, std::size_t ndims) {
  Perm perm(ndims);
  std::iota(perm.rbegin(), perm.rend(), 0);
  if (!node.attributes().has("perm")) return perm;
  const Ints stated = node.attributes().get_ints("perm");
  Ints sorted = stated, expected(ndims);
  std::sort(sorted.begin(), sorted.end());
  std::iota(expected.begin(), expected.end(), index_t{0});
  if (sorted != expected)
    node.refuse(concat("attribute perm is ", dims_string(stated), ", which is no order of ", ndims, " dimensions"));
  std::transform(stated.begin(), stated.end(), perm.begin(), [](index_t axis) { return static_cast<int>(axis); });
  return perm;
}

/// Input 0 seen as `parts`, transposed, and seen as `dims`.
void make_moved(NodeReader& node, const Ints& parts, const Perm& perm, const Ints& dims) {
  Chain chain = node.network().reshaped_chain(node.input_name(0), parts);
  chain.moves = reshaped(transposed(chain.moves, perm), dims).value();
  set_chain(node, std::move(chain));
}

/// The dimensions of an image, and the size of the blocks that it is cut into.
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

/// Replaces 0 by the input's dimension and the model's fixed batch by the data's.
void fill_in(NodeReader& node, const Ints& in, Ints& target) {
  const bool keeps_zeros = node.attributes().get_int("allowzero", 0) != 0;
  const ReadContext& context = node.context();
  for (std::size_t k = 0; k < target.size(); ++k) {
    if (target[k] < -1 || (target[k] == 0 && (keeps_zeros || k >= in.size())))
      node.refuse(concat("the target shape ", dims_string(target), " has an impossible entry ", target[k]));
    if (target[k] == 0) target[k] = in[k];
  }
  const bool is_batch =
      context.model_batch > 0 && !target.empty() && !in.empty() && target[0] == context.model_batch && in[0] == context.batch;
  if (is_batch) target[0] = context.batch;
}

/// Replaces -1 by what is left of the elements.
void infer(const NodeReader& node, index_t elems, Ints& target) {
  const auto unknown = std::find(target.begin(), target.end(), -1);
  if (unknown == target.end()) return;
  const std::string stated = dims_string(target);
  if (std::find(unknown + 1, target.end(), -1) != target.end())
    node.refuse(concat("the target shape ", stated, " has more than one -1"));
  *unknown = 1;
  const index_t others = product(node, target);
  if (others == 0 || elems % others != 0) node.refuse(concat("cannot bring ", elems, " elements into the shape ", stated));
  *unknown = elems / others;
}

/// The axes of a Squeeze or Unsqueeze: an attribute, from operator set 13 on an input; nothing if they are left out.
std::optional<Ints> read_axes(NodeReader& node) {
  if (node.opset() >= 13) {
    node.expect_inputs(1, 2);
    return node.has_input(1) ? std::optional(node.integers(1, "the axes")) : std::nullopt;
  }
  node.expect_inputs(1, 1);
  return node.attributes().has("axes") ? std::optional(node.attributes().get_ints("axes")) : std::nullopt;
}

/// Which of `ndims` dimensions `axes` name, each once.
std::vector<bool> marked_axes(NodeReader& node, const Ints& axes, std::size_t ndims) {
  std::vector<bool> is_marked(ndims, false);
  for (const index_t axis : axes) {
    const auto place = static_cast<std::size_t>(checked_axis(node, axis, static_cast<int>(ndims)));
    if (is_marked[place]) node.refuse(concat("names axis ", axis, " twice"));
    is_marked[place] = true;
  }
  return is_marked;
}

}  // namespace

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
  if (!axes) node.refuse("states no axes");
  const Ints in = node.dims(0);
  Ints dims;
  auto old = in.begin();
  for (const bool is_new : marked_axes(node, *axes, in.size() + axes->size())) dims.push_back(is_new ? 1 : *old++);
  make_reshape(node, dims);
}

void read_transpose(NodeReader& node) {
  node.expect_inputs(1, 1);
  const Perm perm = read_perm(node, node.dims(0).size());
  NetworkBuilder& network = node.network();
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
    node.refuse(concat(c, " channels are no multiple of ", size, " x ", size, " (attribute blocksize)"));
  const index_t rest = c / size / size;
  const Ints dims{n, rest, h * size, w * size};
  if (mode == "DCR") return make_moved(node, {n, size, size, rest, h, w}, {0, 3, 4, 1, 5, 2}, dims);
  make_moved(node, {n, rest, size, size, h, w}, {0, 1, 4, 2, 5, 3}, dims);
}

void read_space_to_depth(NodeReader& node) {
  const auto [n, c, h, w, size] = read_blocks(node);
  if (h % size != 0 || w % size != 0)
    node.refuse(concat(h, " x ", w, " pixels are no multiple of ", size, " x ", size, " (attribute blocksize)"));
  const index_t rows = h / size, columns = w / size;
  make_moved(node, {n, c, rows, size, columns, size}, {0, 3, 5, 1, 2, 4}, {n, c * size * size, rows, columns});
}

}  // namespace parconv
