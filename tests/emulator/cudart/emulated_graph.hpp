// SPDX-License-Identifier: Apache-2.0
// Stream captures and graphs.
#pragma once

#include <cuda_runtime_api.h>

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "emulator/cudart/emulated_stream.hpp"

namespace parconv::emulator {

/// Work with dependencies, as node indices. Nodes are in topological order.
struct Graph {
  struct Node {
    Work work{};
    cudaEvent_t event = nullptr;  ///< recorded by nodes without work
    std::vector<std::size_t> after{};
  };
  std::vector<Node> nodes{};
};

class Capture;

/// Position of a stream in its capture: after these nodes.
struct CapturePoint {
  std::shared_ptr<Capture> capture{};
  std::vector<std::size_t> nodes{};
};

/// Work captured from the streams of one capture.
class Capture : public std::enable_shared_from_this<Capture> {
 public:
  Capture(cudaStream_t origin, cudaStreamCaptureMode mode) : origin_(origin), mode_(mode) { last_[origin] = {}; }

  void add(cudaStream_t stream, Graph::Node node);
  /// The current position of `stream`.
  CapturePoint point(cudaStream_t stream);
  /// Makes subsequent work of `stream` depend on `point`. False if the capture has ended.
  bool join(cudaStream_t stream, const CapturePoint& point);
  /// Ends the capture on all its streams and returns the captured graph.
  cudaError_t end(cudaStream_t stream, Graph& graph);

  /// Invalidates the capture; ending it then fails.
  void invalidate();
  bool is_invalidated();
  /// True if potentially unsafe calls (cudaMalloc etc.) by this thread invalidate the capture.
  bool forbids_unsafe_calls();

 private:
  bool is_joined() const;

  std::mutex mutex_{};
  cudaStream_t origin_;
  cudaStreamCaptureMode mode_;
  std::thread::id thread_ = std::this_thread::get_id();
  Graph graph_{};
  std::map<cudaStream_t, std::vector<std::size_t>> last_{};
  bool is_invalidated_ = false;
  bool has_ended_ = false;
};

/// Called by functions that wait or allocate: invalidates the captures that forbid it, and returns the resulting error.
cudaError_t unsafe_call();

}  // namespace parconv::emulator
