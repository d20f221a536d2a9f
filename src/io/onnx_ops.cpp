#include "io/onnx_ops.hpp"

#include <map>
#include <set>

namespace parconv {
namespace {

const std::map<std::string_view, ReadOperator>& table() {
  static const std::map<std::string_view, ReadOperator> operators{
      {"Abs", read_unary},
      {"Add", read_add},
      {"AveragePool", read_average_pool},
      {"BatchNormalization", read_batch_normalization},
      {"Cast", read_cast},
      {"CastLike", read_cast},
      {"Clip", read_clip},
      {"Concat", read_concat},
      {"Constant", read_constant_node},
      {"ConstantOfShape", read_constant_of_shape},
      {"Conv", read_conv},
      {"ConvTranspose", read_conv_transpose},
      {"DepthToSpace", read_depth_to_space},
      {"Div", read_binary},
      {"Dropout", read_dropout},
      {"Elu", read_elu},
      {"Erf", read_unary},
      {"Exp", read_unary},
      {"Flatten", read_flatten},
      {"Gelu", read_gelu},
      {"Gemm", read_gemm},
      {"GlobalAveragePool", read_global_average_pool},
      {"GroupNormalization", read_group_normalization},
      {"HardSigmoid", read_hard_sigmoid},
      {"HardSwish", read_unary},
      {"Identity", read_identity},
      {"InstanceNormalization", read_instance_normalization},
      {"LayerNormalization", read_layer_normalization},
      {"LeakyRelu", read_leaky_relu},
      {"LogSoftmax", read_log_softmax},
      {"Max", read_binary},
      {"MatMul", read_matmul},
      {"MaxPool", read_max_pool},
      {"Min", read_binary},
      {"Mul", read_binary},
      {"Neg", read_unary},
      {"PRelu", read_binary},
      {"Pad", read_pad},
      {"ReduceMean", read_reduce_mean},
      {"Relu", read_relu},
      {"Reshape", read_reshape},
      {"Resize", read_resize},
      {"Slice", read_slice},
      {"Sigmoid", read_unary},
      {"Softmax", read_softmax},
      {"SpaceToDepth", read_space_to_depth},
      {"Sqrt", read_unary},
      {"Squeeze", read_squeeze},
      {"Sub", read_binary},
      {"Sum", read_sum},
      {"Transpose", read_transpose},
      {"Unsqueeze", read_unsqueeze},
      {"Upsample", read_upsample},
      {"Tanh", read_unary},
  };
  return operators;
}

}  // namespace

ReadOperator find_operator(std::string_view op_type) {
  const auto found = table().find(op_type);
  return found == table().end() ? nullptr : found->second;
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
  for (const auto& [name, read] : table()) names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

}  // namespace parconv
