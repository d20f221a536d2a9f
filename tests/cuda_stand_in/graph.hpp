// Captures of streams, and the graphs that they end in.
#pragma once

#include <cuda_runtime_api.h>

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "stream.hpp"

namespace parconv::stand_in {

/// Work that comes after other work, by numbers. Every node comes after those that it depends on.
struct Graph {
  struct Node {
    Work work{};
    cudaEvent_t event = nullptr;  ///< to be recorded, if there is no work
    std::vector<std::size_t> after{};
  };
  std::vector<Node> nodes{};
};

class Capture;

/// Where a stream was in its capture: after these nodes.
struct CapturedPlace {
  std::shared_ptr<Capture> capture{};
  std::vector<std::size_t> nodes{};
};

/// What the streams of one capture are given.
class Capture : public std::enable_shared_from_this<Capture> {
 public:
  Capture(cudaStream_t origin, cudaStreamCaptureMode mode) : origin_(origin), mode_(mode) { last_[origin] = {}; }

  void add(cudaStream_t stream, Graph::Node node);
  /// Where `stream` is now.
  CapturedPlace place(cudaStream_t stream);
  /// Lets what `stream` is given from now on come after the place. False if the capture has ended.
  bool join(cudaStream_t stream, const CapturedPlace& place);
  /// Ends the capture for all its streams and gives what they were given.
  cudaError_t end(cudaStream_t stream, Graph& graph);

  /// From now on there is no graph to be had.
  void spoil();
  bool is_spoilt();
  /// True if calls like cudaMalloc spoil it when this thread makes them.
  bool forbids_unsafe_calls();

 private:
  bool is_joined() const;

  std::mutex mutex_{};
  cudaStream_t origin_;
  cudaStreamCaptureMode mode_;
  std::thread::id thread_ = std::this_thread::get_id();
  Graph graph_{};
  std::map<cudaStream_t, std::vector<std::size_t>> last_{};
  bool is_spoilt_ = false;
  bool has_ended_ = false;
};

/// For calls that wait or allocate: the error that they give during a capture, which they spoil.
cudaError_t unsafe_call();

}  // namespace parconv::stand_in
