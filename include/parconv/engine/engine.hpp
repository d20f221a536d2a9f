// Binds a program to memory, a communicator and a backend; prepares once, then runs micro-batch after micro-batch.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parconv/comm/communicator.hpp"
#include "parconv/comm/control.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/io/data_sink.hpp"
#include "parconv/io/data_source.hpp"
#include "parconv/program/program.hpp"

namespace parconv {

/// Whether a device captures the steady ticks of a run, in which all stages work, and launches each as one graph: where it gains
/// more than 2 %, or wherever it can. All ranks do, or none.
enum class GraphUse { Off, Auto, On };

struct EngineOptions {
  /// Reads filters; constants of the network are read as they are.
  FilterReader read_filter{};
  /// Where the buffers are, and what the backend and the communicator were made for; it must outlive the engine. Null: the host.
  Device* device = nullptr;
  GraphUse graphs = GraphUse::Off;
  /// By which the ranks of the communicator agree on graphs, on a device; without it there are none.
  Control* control = nullptr;
  /// Called on every rank after each tick with the number of ticks done in this run: progress lines, a watchdog's kick. On a
  /// device a tick is done when all its work is given to the device.
  std::function<void(index_t ticks_done)> on_tick{};
};

/// Memory that one rank holds, in bytes.
struct MemoryUse {
  index_t arena_bytes = 0;    ///< buffers of the program
  index_t staging_bytes = 0;  ///< packed messages
  index_t scratch_bytes = 0;  ///< of kernels, shared between them
  index_t weight_bytes = 0;   ///< packed weights
  index_t pinned_bytes = 0;   ///< in host memory: messages and blocks of files on the way to and from a device

  /// In the memory of the device.
  index_t device_bytes() const { return arena_bytes + staging_bytes + scratch_bytes + weight_bytes; }
  index_t total() const { return device_bytes() + pinned_bytes; }
};

/// What an engine of this program will hold at least. Not known before its kernels are prepared: their scratch memory, what
/// libraries add to the weights, and pinned memory.
MemoryUse known_memory(const Program& program);

/// What was spent on one step since the engine was made. On a device: until the compute lane went on to the next one.
struct StepTime {
  double seconds = 0;
  index_t calls = 0;
};

/// What became of EngineOptions::graphs.
struct GraphReport {
  bool are_used = false;           ///< steady ticks are launched as graphs now
  index_t launches = 0;            ///< since the engine was made
  double direct_tick_seconds = 0;  ///< the slowest rank's median; 0 where nothing was compared
  double graph_tick_seconds = 0;
  std::string remark{};  ///< why graphs are not used, or not yet; empty if they are
};

/// Where the data of a run come from and go to, in the order of the network's inputs and outputs. Sample 0 of the first
/// micro-batch is sample `first_sample` of the sources and sinks.
struct RunData {
  std::span<DataSource* const> sources{};
  std::span<DataSink* const> sinks{};
  index_t first_sample = 0;
};

/// One rank's executor. The network, communicator and backend must outlive it.
class Engine {
 public:
  /// Local: allocates all memory, prepares all kernels (which read their weights) and all messages. Throws Error of the
  /// backend or of reading; std::bad_alloc.
  Engine(const Network& network, Program program, Communicator& communicator, Backend& backend, const EngineOptions& options);
  ~Engine();
  Engine(Engine&&) noexcept;

  /// Collective, blocking: runs `micro_batches` micro-batches through all stages. The ranks meet in messages only, and on a
  /// device up to three times by `control`, if there may be graphs. Our code allocates nothing here beyond what the sources and
  /// sinks do, and graphs when they are captured.
  void run(const RunData& data, index_t micro_batches);

  const Program& program() const;
  MemoryUse memory() const;
  /// One entry per step of the program.
  std::span<const StepTime> step_times() const;
  /// The same on all ranks.
  GraphReport graphs() const;
  /// What computes a step ("brgconv:avx512_core"); empty for steps that do not compute.
  std::string implementation(std::size_t step) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parconv
