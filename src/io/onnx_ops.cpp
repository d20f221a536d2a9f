#include "io/onnx_ops.hpp"

#include <map>

namespace parconv {
namespace {

const std::map<std::string_view, ReadOperator>& table() {
  static const std::map<std::string_view, ReadOperator> operators{
      {"Add", read_add},
      {"AveragePool", read_average_pool},
      {"BatchNormalization", read_batch_normalization},
      {"Clip", read_clip},
      {"Concat", read_concat},
      {"Constant", read_constant_node},
      {"ConstantOfShape", read_constant_of_shape},
      {"Conv", read_conv},
      {"Dropout", read_dropout},
      {"Flatten", read_flatten},
      {"Gemm", read_gemm},
      {"GlobalAveragePool", read_global_average_pool},
      {"Identity", read_identity},
      {"LeakyRelu", read_leaky_relu},
      {"LogSoftmax", read_log_softmax},
      {"MaxPool", read_max_pool},
      {"Relu", read_relu},
      {"Reshape", read_reshape},
      {"Softmax", read_softmax},
      {"Sum", read_sum},
  };
  return operators;
}

}  // namespace

ReadOperator find_operator(std::string_view op_type) {
  const auto found = table().find(op_type);
  return found == table().end() ? nullptr : found->second;
}

std::string supported_operators() {
  std::string names;
  for (const auto& [name, read] : table()) names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

}  // namespace parconv
