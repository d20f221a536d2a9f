// Concat, Flatten, Reshape and Softmax: operators whose axes matter.
#include <algorithm>

#include "io/onnx_ops.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

index_t product(const NodeReader& node, std::span<const index_t> dims) { return checked_product(dims, node.label().c_str()); }

/// A Reshape back to what a Reshape began with is a copy.
void make_reshape_node(NodeReader& node, const Shape& out) {
  const ValueId x = node.value(0);
  const std::optional<ValueId> source = node.network().find_reshaped(x);
  if (source && node.network().shape(*source) == out) return node.make(Elementwise{}, {*source});
  node.make(Reshape{}, {x}, out);
}

/// Gives input 0 the dimensions `dims`: a constant or a flattening needs no node.
void make_reshape(NodeReader& node, const std::vector<index_t>& dims) {
  const Shape in = node.shape(0);
  const Shape out = shape_from_dims(dims, concat(node.label(), ": the result"));
  NetworkBuilder& network = node.network();
  if (volume(in.extents) != volume(out.extents))
    node.refuse(concat("cannot make ", dims_string(dims), " of an input of ", dims_string(dims_of(in))),
                "a fixed batch size in the model's Reshape may be the cause; export it with a symbolic batch");
  if (const OnnxConstant* constant = network.find_constant(node.input_name(0))) {
    OnnxConstant copy = *constant;
    copy.dims = dims;
    return network.set_constant(node.output_name(), std::move(copy));
  }
  const bool is_flattening = out.ndims == 2 && out.extents[Axis::N] == in.extents[Axis::N];
  if (!is_flattening) return make_reshape_node(node, out);
  const std::optional<ValueId> source = network.find_flattening(node.input_name(0));
  network.set_flattening(node.output_name(), source ? *source : node.value(0));
}

/// Replaces 0 by the input's dimension and the model's fixed batch by the data's.
void fill_in(NodeReader& node, const std::vector<index_t>& in, std::vector<index_t>& target) {
  const bool keeps_zeros = node.attributes().get_int("allowzero", 0) != 0;
  const ReadContext& context = node.context();
  for (std::size_t k = 0; k < target.size(); ++k) {
    if (target[k] < -1 || (target[k] == 0 && (keeps_zeros || k >= in.size())))
      node.refuse(concat("the target shape ", dims_string(target), " has an impossible entry ", target[k]));
    if (target[k] == 0) target[k] = in[k];
  }
  const bool is_batch = context.model_batch > 0 && !target.empty() && target[0] == context.model_batch && in[0] == context.batch;
  if (is_batch) target[0] = context.batch;
}

/// Replaces -1 by what is left of the elements.
void infer(const NodeReader& node, index_t elems, std::vector<index_t>& target) {
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

void make_softmax(NodeReader& node, bool is_logarithm) {
  node.expect_inputs(1, 1);
  const int ndims = node.shape(0).ndims;
  const bool is_coerced = node.opset() < 13;  // to a matrix: all axes from `axis` on
  const int first = checked_axis(node, node.attributes().get_int("axis", is_coerced ? 1 : -1), ndims);
  Softmax softmax{.is_logarithm = is_logarithm};
  for (int k = first; k < (is_coerced ? ndims : first + 1); ++k)
    softmax.axes[static_cast<std::size_t>(axis_of(node, k, ndims))] = true;
  node.make(softmax, {node.value(0)});
}

}  // namespace

void read_concat(NodeReader& node) {
  node.expect_inputs(1, std::max<std::size_t>(node.num_inputs(), 1));
  const int ndims = node.shape(0).ndims;
  if (!node.attributes().has("axis")) node.refuse("attribute axis is missing");
  const index_t axis = node.attributes().get_int("axis", 1);
  if (checked_axis(node, axis, ndims) != 1)
    node.refuse(concat("attribute axis is ", axis, "; only channels (axis 1) can be joined"));
  std::vector<ValueId> inputs;
  for (std::size_t k = 0; k < node.num_inputs(); ++k) {
    if (!node.has_input(k)) node.refuse(concat("input ", k, " is missing"));
    if (node.shape(k).ndims != ndims) node.refuse(concat("joins inputs of ", ndims, " and ", node.shape(k).ndims, " dimensions"));
    inputs.push_back(node.value(k));
  }
  node.make(Concat{}, std::move(inputs));
}

void read_flatten(NodeReader& node) {
  node.expect_inputs(1, 1);
  const std::vector<index_t> in = dims_of(node.shape(0));
  const auto ndims = static_cast<int>(in.size());
  const index_t axis = node.attributes().get_int("axis", 1);
  const int split = axis == ndims ? ndims : checked_axis(node, axis, ndims);
  const std::span<const index_t> all(in);
  make_reshape(node, {product(node, all.first(static_cast<std::size_t>(split))),
                      product(node, all.subspan(static_cast<std::size_t>(split)))});
}

void read_reshape(NodeReader& node) {
  node.expect_inputs(2, 2);
  const std::vector<index_t> in = dims_of(node.shape(0));
  std::vector<index_t> target = node.integers(1, "the target shape");
  fill_in(node, in, target);
  infer(node, product(node, in), target);
  make_reshape(node, target);
}

void read_softmax(NodeReader& node) { make_softmax(node, false); }

void read_log_softmax(NodeReader& node) { make_softmax(node, true); }

}  // namespace parconv
