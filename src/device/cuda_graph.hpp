// Work of CUDA streams that is captured once and launched again and again.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

namespace parconv::cuda {

/// What was given to a stream, and to streams that waited for it, while `work` ran; nothing of it is done.
class CapturedWork {
 public:
  /// Throws what `work` throws, and Error if the work cannot be captured. The stream is as before then.
  CapturedWork(cudaStream_t stream, const std::function<void()>& work);
  ~CapturedWork();
  CapturedWork(const CapturedWork&) = delete;
  CapturedWork& operator=(const CapturedWork&) = delete;

  cudaGraph_t get() const { return graph_; }

 private:
  cudaGraph_t graph_ = nullptr;
};

/// Captured work that can be launched. Kernels keep the priorities of the streams that they were captured on.
class Graph {
 public:
  explicit Graph(const CapturedWork& work);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// Brings to the GPU what the first launch would bring otherwise.
  void upload(cudaStream_t stream);
  void launch(cudaStream_t stream);

 private:
  cudaGraphExec_t graph_ = nullptr;
};

}  // namespace parconv::cuda
