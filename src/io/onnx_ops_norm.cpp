// ReduceMean, InstanceNormalization, GroupNormalization and LayerNormalization, made of sums per row, means and functions of two
// inputs, so that statistics are those of the whole tensor however it is split.
#include <algorithm>
#include <numeric>

#include "io/onnx_ops.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"
#include "parconv/io/constants.hpp"

namespace parconv {
namespace {

ValueId add_step(NodeReader& node, const char* suffix, Operator op, std::vector<ValueId> inputs, Finish finish = {}) {
  const std::string name = node.network().fresh_name(concat(node.output_name(), ".", suffix));
  return node.network().add_node({.name = name, .op = std::move(op), .inputs = std::move(inputs), .finish = std::move(finish)},
                                 name);
}

index_t elems_of_channel(const Shape& shape) {
  const index_t plane = checked_mul(shape.extents[Axis::H], shape.extents[Axis::W], "elements of a channel");
  return checked_mul(shape.extents[Axis::D], plane, "elements of a channel");
}

/// One number per sample and channel.
ValueId mean_over_space(NodeReader& node, const char* suffix, ValueId x) {
  const index_t count = elems_of_channel(node.network().shape(x));
  return add_step(node, suffix, RowsMean{.count = count}, {add_step(node, "rows", RowSum{}, {x})});
}

/// The mean over the channels of each group for all of its channels: a 1x1 convolution in groups whose weights are all 1 / size.
ValueId mean_over_groups(NodeReader& node, const char* suffix, ValueId x, index_t groups) {
  const index_t channels = node.network().shape(x).extents[Axis::C];
  const index_t size = channels / groups;
  if (size == 1) return x;
  Conv conv{.groups = groups};
  conv.filter = {.data = {.is_fill = true,
                          .fill = 1.0F / static_cast<float>(size),
                          .count = checked_mul(channels, size, "weights of a mean over channels")},
                 .oc = channels,
                 .ic_per_group = size,
                 .strides = {size, 1, 1, 1, 1}};
  return add_step(node, suffix, std::move(conv), {x});
}

/// x - mean, and 1 / sqrt(variance + epsilon), over the space of each group of channels.
struct Statistics {
  ValueId difference = 0;
  ValueId factor = 0;
};

Statistics statistics_of(NodeReader& node, ValueId x, index_t groups, float epsilon) {
  const ValueId mean = mean_over_groups(node, "mean", mean_over_space(node, "means", x), groups);
  const ValueId difference = add_step(node, "difference", Binary{BinaryKind::Sub}, {x, mean});
  const ValueId square = add_step(node, "square", Binary{BinaryKind::Mul}, {difference, difference});
  const ValueId variance = mean_over_groups(node, "variance", mean_over_space(node, "variances", square), groups);
  const Finish root{.activation = {.kind = ActivationKind::InverseRoot, .alpha = epsilon}};
  return {.difference = difference, .factor = add_step(node, "factor", Elementwise{}, {variance}, root)};
}

ValueId channel_constant(NodeReader& node, const char* suffix, std::vector<float> values, int ndims) {
  OnnxConstant constant{.dims = std::vector<index_t>(static_cast<std::size_t>(ndims), 1)};
  constant.dims[1] = std::ssize(values);
  constant.data.count = std::ssize(values);
  constant.data.values = std::make_shared<const std::vector<float>>(std::move(values));
  return node.network().add_constant(node.network().fresh_name(concat(node.output_name(), ".", suffix)), constant, ndims,
                                     node.label());
}

/// What a normalisation does after its statistics are known: one factor and one term per channel.
struct Affine {
  std::vector<float> scale{};
  std::vector<float> bias{};
};

/// The factor meets the small tensor of roots, so that the large one is multiplied once.
Node normalisation(NodeReader& node, const Statistics& statistics, Affine affine) {
  ValueId factor = statistics.factor;
  const bool is_scaled = std::any_of(affine.scale.begin(), affine.scale.end(), [](float scale) { return scale != 1.0F; });
  if (is_scaled) {
    const int ndims = node.network().shape(factor).ndims;
    const ValueId scale = channel_constant(node, "scale", std::move(affine.scale), ndims);
    factor = add_step(node, "scaled", Binary{BinaryKind::Mul}, {factor, scale});
  }
  return {.name = node.name(),
          .op = Binary{BinaryKind::Mul},
          .inputs = {statistics.difference, factor},
          .finish = {.bias = std::move(affine.bias)}};
}

/// Each number `times` times in a row.
std::vector<float> repeated(const std::vector<float>& values, index_t times) {
  std::vector<float> result;
  for (const float value : values) result.insert(result.end(), static_cast<std::size_t>(times), value);
  return result;
}

void expect_channels(const NodeReader& node, const Shape& in) {
  if (in.ndims < 3) node.refuse(concat("its input has ", in.ndims, " dimensions, expected at least 3"));
}

/// The axes of a ReduceMean: an attribute, from operator set 18 on an input. None means all.
std::vector<index_t> reduced_axes(NodeReader& node) {
  if (node.opset() < 18) {
    node.expect_inputs(1, 1);
    return node.attributes().get_ints("axes");
  }
  node.expect_inputs(1, 2);
  node.attributes().ignore("noop_with_empty_axes");
  return node.has_input(1) ? node.integers(1, "the axes") : std::vector<index_t>{};
}

void expect_space(const NodeReader& node, const std::vector<index_t>& axes, int ndims) {
  std::vector<int> found;
  for (const index_t axis : axes) found.push_back(checked_axis(node, axis, ndims));
  std::sort(found.begin(), found.end());
  std::vector<int> space(static_cast<std::size_t>(std::max(ndims - 2, 0)));
  std::iota(space.begin(), space.end(), 2);
  if (found != space || space.empty())
    node.refuse(
        concat("its axes are ", dims_string(axes), "; only the mean over all of space (all axes from 2 on) is supported"));
}

/// An InstanceNormalization of channels that a Reshape joined is a GroupNormalization of what was reshaped: the form in which
/// exporters write groups before operator set 18. Example: (n, 32, h, w) seen as (n, 8, 4 * h * w).
std::optional<ValueId> joined_channels(NodeReader& node) {
  const Chain* chain = node.network().find_chain(node.input_name(0));
  if (chain == nullptr || !keeps_order(chain->moves)) return std::nullopt;
  const Shape from = node.network().shape(chain->source), to = node.shape(0);
  const bool keeps_groups =
      from.ndims >= 3 && from.extents[Axis::N] == to.extents[Axis::N] && from.extents[Axis::C] % to.extents[Axis::C] == 0;
  return keeps_groups ? std::optional(chain->source) : std::nullopt;
}

}  // namespace

void read_reduce_mean(NodeReader& node) {
  const std::vector<index_t> axes = reduced_axes(node);
  expect_space(node, axes, node.shape(0).ndims);
  if (node.attributes().get_int("keepdims", 1) == 0) {
    const ValueId mean = mean_over_space(node, "mean", node.value(0));
    return node.network().set_flattening(node.output_name(), mean);
  }
  const ValueId rows = add_step(node, "rows", RowSum{}, {node.value(0)});
  node.make(RowsMean{.count = elems_of_channel(node.shape(0))}, {rows});
}

void read_instance_normalization(NodeReader& node) {
  node.expect_inputs(3, 3);
  const Shape in = node.shape(0);
  expect_channels(node, in);
  const index_t channels = in.extents[Axis::C];
  const float epsilon = node.attributes().get_float("epsilon", 1e-5F);
  Affine affine{.scale = node.constant_values(1, "scale", channels), .bias = node.constant_values(2, "bias", channels)};
  const std::optional<ValueId> joined = joined_channels(node);
  if (!joined) {
    Node last = normalisation(node, statistics_of(node, node.value(0), channels, epsilon), std::move(affine));
    node.network().add_node(std::move(last), node.output_name());
    return;
  }
  const index_t size = node.network().shape(*joined).extents[Axis::C] / channels;
  affine = {.scale = repeated(affine.scale, size), .bias = repeated(affine.bias, size)};
  Node last = normalisation(node, statistics_of(node, *joined, channels, epsilon), std::move(affine));
  last.name = node.network().fresh_name(concat(node.output_name(), ".groups"));
  const std::string name = last.name;
  const ValueId normal = node.network().add_node(std::move(last), name);
  node.network().set_chain(node.output_name(), {.source = normal, .moves = in_order(dims_of(in)), .node = node.name()});
}

void read_group_normalization(NodeReader& node) {
  node.expect_inputs(3, 3);
  const Shape in = node.shape(0);
  expect_channels(node, in);
  const index_t channels = in.extents[Axis::C];
  const index_t groups = node.attributes().get_int("num_groups", 0);
  if (groups < 1 || channels % groups != 0)
    node.refuse(concat("attribute num_groups is ", groups, ", which does not divide ", channels, " channels"));
  node.attributes().ignore("stash_type");
  const bool is_per_group = node.opset() < 21;
  const index_t count = is_per_group ? groups : channels;
  const index_t times = channels / count;
  Affine affine{.scale = repeated(node.constant_values(1, "scale", count), times),
                .bias = repeated(node.constant_values(2, "bias", count), times)};
  const float epsilon = node.attributes().get_float("epsilon", 1e-5F);
  Node last = normalisation(node, statistics_of(node, node.value(0), groups, epsilon), std::move(affine));
  node.network().add_node(std::move(last), node.output_name());
}

void read_layer_normalization(NodeReader& node) {
  node.expect_inputs(2, 3);
  node.expect_one_output();
  const int ndims = node.shape(0).ndims;
  if (checked_axis(node, node.attributes().get_int("axis", -1), ndims) != 1)
    node.refuse("only the normalisation of whole samples (axis 1) is supported");
  node.attributes().ignore("stash_type");
  const float epsilon = node.attributes().get_float("epsilon", 1e-5F);
  const Statistics statistics = statistics_of(node, node.value(0), 1, epsilon);
  node.constant(1, "scale");
  const ValueId normal = add_step(node, "normal", Binary{BinaryKind::Mul}, {statistics.difference, statistics.factor});
  const ValueId scale = node.network().constant_value(node.input_name(1), ndims, node.label());
  if (!node.has_input(2)) return node.make(Binary{BinaryKind::Mul}, {normal, scale});
  node.constant(2, "bias");
  const ValueId scaled = add_step(node, "scaled", Binary{BinaryKind::Mul}, {normal, scale});
  node.make(Sum{}, {scaled, node.network().constant_value(node.input_name(2), ndims, node.label())});
}

}  // namespace parconv
