#include "io/onnx_ops.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace parconv {
namespace {

struct Entry {
  std::string_view op_type;
  ReadOperator read;
};

/// In alphabetical order.
constexpr auto table = std::to_array<Entry>({
    {"Abs", read_unary},
    {"Add", read_add},
    {"AveragePool", read_average_pool},
    {"BatchNormalization", read_batch_normalization},
    {"Cast", read_cast},
    {"CastLike", read_cast},
    {"Ceil", read_unary},
    {"Celu", read_celu},
    {"Clip", read_clip},
    {"Concat", read_concat},
    {"Constant", read_constant_node},
    {"ConstantOfShape", read_constant_of_shape},
    {"Conv", read_conv},
    {"ConvTranspose", read_conv_transpose},
    {"Cos", read_unary},
    {"DepthToSpace", read_depth_to_space},
    {"Div", read_binary},
    {"Dropout", read_dropout},
    {"Elu", read_elu},
    {"Erf", read_unary},
    {"Exp", read_unary},
    {"Expand", read_expand},
    {"Flatten", read_flatten},
    {"Floor", read_unary},
    {"Gather", read_gather},
    {"Gelu", read_gelu},
    {"Gemm", read_gemm},
    {"GlobalAveragePool", read_global_average_pool},
    {"GlobalMaxPool", read_global_max_pool},
    {"GroupNormalization", read_group_normalization},
    {"HardSigmoid", read_hard_sigmoid},
    {"HardSwish", read_unary},
    {"Identity", read_identity},
    {"InstanceNormalization", read_instance_normalization},
    {"LRN", read_lrn},
    {"LayerNormalization", read_layer_normalization},
    {"LeakyRelu", read_leaky_relu},
    {"Log", read_unary},
    {"LogSoftmax", read_log_softmax},
    {"MatMul", read_matmul},
    {"Max", read_extreme},
    {"MaxPool", read_max_pool},
    {"Mean", read_mean},
    {"Min", read_extreme},
    {"Mish", read_unary},
    {"Mul", read_binary},
    {"Neg", read_unary},
    {"PRelu", read_binary},
    {"Pad", read_pad},
    {"Pow", read_binary},
    {"Reciprocal", read_unary},
    {"ReduceL1", read_reduction},
    {"ReduceL2", read_reduction},
    {"ReduceLogSum", read_reduction},
    {"ReduceLogSumExp", read_reduce_log_sum_exp},
    {"ReduceMax", read_reduction},
    {"ReduceMean", read_reduction},
    {"ReduceMin", read_reduction},
    {"ReduceProd", read_reduction},
    {"ReduceSum", read_reduction},
    {"ReduceSumSquare", read_reduction},
    {"Relu", read_relu},
    {"Reshape", read_reshape},
    {"Resize", read_resize},
    {"Round", read_unary},
    {"Selu", read_selu},
    {"Sigmoid", read_unary},
    {"Sign", read_unary},
    {"Sin", read_unary},
    {"Slice", read_slice},
    {"Softmax", read_softmax},
    {"Softplus", read_unary},
    {"Softsign", read_unary},
    {"SpaceToDepth", read_space_to_depth},
    {"Split", read_split},
    {"Sqrt", read_unary},
    {"Squeeze", read_squeeze},
    {"Sub", read_binary},
    {"Sum", read_sum},
    {"Swish", read_swish},
    {"Tanh", read_unary},
    {"ThresholdedRelu", read_thresholded_relu},
    {"Tile", read_tile},
    {"Transpose", read_transpose},
    {"Unsqueeze", read_unsqueeze},
    {"Upsample", read_upsample},
});

}  // namespace

ReadOperator find_operator(std::string_view op_type) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const Entry& entry) { return entry.op_type == op_type; });
  return found == table.end() ? nullptr : found->read;
}

index_t oldest_opset(std::string_view op_type) {
  static const std::set<std::string_view> unchanged{
      "Constant",      "Conv",     "ConvTranspose", "DepthToSpace", "Flatten",      "Gather",  "GlobalAveragePool",
      "GlobalMaxPool", "Identity", "LRN",           "LogSoftmax",   "MaxPool",      "Not",     "Shape",
      "Slice",         "Softmax",  "Softplus",      "Softsign",     "SpaceToDepth", "Squeeze", "Transpose",
      "Unsqueeze"};
  return unchanged.contains(op_type) ? 1 : 6;
}

std::string supported_operators() {
  std::string names;
  for (const Entry& entry : table) names += (names.empty() ? "" : ", ") + std::string(entry.op_type);
  return names;
}

}  // namespace parconv
