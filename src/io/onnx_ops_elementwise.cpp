// Operators that work on each element by itself: activations, normalisation, sums.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "io/onnx_ops.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

void make_activation(NodeReader& node, Activation activation) {
  node.make(Elementwise{}, {node.value(0)}, Finish{.activation = activation});
}

/// Input `k` as one finite number, or `otherwise` if it is left out.
float optional_scalar(NodeReader& node, std::size_t k, const char* what, float otherwise) {
  return node.has_input(k) ? node.scalar(k, what) : otherwise;
}

void check_finite(const NodeReader& node, const char* what, const std::vector<float>& values) {
  for (const float value : values)
    if (!std::isfinite(value)) node.refuse(concat(what, " holds ", value));
}

/// out = gamma * (in - mean) / sqrt(variance + epsilon) + beta, as one factor and one term per channel.
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

/// The rank of the inputs that are not constants, which must agree.
int common_ndims(NodeReader& node) {
  int ndims = 0;
  for (std::size_t k = 0; k < node.num_inputs(); ++k) {
    if (node.is_constant(k)) continue;
    const int own = node.shape(k).ndims;
    if (ndims != 0 && own != ndims)
      node.refuse(concat("joins inputs of ", ndims, " and ", own, " dimensions; only constants may have fewer"));
    ndims = own;
  }
  if (ndims == 0)
    node.refuse("all its inputs are constant", "simplify the model so that constants are computed when it is exported");
  return ndims;
}

/// All inputs; constants get the dimensions of the others.
std::vector<ValueId> broadcast_inputs(NodeReader& node) {
  const int ndims = common_ndims(node);
  std::vector<ValueId> inputs;
  for (std::size_t k = 0; k < node.num_inputs(); ++k)
    inputs.push_back(node.is_constant(k) ? node.network().constant_value(node.input_name(k), ndims, node.label())
                                         : node.value(k));
  return inputs;
}

void make_sum(NodeReader& node) {
  std::vector<ValueId> inputs = broadcast_inputs(node);
  if (inputs.size() == 1) return node.make(Elementwise{}, std::move(inputs));
  node.make(Sum{}, std::move(inputs));
}

/// Before operator set 7 these are for training unless they say that they are not.
void expect_test_mode(NodeReader& node) {
  if (node.opset() < 7 && node.attributes().get_int("is_test", 0) == 0)
    node.refuse("attribute is_test is 0", "export the model for inference");
}

/// Add before operator set 7: the dimensions of the second input begin at dimension `axis` of the first.
/// Example: (3, 4) with axis 1 meets (2, 3, 4, 5) as (3, 4, 1).
void make_sum_at_axis(NodeReader& node) {
  const int ndims = node.shape(0).ndims;
  const int axis = checked_axis(node, node.attributes().get_int("axis", 0), ndims);
  OnnxConstant addend = node.constant(1, "an input that begins at attribute axis");
  const int num_after = ndims - axis - static_cast<int>(addend.dims.size());
  if (num_after < 0) node.refuse(concat("attribute axis is ", axis, " for an input of ", dims_string(addend.dims)));
  addend.dims.insert(addend.dims.end(), static_cast<std::size_t>(num_after), 1);
  node.make(Sum{}, {node.value(0), node.network().add_constant(node.input_name(1), addend, ndims, node.label())});
}

}  // namespace

void make_copy(NodeReader& node) {
  NetworkBuilder& network = node.network();
  if (const OnnxConstant* constant = network.find_constant(node.input_name(0)))
    return network.set_constant(node.output_name(), *constant);
  if (const Chain* chain = network.find_chain(node.input_name(0))) return network.set_chain(node.output_name(), *chain);
  node.make(Elementwise{}, {node.value(0)});
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
      {"Erf", ActivationKind::Erf},
      {"Exp", ActivationKind::Exp},
      {"Neg", ActivationKind::Neg},
      {"HardSwish", ActivationKind::HardSwish},
      {"Sigmoid", ActivationKind::Sigmoid},
      {"Sqrt", ActivationKind::Sqrt},
      {"Tanh", ActivationKind::Tanh},
  };
  node.expect_inputs(1, 1);
  make_activation(node, {.kind = kinds.at(node.op_type())});
}

void read_binary(NodeReader& node) {
  static const std::map<std::string_view, BinaryKind> kinds{
      {"Div", BinaryKind::Div}, {"Max", BinaryKind::Max},     {"Min", BinaryKind::Min},
      {"Mul", BinaryKind::Mul}, {"PRelu", BinaryKind::PRelu}, {"Sub", BinaryKind::Sub},
  };
  node.expect_inputs(2, 2);
  if (node.opset() < 7) {
    node.attributes().ignore("broadcast");  // output_shape refuses what does not fit
    if (node.attributes().has("axis")) node.refuse("attribute axis is not supported", "convert the model to operator set 7");
  }
  node.make(Binary{kinds.at(node.op_type())}, broadcast_inputs(node));
}

void read_identity(NodeReader& node) {
  node.expect_inputs(1, 1);
  make_copy(node);
}

void read_dropout(NodeReader& node) {
  node.expect_inputs(1, 3);
  node.expect_one_output();
  for (const char* name : {"ratio", "seed"}) node.attributes().ignore(name);
  expect_test_mode(node);
  if (node.has_input(2) && node.scalar(2, "training_mode") != 0.0F)
    node.refuse("training_mode is true", "export the model for inference");
  make_copy(node);
}

void read_batch_normalization(NodeReader& node) {
  node.expect_inputs(5, 5);
  node.expect_one_output();
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

void read_add(NodeReader& node) {
  node.expect_inputs(2, 2);
  if (node.opset() >= 7) return make_sum(node);
  node.attributes().ignore("broadcast");  // output_shape refuses what does not fit
  if (node.attributes().has("axis")) return make_sum_at_axis(node);
  make_sum(node);
}

void read_sum(NodeReader& node) {
  node.expect_inputs(1, std::max<std::size_t>(node.num_inputs(), 1));
  for (std::size_t k = 0; k < node.num_inputs(); ++k)
    if (!node.has_input(k)) node.refuse(concat("input ", k, " is missing"));
  make_sum(node);
}

}  // namespace parconv
