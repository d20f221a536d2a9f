// SPDX-License-Identifier: Apache-2.0
#include "emulator/cudart/emulated_graph.hpp"

#include <algorithm>
#include <set>

#include "emulator/cudart/emulated_runtime.hpp"
#include "emulator/settings.hpp"

namespace parconv::emulator {
namespace {

/// The captures in progress.
struct Captures {
  std::mutex mutex{};
  std::set<std::shared_ptr<Capture>> all{};
};

Captures& captures() {
  static auto& captures = *new Captures;
  return captures;
}

}  // namespace

void Capture::add(cudaStream_t stream, Graph::Node node) {
  const std::scoped_lock lock(mutex_);
  node.after = last_[stream];
  last_[stream] = {graph_.nodes.size()};
  graph_.nodes.push_back(std::move(node));
}

CapturePoint Capture::point(cudaStream_t stream) {
  const std::scoped_lock lock(mutex_);
  return {.capture = shared_from_this(), .nodes = last_[stream]};
}

bool Capture::join(cudaStream_t stream, const CapturePoint& point) {
  const std::scoped_lock lock(mutex_);
  std::vector<std::size_t>& last = last_[stream];
  last.insert(last.end(), point.nodes.begin(), point.nodes.end());
  return !has_ended_;
}

/// True if all captured work has been joined into the origin stream.
bool Capture::is_joined() const {
  std::set<std::size_t> before(last_.at(origin_).begin(), last_.at(origin_).end());
  for (std::size_t node = graph_.nodes.size(); node-- > 0;)
    if (before.contains(node)) before.insert(graph_.nodes[node].after.begin(), graph_.nodes[node].after.end());
  return before.size() == graph_.nodes.size();
}

cudaError_t Capture::end(cudaStream_t stream, Graph& graph) {
  const std::scoped_lock lock(mutex_);
  if (stream != origin_) return cudaErrorStreamCaptureUnmatched;
  if (mode_ != cudaStreamCaptureModeRelaxed && thread_ != std::this_thread::get_id()) return cudaErrorStreamCaptureWrongThread;
  has_ended_ = true;
  for (const auto& [each, last] : last_) each->capture.reset();
  {
    const std::scoped_lock list_lock(captures().mutex);
    captures().all.erase(shared_from_this());
  }
  if (is_invalidated_) return cudaErrorStreamCaptureInvalidated;
  if (!is_joined()) return cudaErrorStreamCaptureUnjoined;
  graph = std::move(graph_);
  return cudaSuccess;
}

void Capture::invalidate() {
  const std::scoped_lock lock(mutex_);
  is_invalidated_ = true;
}

bool Capture::is_invalidated() {
  const std::scoped_lock lock(mutex_);
  return is_invalidated_;
}

bool Capture::forbids_unsafe_calls() {
  const std::scoped_lock lock(mutex_);
  if (mode_ == cudaStreamCaptureModeRelaxed) return false;
  return mode_ == cudaStreamCaptureModeGlobal || thread_ == std::this_thread::get_id();
}

cudaError_t unsafe_call() {
  const std::scoped_lock lock(captures().mutex);
  cudaError_t status = cudaSuccess;
  for (const std::shared_ptr<Capture>& capture : captures().all) {
    if (!capture->forbids_unsafe_calls()) continue;
    capture->invalidate();
    status = cudaErrorStreamCaptureUnsupported;
  }
  return status;
}

namespace {

/// One launch of a graph, with the marks of its event records.
class Launch {
 public:
  Launch(std::shared_ptr<const Graph> graph, std::uint64_t seed) : graph_(std::move(graph)), random_(seed) {
    for (const Graph::Node& node : graph_->nodes) marks_.push_back(node.event != nullptr ? new_mark(*node.event) : nullptr);
  }

  /// Runs the nodes in a random topological order, one of those a GPU may choose.
  void run() {
    std::vector<bool> is_done(graph_->nodes.size());
    std::vector<std::size_t> left(graph_->nodes.size());
    for (std::size_t k = 0; k < left.size(); ++k) left[k] = k;
    while (!left.empty()) {
      const std::size_t at = pick(left, is_done);
      do_node(left[at]);
      is_done[left[at]] = true;
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }

 private:
  std::size_t pick(const std::vector<std::size_t>& left, const std::vector<bool>& is_done) {
    std::vector<std::size_t> ready;
    for (std::size_t at = 0; at < left.size(); ++at) {
      const std::vector<std::size_t>& after = graph_->nodes[left[at]].after;
      if (std::all_of(after.begin(), after.end(), [&](std::size_t node) { return is_done[node]; })) ready.push_back(at);
    }
    return ready[random_() % ready.size()];
  }

  void do_node(std::size_t node) {
    if (marks_[node])
      marks_[node]->reach();
    else
      graph_->nodes[node].work();
  }

  std::shared_ptr<const Graph> graph_;
  std::mt19937_64 random_;
  std::vector<std::shared_ptr<Mark>> marks_{};
};

}  // namespace
}  // namespace parconv::emulator

using namespace parconv::emulator;

struct CUgraph_st {
  std::shared_ptr<const Graph> graph{};
};
struct CUgraphExec_st {
  std::shared_ptr<const Graph> graph{};
  std::uint64_t launches = 0;
};

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  PARCONV_EMULATOR_ENTER();
  if (stream == nullptr) return record_error(cudaErrorStreamCaptureUnsupported);
  if (stream->capture) return record_error(cudaErrorInvalidValue);
  stream->capture = std::make_shared<Capture>(stream, mode);
  const std::scoped_lock lock(captures().mutex);
  captures().all.insert(stream->capture);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  PARCONV_EMULATOR_ENTER();
  *graph = nullptr;
  const std::shared_ptr<Capture> capture = stream_of(stream).capture;
  if (!capture) return record_error(cudaErrorInvalidValue);
  Graph captured;
  if (const cudaError_t status = capture->end(stream, captured); status != cudaSuccess) return record_error(status);
  *graph = new CUgraph_st{std::make_shared<const Graph>(std::move(captured))};
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  PARCONV_EMULATOR_ENTER();
  const std::shared_ptr<Capture> capture = stream_of(stream).capture;
  *status = capture ? (capture->is_invalidated() ? cudaStreamCaptureStatusInvalidated : cudaStreamCaptureStatusActive)
                    : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  PARCONV_EMULATOR_ENTER();
  *exec = new CUgraphExec_st{.graph = graph->graph};
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
  PARCONV_EMULATOR_ENTER();
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  PARCONV_EMULATOR_ENTER();
  const auto launch = std::make_shared<Launch>(exec->graph, settings().seed + exec->launches++);
  submit(stream, [launch] { launch->run(); });
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
