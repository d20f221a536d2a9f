// SPDX-License-Identifier: Apache-2.0
// Unary elementwise operators: activations, per-channel scale and shift.
#include <cmath>
#include <limits>
#include <map>

#include "io/onnx/ops/onnx_ops.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

void make_activation(NodeReader& node, Activation activation) {
  node.make(Elementwise{}, {node.value(0)}, Epilogue{.activation = activation});
}

/// Input `k` as a finite scalar; `otherwise` if omitted.
float optional_scalar(NodeReader& node, std::size_t k, const char* what, float otherwise) {
  return node.has_input(k) ? node.scalar(k, what) : otherwise;
}

void check_finite(const NodeReader& node, const char* what, const std::vector<float>& values) {
  for (const float value : values)
    if (!std::isfinite(value)) node.refuse(concat(what, " holds ", value));
}

/// out = gamma * (in - mean) / sqrt(variance + epsilon) + beta, as scale and shift per channel.
ScaleShift scale_shift_of(NodeReader& node, index_t channels, float epsilon) {
  const std::vector<float> gamma = node.constant_values(1, "scale", channels);
  const std::vector<float> beta = node.constant_values(2, "bias", channels);
  const std::vector<float> mean = node.constant_values(3, "mean", channels);
  const std::vector<float> variance = node.constant_values(4, "variance", channels);
  ScaleShift result;
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double spread = static_cast<double>(variance[c]) + static_cast<double>(epsilon);
    if (!(spread > 0)) node.refuse(concat("the variance of channel ", c, " is ", variance[c], ", not positive"));
    const double scale = static_cast<double>(gamma[c]) / std::sqrt(spread);
    result.scale.push_back(static_cast<float>(scale));
    result.shift.push_back(static_cast<float>(static_cast<double>(beta[c]) - static_cast<double>(mean[c]) * scale));
  }
  check_finite(node, "scale", result.scale);
  check_finite(node, "shift", result.shift);
  return result;
}

/// Before opset 7 these operators default to training mode.
void expect_test_mode(NodeReader& node) {
  if (node.opset() < 7 && node.attributes().get_int("is_test", 0) == 0)
    node.refuse("attribute is_test is 0", "export the model for inference");
}

void read_relu(NodeReader& node) {
  node.expect_inputs(1, 1);
  make_activation(node, {.kind = ActivationKind::Relu});
}

void read_leaky_relu(NodeReader& node) {
  node.expect_inputs(1, 1);
  make_activation(node, {.kind = ActivationKind::LeakyRelu, .alpha = node.attributes().get_float("alpha", 0.01F)});
}

void read_clip(NodeReader& node) {
  constexpr float lowest = std::numeric_limits<float>::lowest();
  constexpr float highest = std::numeric_limits<float>::max();
  Activation clip{.kind = ActivationKind::Clip};
  if (node.opset() < 11) {
    node.expect_inputs(1, 1);
    clip.alpha = node.attributes().get_float("min", lowest);
    clip.beta = node.attributes().get_float("max", highest);
  } else {
    node.expect_inputs(1, 3);
    clip.alpha = optional_scalar(node, 1, "min", lowest);
    clip.beta = optional_scalar(node, 2, "max", highest);
  }
  make_activation(node, clip);
}

void read_elu(NodeReader& node) {
  node.expect_inputs(1, 1);
  make_activation(node, {.kind = ActivationKind::Elu, .alpha = node.attributes().get_float("alpha", 1.0F)});
}

void read_celu(NodeReader& node) {
  node.expect_inputs(1, 1);
  const float alpha = node.attributes().get_float("alpha", 1.0F);
  if (!std::isfinite(alpha) || alpha == 0) node.refuse(concat("attribute alpha is ", alpha));
  make_activation(node, {.kind = ActivationKind::Celu, .alpha = alpha});
}

void read_selu(NodeReader& node) {
  node.expect_inputs(1, 1);
  const float alpha = node.attributes().get_float("alpha", 1.67326319217681884765625F);
  make_activation(
      node,
      {.kind = ActivationKind::Selu, .alpha = alpha, .beta = node.attributes().get_float("gamma", 1.05070102214813232421875F)});
}

void read_thresholded_relu(NodeReader& node) {
  node.expect_inputs(1, 1);
  make_activation(node, {.kind = ActivationKind::ThresholdedRelu, .alpha = node.attributes().get_float("alpha", 1.0F)});
}

/// x * sigmoid(alpha * x).
void read_swish(NodeReader& node) {
  node.expect_inputs(1, 1);
  const float alpha = node.attributes().get_float("alpha", 1.0F);
  if (alpha == 1.0F) return make_activation(node, {.kind = ActivationKind::Silu});
  const ValueId x = node.value(0);
  const ValueId scaled = node.add_step("scaled", Binary{BinaryKind::Mul}, {x, node.scalar_value("alpha", alpha, x)});
  const ValueId gate = node.add_step("gate", Elementwise{}, {scaled}, {.activation = {.kind = ActivationKind::Sigmoid}});
  node.make(Binary{BinaryKind::Mul}, {x, gate});
}

void read_lrn(NodeReader& node) {
  node.expect_inputs(1, 1);
  Attributes& attributes = node.attributes();
  const index_t size = attributes.get_int("size", 0);
  if (size < 1) node.refuse(concat("attribute size is ", size, ", but must be at least 1"));
  node.make(Lrn{.size = size,
                .alpha = attributes.get_float("alpha", 1e-4F),
                .beta = attributes.get_float("beta", 0.75F),
                .bias = attributes.get_float("bias", 1.0F)},
            {node.value(0)});
}

void read_shrink(NodeReader& node) {
  node.expect_inputs(1, 1);
  const float lambda = node.attributes().get_float("lambd", 0.5F);
  make_activation(node, {.kind = ActivationKind::Shrink, .alpha = lambda, .beta = node.attributes().get_float("bias", 0.0F)});
}

void read_hard_sigmoid(NodeReader& node) {
  node.expect_inputs(1, 1);
  const float alpha = node.attributes().get_float("alpha", 0.2F);
  make_activation(node, {.kind = ActivationKind::HardSigmoid, .alpha = alpha, .beta = node.attributes().get_float("beta", 0.5F)});
}

void read_gelu(NodeReader& node) {
  node.expect_inputs(1, 1);
  const std::string form = node.attributes().get_string("approximate", "none");
  if (form != "none" && form != "tanh") node.refuse(concat("attribute approximate is '", form, "', expected none or tanh"));
  make_activation(node, {.kind = form == "tanh" ? ActivationKind::GeluTanh : ActivationKind::Gelu});
}

void read_unary(NodeReader& node) {
  static const std::map<std::string_view, ActivationKind> kinds{
      {"Abs", ActivationKind::Abs},
      {"Ceil", ActivationKind::Ceil},
      {"Cos", ActivationKind::Cos},
      {"Erf", ActivationKind::Erf},
      {"Exp", ActivationKind::Exp},
      {"Floor", ActivationKind::Floor},
      {"HardSwish", ActivationKind::HardSwish},
      {"Log", ActivationKind::Log},
      {"Mish", ActivationKind::Mish},
      {"Neg", ActivationKind::Neg},
      {"Reciprocal", ActivationKind::Reciprocal},
      {"Round", ActivationKind::Round},
      {"Sigmoid", ActivationKind::Sigmoid},
      {"Sign", ActivationKind::Sign},
      {"Sin", ActivationKind::Sin},
      {"Softplus", ActivationKind::Softplus},
      {"Softsign", ActivationKind::Softsign},
      {"Sqrt", ActivationKind::Sqrt},
      {"Tanh", ActivationKind::Tanh},
  };
  node.expect_inputs(1, 1);
  make_activation(node, {.kind = kinds.at(node.op_type())});
}

void read_identity(NodeReader& node) {
  node.expect_inputs(1, 1);
  make_copy(node);
}

void read_dropout(NodeReader& node) {
  node.expect_inputs(1, 3);
  for (const char* name : {"ratio", "seed"}) node.attributes().ignore(name);
  expect_test_mode(node);
  if (node.has_input(2) && node.scalar(2, "training_mode") != 0.0F)
    node.refuse("training_mode is true", "export the model for inference");
  make_copy(node);
}

void read_batch_normalization(NodeReader& node) {
  node.expect_inputs(5, 5);
  const Shape in = node.shape(0);
  if (in.ndims < 2) node.refuse(concat("its input has ", in.ndims, " dimensions, expected at least 2"));
  node.attributes().ignore("momentum");
  expect_test_mode(node);
  if (node.attributes().get_int("training_mode", 0) != 0)
    node.refuse("attribute training_mode is 1", "export the model for inference");
  if (node.attributes().get_int("spatial", 1) != 1)
    node.refuse("attribute spatial is 0; statistics per element are not supported");
  const float epsilon = node.attributes().get_float("epsilon", 1e-5F);
  node.make(scale_shift_of(node, in.extents[Axis::C], epsilon), {node.value(0)});
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"Abs", read_unary},
    {"BatchNormalization", read_batch_normalization},
    {"Ceil", read_unary},
    {"Celu", read_celu},
    {"Clip", read_clip},
    {"Cos", read_unary},
    {"Dropout", read_dropout},
    {"Elu", read_elu},
    {"Erf", read_unary},
    {"Exp", read_unary},
    {"Floor", read_unary},
    {"Gelu", read_gelu},
    {"HardSigmoid", read_hard_sigmoid},
    {"HardSwish", read_unary},
    {"Identity", read_identity, 1},
    {"LRN", read_lrn, 1},
    {"LeakyRelu", read_leaky_relu},
    {"Log", read_unary},
    {"Mish", read_unary},
    {"Neg", read_unary},
    {"Reciprocal", read_unary},
    {"Relu", read_relu},
    {"Round", read_unary},
    {"Selu", read_selu},
    {"Shrink", read_shrink},
    {"Sigmoid", read_unary},
    {"Sign", read_unary},
    {"Sin", read_unary},
    {"Softplus", read_unary, 1},
    {"Softsign", read_unary, 1},
    {"Sqrt", read_unary},
    {"Swish", read_swish},
    {"Tanh", read_unary},
    {"ThresholdedRelu", read_thresholded_relu},
};

}  // namespace

void make_copy(NodeReader& node) {
  OnnxNetworkBuilder& network = node.network();
  if (const OnnxConstant* constant = network.find_constant(node.input_name(0)))
    return network.set_constant(node.output_name(), *constant);
  if (const Chain* chain = network.find_chain(node.input_name(0))) return network.set_chain(node.output_name(), *chain);
  node.make(Elementwise{}, {node.value(0)});
}

std::span<const OperatorRow> elementwise_operators() { return rows; }

}  // namespace parconv
