// The table of operators: one function for each.
#pragma once

#include <string>
#include <string_view>

#include "io/onnx_node.hpp"

namespace parconv {

/// Adds to the network what a node means. Throws Error(BadData) naming the node and what cannot be used.
using ReadOperator = void (*)(NodeReader& node);

/// The function for an operator of ONNX, or null if it is not supported.
ReadOperator find_operator(std::string_view op_type);

/// The oldest operator set whose form of the operator is read: 6, or 1 where it has not changed since.
index_t oldest_opset(std::string_view op_type);

/// All supported operators, separated by commas.
std::string supported_operators();

void read_conv(NodeReader& node);
void read_conv_transpose(NodeReader& node);
void read_gemm(NodeReader& node);
void read_matmul(NodeReader& node);
void read_max_pool(NodeReader& node);
void read_average_pool(NodeReader& node);
void read_global_average_pool(NodeReader& node);
void read_global_max_pool(NodeReader& node);
void read_batch_normalization(NodeReader& node);
void read_relu(NodeReader& node);
void read_leaky_relu(NodeReader& node);
void read_clip(NodeReader& node);
void read_elu(NodeReader& node);
void read_celu(NodeReader& node);
void read_selu(NodeReader& node);
void read_thresholded_relu(NodeReader& node);
void read_swish(NodeReader& node);
void read_lrn(NodeReader& node);
void read_hard_sigmoid(NodeReader& node);
void read_gelu(NodeReader& node);
/// Functions without attributes: Sigmoid, Exp, ...
void read_unary(NodeReader& node);
/// Functions of two inputs but Add: Mul, PRelu, ...
void read_binary(NodeReader& node);
/// Max and Min of any number of inputs.
void read_extreme(NodeReader& node);
void read_mean(NodeReader& node);
/// ReduceSum, ReduceMean, ReduceL2, ...
void read_reduction(NodeReader& node);
void read_reduce_log_sum_exp(NodeReader& node);
void read_instance_normalization(NodeReader& node);
void read_group_normalization(NodeReader& node);
void read_layer_normalization(NodeReader& node);
void read_identity(NodeReader& node);
/// Cast and CastLike; ElementTypes has refused what changes numbers.
void read_cast(NodeReader& node);
void read_dropout(NodeReader& node);
void read_add(NodeReader& node);
void read_sum(NodeReader& node);
void read_concat(NodeReader& node);
void read_split(NodeReader& node);
void read_gather(NodeReader& node);
void read_expand(NodeReader& node);
void read_tile(NodeReader& node);
void read_flatten(NodeReader& node);
void read_reshape(NodeReader& node);
void read_squeeze(NodeReader& node);
void read_unsqueeze(NodeReader& node);
void read_transpose(NodeReader& node);
void read_depth_to_space(NodeReader& node);
void read_space_to_depth(NodeReader& node);
void read_softmax(NodeReader& node);
void read_log_softmax(NodeReader& node);
void read_resize(NodeReader& node);
void read_upsample(NodeReader& node);
void read_pad(NodeReader& node);
void read_slice(NodeReader& node);
void read_constant_node(NodeReader& node);
void read_constant_of_shape(NodeReader& node);

/// Makes the node's output a copy of input 0. Constants and chains only get another name.
void make_copy(NodeReader& node);

/// Makes the node's output as the product of its two inputs as matrices.
void make_product(NodeReader& node);

/// Makes the node's output by `op` of input 0, or copies it if nothing changes.
void make_resample(NodeReader& node, const Resample& op);

}  // namespace parconv
