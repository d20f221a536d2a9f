// cuDNN without a GPU: the functions that parconv imports. Descriptors, heuristics and plans are the real library's, for the GPU
// that is described in a file; executions are computed on the host.
#include <cudnn_graph.h>

#include <algorithm>
#include <cstdio>

#include "cudnn_reading.hpp"
#include "cudnn_real.hpp"
#include "stream.hpp"

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace parconv::stand_in {
namespace {

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

/// Gives a descriptor what it needs instead of a handle.
cudnnStatus_t set_properties(cudnnBackendDescriptor_t descriptor, const Record& record) {
  const auto attribute = properties_attribute(record.type());
  if (!attribute || record.has(*attribute)) return CUDNN_STATUS_SUCCESS;
  const cudnnBackendDescriptor_t properties = gpu_properties();
  return PARCONV_REAL(cudnnBackendSetAttribute)(descriptor, *attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &properties);
}

/// Nobody runs the code of plans, so none is compiled: those plans only get the size of their workspace, until more is asked for.
void put_off(Record& plan, cudnnBackendDescriptor_t configuration) {
  const std::int64_t bytes = number_of(configuration, CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &bytes);
}

/// Remembers how the plan's engine computes. True if making the plan is put off.
bool prepare_plan(Record& plan) {
  const auto configuration = plan.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  if (plan.type() != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR || !configuration) return false;
  const EngineNotes notes = notes_of(configuration->descriptor());
  plan.set(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, static_cast<std::int64_t>(notes.numerical.size()),
           notes.numerical.data());
  if (notes.is_compiled) put_off(plan, configuration->descriptor());
  return notes.is_compiled;
}

bool is_put_off(const Record& record) { return record.has(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE); }

cudnnStatus_t tell_workspace(const Record& plan, std::int64_t room, std::int64_t* count, void* values) {
  if (count != nullptr) *count = 1;
  if (room > 0) *static_cast<std::int64_t*>(values) = plan.value(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, std::int64_t{0});
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t make_up_for(Record& plan) {
  plan.forget(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  return PARCONV_REAL(cudnnBackendFinalize)(plan.descriptor());
}

std::size_t workspace_bytes_of(cudnnBackendDescriptor_t plan) {
  const auto record = record_of(plan);
  return static_cast<std::size_t>(is_put_off(*record) ? record->value(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, std::int64_t{0})
                                                      : number_of(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
}

cudnnStatus_t execute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
  const Graph graph = graph_of(*record_of(plan));
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
  if (name == CUDNN_ATTR_DEVICEPROP_DEVICE_ID) return describe_gpu(descriptor);
  const cudnnStatus_t status = PARCONV_REAL(cudnnBackendSetAttribute)(descriptor, name, type, count, values);
  if (status == CUDNN_STATUS_SUCCESS) record_of(descriptor)->set(name, type, count, values);
  return status;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t room, std::int64_t* count, void* values) {
  const auto record = record_of(descriptor);
  if (is_put_off(*record)) {
    if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE) return tell_workspace(*record, room, count, values);
    if (const cudnnStatus_t status = make_up_for(*record); status != CUDNN_STATUS_SUCCESS) return status;
  }
  const cudnnStatus_t status = PARCONV_REAL(cudnnBackendGetAttribute)(descriptor, name, type, room, count, values);
  if (status == CUDNN_STATUS_SUCCESS && type == CUDNN_TYPE_BACKEND_DESCRIPTOR && values != nullptr)
    remember_origin(*record, name, std::min(room, count == nullptr ? room : *count),
                    static_cast<const cudnnBackendDescriptor_t*>(values));
  return status;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  const auto record = record_of(descriptor);
  const cudnnStatus_t status = set_properties(descriptor, *record);
  if (status != CUDNN_STATUS_SUCCESS || prepare_plan(*record)) return status;
  return PARCONV_REAL(cudnnBackendFinalize)(descriptor);
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
  return execute(handle, plan, pack);
}

}  // extern "C"
