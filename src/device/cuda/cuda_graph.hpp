// SPDX-License-Identifier: Apache-2.0
// Work of CUDA streams that is captured once and launched many times.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

namespace parconv::cuda {

/// The work that `work` enqueued on a stream and on streams that joined the capture; not executed.
class CapturedWork {
 public:
  /// Throws Error if the work cannot be captured and rethrows exceptions of `work`; the stream is then unchanged.
  CapturedWork(cudaStream_t stream, const std::function<void()>& work);
  ~CapturedWork();
  CapturedWork(const CapturedWork&) = delete;
  CapturedWork& operator=(const CapturedWork&) = delete;

  cudaGraph_t get() const { return graph_; }

 private:
  cudaGraph_t graph_ = nullptr;
};

/// An executable graph. Kernels keep the priorities of the streams on which they were captured.
class Graph {
 public:
  explicit Graph(const CapturedWork& work);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// Uploads the graph ahead of its first launch.
  void upload(cudaStream_t stream);
  void launch(cudaStream_t stream);

 private:
  cudaGraphExec_t graph_ = nullptr;
};

}  // namespace parconv::cuda
