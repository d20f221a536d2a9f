// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/cuda_graph.hpp"

#include <exception>

#include "cuda/cuda_check.hpp"

namespace parconv::cuda {
namespace {

std::exception_ptr failure_of(const std::function<void()>& work) {
  try {
    work();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

}  // namespace

/// Thread-local capture mode: other threads, such as those of NCCL, remain unrestricted.
CapturedWork::CapturedWork(cudaStream_t stream, const std::function<void()>& work) {
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  const std::exception_ptr failure = failure_of(work);
  const cudaError_t status = cudaStreamEndCapture(stream, &graph_);
  if (status == cudaSuccess && !failure) return;
  if (graph_ != nullptr) cudaGraphDestroy(graph_);
  if (failure) std::rethrow_exception(failure);
  check(status, "cudaStreamEndCapture");
}

CapturedWork::~CapturedWork() { cudaGraphDestroy(graph_); }

Graph::Graph(const CapturedWork& work) {
  check(cudaGraphInstantiate(&graph_, work.get(), cudaGraphInstantiateFlagUseNodePriority), "cudaGraphInstantiate");
}

Graph::~Graph() { cudaGraphExecDestroy(graph_); }

void Graph::upload(cudaStream_t stream) { check(cudaGraphUpload(graph_, stream), "cudaGraphUpload"); }
void Graph::launch(cudaStream_t stream) { check(cudaGraphLaunch(graph_, stream), "cudaGraphLaunch"); }

}  // namespace parconv::cuda
