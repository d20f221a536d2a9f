// SPDX-License-Identifier: Apache-2.0
// InstanceNormalization, GroupNormalization and LayerNormalization, lowered to row sums, means and binary functions, so that
// statistics are global under every split.
#include <algorithm>

#include "io/onnx/ops/onnx_ops.hpp"
#include "io/onnx/ops/onnx_reduction.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"
#include "parconv/io/constants.hpp"

namespace parconv {
namespace {

/// Mean over the channels of each group, broadcast to all its channels: a grouped 1x1 convolution with weights 1 / size.
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
  return node.add_step(suffix, std::move(conv), {x});
}

/// x - mean and 1 / sqrt(variance + epsilon), over the spatial axes of each channel group.
struct Statistics {
  ValueId mean = 0;
  ValueId difference = 0;
  ValueId factor = 0;
};

/// `mean_of(suffix, value)` appends the mean.
template <class MeanOf>
Statistics statistics_of(NodeReader& node, ValueId x, float epsilon, MeanOf&& mean_of) {
  const ValueId mean = mean_of("mean", x);
  const ValueId difference = node.add_step("difference", Binary{BinaryKind::Sub}, {x, mean});
  const ValueId square = node.add_step("square", Binary{BinaryKind::Mul}, {difference, difference});
  const ValueId variance = mean_of("variance", square);
  const Epilogue root{.activation = {.kind = ActivationKind::InverseRoot, .alpha = epsilon}};
  return {.mean = mean, .difference = difference, .factor = node.add_step("factor", Elementwise{}, {variance}, root)};
}

Statistics statistics_of_groups(NodeReader& node, ValueId x, index_t groups, float epsilon) {
  return statistics_of(node, x, epsilon, [&](const char* suffix, ValueId value) {
    return mean_over_groups(node, suffix, add_mean(node, suffix, value, space), groups);
  });
}

ValueId channel_constant(NodeReader& node, const char* suffix, std::vector<float> values, int ndims) {
  OnnxConstant constant{.dims = std::vector<index_t>(static_cast<std::size_t>(ndims), 1)};
  constant.dims[1] = std::ssize(values);
  constant.data.count = std::ssize(values);
  constant.data.values = std::make_shared<const std::vector<float>>(std::move(values));
  return node.network().add_constant(node.network().fresh_name(concat(node.output_name(), ".", suffix)), constant, ndims,
                                     node.label());
}

/// Per-channel affine transform after normalisation.
struct Affine {
  std::vector<float> scale{};
  std::vector<float> bias{};
};

/// The scale multiplies the small tensor of inverse roots, so that the large tensor is multiplied once.
Node normalisation(NodeReader& node, const Statistics& statistics, Affine affine) {
  ValueId factor = statistics.factor;
  const bool is_scaled = std::any_of(affine.scale.begin(), affine.scale.end(), [](float scale) { return scale != 1.0F; });
  if (is_scaled) {
    const int ndims = node.network().shape(factor).ndims;
    const ValueId scale = channel_constant(node, "scale", std::move(affine.scale), ndims);
    factor = node.add_step("scaled", Binary{BinaryKind::Mul}, {factor, scale});
  }
  return {.name = node.name(),
          .op = Binary{BinaryKind::Mul},
          .inputs = {statistics.difference, factor},
          .epilogue = {.bias = std::move(affine.bias)}};
}

/// Each value repeated `times` times consecutively.
std::vector<float> repeated(const std::vector<float>& values, index_t times) {
  std::vector<float> result;
  for (const float value : values) result.insert(result.end(), static_cast<std::size_t>(times), value);
  return result;
}

void expect_channels(const NodeReader& node, const Shape& in) {
  if (in.ndims < 3) node.refuse(concat("its input has ", in.ndims, " dimensions, expected at least 3"));
}

/// Recognises GroupNormalization written as InstanceNormalization of reshaped channels, as exporters do before opset 18.
/// Example: (n, 32, h, w) seen as (n, 8, 4 * h * w).
std::optional<ValueId> joined_channels(NodeReader& node) {
  const Chain* chain = node.network().find_chain(node.input_name(0));
  if (chain == nullptr || !keeps_order(chain->moves)) return std::nullopt;
  const Shape from = node.network().shape(chain->source), to = node.shape(0);
  const bool keeps_groups =
      from.ndims >= 3 && from.extents[Axis::N] == to.extents[Axis::N] && from.extents[Axis::C] % to.extents[Axis::C] == 0;
  return keeps_groups ? std::optional(chain->source) : std::nullopt;
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
    Node last = normalisation(node, statistics_of_groups(node, node.value(0), channels, epsilon), std::move(affine));
    node.network().add_node(std::move(last), node.output_name());
    return;
  }
  const index_t size = node.network().shape(*joined).extents[Axis::C] / channels;
  affine = {.scale = repeated(affine.scale, size), .bias = repeated(affine.bias, size)};
  Node last = normalisation(node, statistics_of_groups(node, *joined, channels, epsilon), std::move(affine));
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
  Node last = normalisation(node, statistics_of_groups(node, node.value(0), groups, epsilon), std::move(affine));
  node.network().add_node(std::move(last), node.output_name());
}

/// Names `value` as output `k` of the node, if that is used.
void make_further_output(NodeReader& node, std::size_t k, ValueId value) {
  if (k >= node.num_outputs() || !node.is_output_used(k)) return;
  const std::vector<index_t> dims = dims_of(node.network().shape(value));
  node.network().set_chain(node.output_name(k), {.source = value, .moves = in_order(dims), .node = node.output_name(k)});
}

void read_layer_normalization(NodeReader& node) {
  node.expect_inputs(2, 3);
  const int ndims = node.shape(0).ndims;
  const int first = checked_axis(node, node.attributes().get_int("axis", -1), ndims);
  AxisSet axes{};
  for (int k = first; k < ndims; ++k) axes[static_cast<std::size_t>(axis_of(node, k, ndims))] = true;
  node.attributes().ignore("stash_type");
  const float epsilon = node.attributes().get_float("epsilon", 1e-5F);
  const auto mean_of = [&](const char* suffix, ValueId value) { return add_mean(node, suffix, value, axes); };
  const Statistics statistics = statistics_of(node, node.value(0), epsilon, mean_of);
  make_further_output(node, 1, statistics.mean);
  make_further_output(node, 2, statistics.factor);
  node.constant(1, "scale");
  const ValueId normal = node.add_step("normal", Binary{BinaryKind::Mul}, {statistics.difference, statistics.factor});
  const ValueId scale = node.network().constant_value(node.input_name(1), ndims, node.label());
  if (!node.has_input(2)) return node.make(Binary{BinaryKind::Mul}, {normal, scale});
  node.constant(2, "bias");
  const ValueId scaled = node.add_step("scaled", Binary{BinaryKind::Mul}, {normal, scale});
  node.make(Sum{}, {scaled, node.network().constant_value(node.input_name(2), ndims, node.label())});
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"GroupNormalization", read_group_normalization},
    {"InstanceNormalization", read_instance_normalization},
    {"LayerNormalization", read_layer_normalization},
};

}  // namespace

std::span<const OperatorRow> norm_operators() { return rows; }

}  // namespace parconv
