// SPDX-License-Identifier: Apache-2.0
#include "cudnn_reading.hpp"

#include "emulator/cudart/emulated_memory.hpp"

namespace parconv::emulator {
namespace {

constexpr std::uintptr_t operand_alignment = 16;

const Record& needed(const std::shared_ptr<const Record>& record, const char* what) {
  if (!record) refuse(std::string("an execution without ") + what);
  return *record;
}

/// The operation graph of a plan: that of its engine configuration if it came from a heuristic, else that of its engine.
const Record& operation_graph_of(const Record& plan) {
  const Record& configuration = needed(plan.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG), "an engine configuration");
  if (const auto graph = configuration.part(CUDNN_ATTR_ENGINE_OPERATION_GRAPH)) return *graph;
  const Record& engine = needed(configuration.part(CUDNN_ATTR_ENGINECFG_ENGINE), "an engine");
  return needed(engine.part(CUDNN_ATTR_ENGINE_OPERATION_GRAPH), "an operation graph");
}

Tensor tensor_of(const Record& operation, cudnnBackendAttributeName_t name) {
  const Record& tensor = needed(operation.part(name), "a tensor");
  for (const auto unknown : {CUDNN_ATTR_TENSOR_VECTOR_COUNT, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_ATTR_TENSOR_RAGGED_OFFSET_DESC})
    if (tensor.has(unknown)) refuse("a tensor with attribute " + std::to_string(unknown));
  return {.uid = tensor.value<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID, 0),
          .type = tensor.value(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT),
          .dims = tensor.values<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS),
          .strides = tensor.values<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES),
          .is_virtual = tensor.value(CUDNN_ATTR_TENSOR_IS_VIRTUAL, false)};
}

/// Aborts for engines that must not be chosen.
Exactness exactness_of(const Record& plan, bool is_f32) {
  Exactness exactness;
  for (const auto note : plan.values<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE)) switch (note) {
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
        exactness.uses_tf32 = is_f32;
        break;
      case CUDNN_NUMERICAL_NOTE_FFT:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13:
        exactness.has_transforms = true;
        break;
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
      case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
      case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
        refuse("a nondeterministic engine, or one that accumulates in reduced precision");
      default:
        break;
    }
  return exactness;
}

Convolution convolution_of(const Record& operation, const Record& plan) {
  const Record& rules = needed(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC), "a convolution");
  const bool is_plain = operation.value(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0F) == 1.0F &&
                        operation.value(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0F) == 0.0F &&
                        rules.value(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CONVOLUTION) == CUDNN_CROSS_CORRELATION &&
                        rules.value(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_HALF) == CUDNN_DATA_FLOAT;
  if (!is_plain) refuse("a convolution that is scaled, flipped, added to its result or not summed in f32");
  const Tensor src = tensor_of(operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X);
  return {.src = src,
          .filter = tensor_of(operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W),
          .dst = tensor_of(operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y),
          .pre_paddings = rules.values<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS),
          .strides = rules.values<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES),
          .dilations = rules.values<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS),
          .exactness = exactness_of(plan, src.type == CUDNN_DATA_FLOAT)};
}

Pointwise pointwise_of(const Record& operation) {
  if (operation.has(CUDNN_ATTR_OPERATION_POINTWISE_ALPHA1) || operation.has(CUDNN_ATTR_OPERATION_POINTWISE_ALPHA2))
    refuse("a pointwise operation with scaled operands");
  const Record& function = needed(operation.part(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR), "a function");
  Pointwise op{.mode = function.value(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_IDENTITY),
               .src = tensor_of(operation, CUDNN_ATTR_OPERATION_POINTWISE_XDESC),
               .dst = tensor_of(operation, CUDNN_ATTR_OPERATION_POINTWISE_YDESC)};
  if (operation.has(CUDNN_ATTR_OPERATION_POINTWISE_BDESC)) op.other = tensor_of(operation, CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
  op.lower_clip = function.value(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, op.lower_clip);
  op.upper_clip = function.value(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, op.upper_clip);
  op.lower_clip_slope = function.value(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, op.lower_clip_slope);
  op.elu_alpha = function.value(CUDNN_ATTR_POINTWISE_ELU_ALPHA, op.elu_alpha);
  op.swish_beta = function.value(CUDNN_ATTR_POINTWISE_SWISH_BETA, op.swish_beta);
  return op;
}

bool is_aligned(const std::byte* data) { return reinterpret_cast<std::uintptr_t>(data) % operand_alignment == 0; }

/// Describes the problem of an operand; empty if there is none.
std::string problem_of(const std::byte* data, std::size_t bytes) {
  if (data == nullptr) return "has no address";
  if (!is_aligned(data)) return "does not begin at a multiple of 16 bytes";
  return memory_type_of(data, bytes) == MemoryType::Device ? "" : "is not in the memory of a device";
}

}  // namespace

Graph graph_of(const Record& plan) {
  Graph operations;
  for (const auto& operation : operation_graph_of(plan).parts(CUDNN_ATTR_OPERATIONGRAPH_OPS)) {
    if (operation->type() == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
      operations.emplace_back(convolution_of(*operation, plan));
    else if (operation->type() == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
      operations.emplace_back(pointwise_of(*operation));
    else
      refuse("an operation of type " + std::to_string(operation->type()));
  }
  return operations;
}

Memory memory_of(const Record& pack, std::size_t workspace_bytes) {
  const auto uids = pack.values<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto pointers = pack.values<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  Memory memory;
  for (std::size_t k = 0; k < uids.size() && k < pointers.size(); ++k)
    memory.tensors[uids[k]] = static_cast<std::byte*>(pointers[k]);
  memory.workspace = {static_cast<std::byte*>(pack.value<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, nullptr)), workspace_bytes};
  return memory;
}

std::string problem_of(const Graph& graph, const Memory& memory) {
  for (const Tensor& tensor : tensors_in_memory(graph)) {
    const auto found = memory.tensors.find(tensor.uid);
    const std::string problem = problem_of(found == memory.tensors.end() ? nullptr : found->second, extent_bytes(tensor));
    if (!problem.empty()) return "tensor " + std::to_string(tensor.uid) + " " + problem;
  }
  const std::span<std::byte> workspace = memory.workspace;
  const std::string problem = workspace.empty() ? "" : problem_of(workspace.data(), workspace.size());
  return problem.empty() ? "" : "the workspace " + problem;
}

}  // namespace parconv::emulator
