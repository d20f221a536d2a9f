// SPDX-License-Identifier: Apache-2.0
// The table of operators: each file of functions that read them has its rows.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/onnx/onnx_node.hpp"

namespace parconv {

/// Adds to the network what a node means. Throws Error(BadData) naming the node and what cannot be used.
using ReadOperator = void (*)(NodeReader& node);

/// An operator of ONNX, the function that reads it, and the oldest operator set whose form of it is read: 6, or 1 where it has
/// not changed since.
struct OperatorRow {
  std::string_view op_type{};
  ReadOperator read = nullptr;
  index_t oldest_opset = 6;
};

/// The function for an operator of ONNX, or null if it is not supported.
ReadOperator find_operator(std::string_view op_type);

/// OperatorRow::oldest_opset, of operators that only fold too.
index_t oldest_opset(std::string_view op_type);

/// All supported operators in alphabetical order, separated by commas.
std::string supported_operators();

// One function for each file of operators.
std::span<const OperatorRow> arg_operators();
std::span<const OperatorRow> binary_operators();
std::span<const OperatorRow> cast_operators();
std::span<const OperatorRow> constant_operators();
std::span<const OperatorRow> conv_operators();
std::span<const OperatorRow> conv_transpose_operators();
std::span<const OperatorRow> einsum_operators();
std::span<const OperatorRow> elementwise_operators();
std::span<const OperatorRow> logic_operators();
std::span<const OperatorRow> norm_operators();
std::span<const OperatorRow> parts_operators();
std::span<const OperatorRow> pool_operators();
std::span<const OperatorRow> rearrange_operators();
std::span<const OperatorRow> reduce_operators();
std::span<const OperatorRow> resize_operators();
std::span<const OperatorRow> softmax_operators();
std::span<const OperatorRow> slice_operators();

/// Makes the node's output a copy of input 0. Constants and chains only get another name.
void make_copy(NodeReader& node);

/// All inputs, extended to the largest number of dimensions. Throws Error(BadData) if all are constant.
std::vector<ValueId> broadcast_inputs(NodeReader& node);

/// Makes the node's output as the product of its two inputs as matrices.
void make_product(NodeReader& node);

/// True if `op` keeps every axis.
bool is_copy(const Resample& op);

/// Makes the node's output by `op` of input 0, or copies it if nothing changes.
void make_resample(NodeReader& node, const Resample& op);

}  // namespace parconv
