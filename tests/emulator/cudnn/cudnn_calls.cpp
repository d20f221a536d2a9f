// SPDX-License-Identifier: Apache-2.0
// Emulated cuDNN: the functions that parconv imports. Descriptors, heuristics and plans come from the real library, for a GPU
// described in a file; executions run on the host.
#include <cudnn_graph.h>

#include <algorithm>
#include <cstdio>

#include "cudnn_reading.hpp"
#include "cudnn_real.hpp"
#include "emulator/cudart/emulated_stream.hpp"

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace parconv::emulator {
namespace {

/// The attribute that passes the device properties to a descriptor; none if the type does not need them.
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

/// Records the operation graph from which cuDNN filled in a descriptor.
void remember_origin(const Record& from, cudnnBackendAttributeName_t name, std::int64_t count,
                     const cudnnBackendDescriptor_t* filled) {
  const bool is_result = name == CUDNN_ATTR_ENGINEHEUR_RESULTS, is_engine = name == CUDNN_ATTR_ENGINECFG_ENGINE;
  if (!is_result && !is_engine) return;
  const auto origin = from.part(is_result ? CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH : CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
  for (std::int64_t k = 0; k < count; ++k) record_of(filled[k])->set_part(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, origin);
}

/// Sets the device properties, which replace a handle.
cudnnStatus_t set_properties(cudnnBackendDescriptor_t descriptor, const Record& record) {
  const auto attribute = properties_attribute(record.type());
  if (!attribute || record.has(*attribute)) return CUDNN_STATUS_SUCCESS;
  const cudnnBackendDescriptor_t properties = gpu_properties();
  return PARCONV_REAL(cudnnBackendSetAttribute)(descriptor, *attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &properties);
}

/// Defers finalizing a plan that needs run-time compilation, since its code is never run: it reports only its workspace size,
/// until another attribute is read.
void defer_plan(Record& plan, cudnnBackendDescriptor_t configuration) {
  const std::int64_t bytes = number_of(configuration, CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &bytes);
}

/// Records the numerical notes of the plan's engine. True if finalizing is deferred.
bool prepare_plan(Record& plan) {
  const auto configuration = plan.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  if (plan.type() != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR || !configuration) return false;
  const ConvAlgorithmNotes notes = notes_of(configuration->descriptor());
  plan.set(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, static_cast<std::int64_t>(notes.numerical.size()),
           notes.numerical.data());
  if (notes.is_compiled) defer_plan(plan, configuration->descriptor());
  return notes.is_compiled;
}

bool is_deferred(const Record& record) { return record.has(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE); }

cudnnStatus_t report_workspace(const Record& plan, std::int64_t room, std::int64_t* count, void* values) {
  if (count != nullptr) *count = 1;
  if (room > 0) *static_cast<std::int64_t*>(values) = plan.value(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, std::int64_t{0});
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t finalize_deferred(Record& plan) {
  plan.forget(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  return PARCONV_REAL(cudnnBackendFinalize)(plan.descriptor());
}

std::size_t workspace_bytes_of(cudnnBackendDescriptor_t plan) {
  const auto record = record_of(plan);
  return static_cast<std::size_t>(is_deferred(*record) ? record->value(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, std::int64_t{0})
                                                       : number_of(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
}

cudnnStatus_t execute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
  const Graph graph = graph_of(*record_of(plan));
  const Memory memory = memory_of(*record_of(pack), workspace_bytes_of(plan));
  if (const std::string problem = problem_of(graph, memory); !problem.empty()) {
    std::fprintf(stderr, "CUDA emulator: cuDNN: %s\n", problem.c_str());
    return CUDNN_STATUS_BAD_PARAM;
  }
  submit(handle->stream, [graph, memory] { compute(graph, memory); });
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace
}  // namespace parconv::emulator

using namespace parconv::emulator;

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
  if (type == CUDNN_TYPE_HANDLE) return CUDNN_STATUS_SUCCESS;  // cudnnBackendFinalize sets the device properties instead
  if (name == CUDNN_ATTR_DEVICEPROP_DEVICE_ID) return describe_gpu(descriptor);
  const cudnnStatus_t status = PARCONV_REAL(cudnnBackendSetAttribute)(descriptor, name, type, count, values);
  if (status == CUDNN_STATUS_SUCCESS) record_of(descriptor)->set(name, type, count, values);
  return status;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t room, std::int64_t* count, void* values) {
  const auto record = record_of(descriptor);
  if (is_deferred(*record)) {
    if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE) return report_workspace(*record, room, count, values);
    if (const cudnnStatus_t status = finalize_deferred(*record); status != CUDNN_STATUS_SUCCESS) return status;
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
