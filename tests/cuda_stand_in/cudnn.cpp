// cuDNN without a GPU: the functions that parconv imports. Descriptors, heuristics and plans are the real library's, for the GPU
// that is described in a file; executions are computed on the host.
#include <cudnn_graph.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "cudnn_compute.hpp"
#include "cudnn_records.hpp"
#include "memory.hpp"
#include "stream.hpp"

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace parconv::stand_in {
namespace {

constexpr std::uintptr_t operand_alignment = 16;

void* address_in_library(const char* name) {
  void* const found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr) refuse(std::string("the program has no ") + name);
  return found;
}

/// The real library's function with the name of one below.
#define PARCONV_REAL(function)                                                                        \
  ([] {                                                                                               \
    static const auto found = reinterpret_cast<decltype(&(function))>(address_in_library(#function)); \
    return found;                                                                                     \
  }())

void expect(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) refuse(std::string(what) + " failed: status " + std::to_string(status));
}

const std::string& json_of_gpu() {
  static const std::string json = [] {
    std::ostringstream text;
    text << std::ifstream(PARCONV_STAND_IN_PROPERTIES).rdbuf();
    return text.str();
  }();
  return json;
}

cudnnStatus_t set_json(cudnnBackendDescriptor_t properties) {
  const std::string& json = json_of_gpu();
  return PARCONV_REAL(cudnnBackendSetAttribute)(properties, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                                                static_cast<std::int64_t>(json.size()), json.data());
}

/// Lives as long as the program.
cudnnBackendDescriptor_t gpu_properties() {
  static const cudnnBackendDescriptor_t properties = [] {
    cudnnBackendDescriptor_t made = nullptr;
    expect(PARCONV_REAL(cudnnBackendCreateDescriptor)(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &made), "creating device properties");
    expect(set_json(made), "reading device properties");
    expect(PARCONV_REAL(cudnnBackendFinalize)(made), "finalizing device properties");
    return made;
  }();
  return properties;
}

/// The attribute by which a descriptor learns about the GPU; nothing for those that do not need one.
std::optional<cudnnBackendAttributeName_t> properties_attribute(cudnnBackendDescriptorType_t type) {
  switch (type) {
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
      return CUDNN_ATTR_ENGINEHEUR_DEVICEPROP;
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR:
      return CUDNN_ATTR_ENGINE_DEVICEPROP;
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
      return CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP;
    default:
      return std::nullopt;
  }
}

/// Where a descriptor that cuDNN filled in comes from, so that its graph is found later.
void remember_origin(const Record& from, cudnnBackendAttributeName_t name, std::int64_t count,
                     const cudnnBackendDescriptor_t* filled) {
  const bool is_result = name == CUDNN_ATTR_ENGINEHEUR_RESULTS, is_engine = name == CUDNN_ATTR_ENGINECFG_ENGINE;
  if (!is_result && !is_engine) return;
  const auto origin = from.part(is_result ? CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH : CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
  for (std::int64_t k = 0; k < count; ++k) record_of(filled[k])->set_part(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, origin);
}

const Record& needed(const std::shared_ptr<const Record>& record, const char* what) {
  if (!record) refuse(std::string("an execution without ") + what);
  return *record;
}

/// The operation graph of a plan: that of its configuration if a heuristic made that, otherwise that of the engine.
const Record& graph_of(const Record& plan) {
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

Convolution convolution_of(const Record& operation) {
  const Record& rules = needed(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC), "a convolution");
  const bool is_plain = operation.value(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0F) == 1.0F &&
                        operation.value(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0F) == 0.0F &&
                        rules.value(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CONVOLUTION) == CUDNN_CROSS_CORRELATION &&
                        rules.value(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_HALF) == CUDNN_DATA_FLOAT;
  if (!is_plain) refuse("a convolution that is scaled, flipped, added to its result or not summed in f32");
  return {.src = tensor_of(operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X),
          .filter = tensor_of(operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W),
          .dst = tensor_of(operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y),
          .pre_paddings = rules.values<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS),
          .strides = rules.values<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES),
          .dilations = rules.values<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS)};
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

Graph operations_of(const Record& graph) {
  Graph operations;
  for (const auto& operation : graph.parts(CUDNN_ATTR_OPERATIONGRAPH_OPS)) {
    if (operation->type() == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
      operations.emplace_back(convolution_of(*operation));
    else if (operation->type() == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
      operations.emplace_back(pointwise_of(*operation));
    else
      refuse("an operation of type " + std::to_string(operation->type()));
  }
  return operations;
}

std::size_t workspace_bytes_of(cudnnBackendDescriptor_t plan) {
  std::int64_t bytes = 0, count = 0;
  expect(
      PARCONV_REAL(cudnnBackendGetAttribute)(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &count, &bytes),
      "asking for the size of the workspace");
  return static_cast<std::size_t>(bytes);
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

bool is_aligned(const std::byte* data) { return reinterpret_cast<std::uintptr_t>(data) % operand_alignment == 0; }

/// What is wrong with an operand; empty if nothing is.
std::string problem_of(const std::byte* data, std::size_t bytes) {
  if (data == nullptr) return "has no address";
  if (!is_aligned(data)) return "does not begin at a multiple of 16 bytes";
  return place_of(data, bytes) == Place::Device ? "" : "is not in the memory of a device";
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

cudnnStatus_t execute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
  const Graph graph = operations_of(graph_of(*record_of(plan)));
  const Memory memory = memory_of(*record_of(pack), workspace_bytes_of(plan));
  if (const std::string problem = problem_of(graph, memory); !problem.empty()) {
    std::fprintf(stderr, "CUDA stand-in: cuDNN: %s\n", problem.c_str());
    return CUDNN_STATUS_BAD_PARAM;
  }
  submit(handle->stream, [graph, memory] { compute(graph, memory); });
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace
}  // namespace parconv::stand_in

using namespace parconv::stand_in;

extern "C" {

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  *handle = new cudnnContext;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  delete handle;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* descriptor) {
  const cudnnStatus_t status = PARCONV_REAL(cudnnBackendCreateDescriptor)(type, descriptor);
  if (status == CUDNN_STATUS_SUCCESS) start_record(*descriptor, type);
  return status;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  drop_record(descriptor);
  return PARCONV_REAL(cudnnBackendDestroyDescriptor)(descriptor);
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t count, const void* values) {
  if (type == CUDNN_TYPE_HANDLE) return CUDNN_STATUS_SUCCESS;  // finalizing gives the properties of the GPU instead
  if (name == CUDNN_ATTR_DEVICEPROP_DEVICE_ID) return set_json(descriptor);
  const cudnnStatus_t status = PARCONV_REAL(cudnnBackendSetAttribute)(descriptor, name, type, count, values);
  if (status == CUDNN_STATUS_SUCCESS) record_of(descriptor)->set(name, type, count, values);
  return status;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t room, std::int64_t* count, void* values) {
  const cudnnStatus_t status = PARCONV_REAL(cudnnBackendGetAttribute)(descriptor, name, type, room, count, values);
  if (status == CUDNN_STATUS_SUCCESS && type == CUDNN_TYPE_BACKEND_DESCRIPTOR && values != nullptr)
    remember_origin(*record_of(descriptor), name, std::min(room, count == nullptr ? room : *count),
                    static_cast<const cudnnBackendDescriptor_t*>(values));
  return status;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  const auto record = record_of(descriptor);
  const auto attribute = properties_attribute(record->type());
  if (attribute && !record->has(*attribute)) {
    const cudnnBackendDescriptor_t properties = gpu_properties();
    const cudnnStatus_t status =
        PARCONV_REAL(cudnnBackendSetAttribute)(descriptor, *attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &properties);
    if (status != CUDNN_STATUS_SUCCESS) return status;
  }
  return PARCONV_REAL(cudnnBackendFinalize)(descriptor);
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
  return execute(handle, plan, pack);
}

}  // extern "C"
