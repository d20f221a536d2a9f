// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/ops/onnx_ops.hpp"

#include <map>

namespace parconv {
namespace {

using Table = std::map<std::string_view, OperatorRow>;

Table make_table() {
  Table table;
  for (const auto rows :
       {arg_operators(), binary_operators(), cast_operators(), constant_operators(), conv_operators(), conv_transpose_operators(),
        einsum_operators(), elementwise_operators(), logic_operators(), norm_operators(), parts_operators(), pool_operators(),
        rearrange_operators(), reduce_operators(), resize_operators(), softmax_operators(), slice_operators()})
    for (const OperatorRow& row : rows) table.emplace(row.op_type, row);
  return table;
}

const Table& table() {
  static const Table all = make_table();
  return all;
}

}  // namespace

ReadOperator find_operator(std::string_view op_type) {
  const auto found = table().find(op_type);
  return found == table().end() ? nullptr : found->second.read;
}

index_t oldest_opset(std::string_view op_type) {
  const auto found = table().find(op_type);
  if (found != table().end()) return found->second.oldest_opset;
  return op_type == "Shape" ? 1 : OperatorRow{}.oldest_opset;
}

std::string supported_operators() {
  std::string names;
  for (const auto& [op_type, row] : table()) names += (names.empty() ? "" : ", ") + std::string(op_type);
  return names;
}

}  // namespace parconv
