// SPDX-License-Identifier: Apache-2.0
// Binds a program to memory, a communicator and a backend; prepares once, then runs micro-batches.
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

/// Whether steady ticks, in which all stages work, are captured and launched as device graphs. Auto: if that gains more than 2
/// %; On: if capture is available. All ranks use graphs or none does.
enum class GraphUse { Off, Auto, On };

/// Micro-batches of a run on one rank.
struct RunProgress {
  index_t begun = 0;
  index_t stored = 0;  ///< the first of them, whose outputs on this rank are in the sinks
};

/// Options of Engine.
struct EngineOptions {
  /// Reads filters. Other constants are read from the network directly.
  FilterReader read_filter{};
  /// The device of all buffers, of the backend and of the communicator, which must outlive the engine. Null: the host.
  Device* device = nullptr;
  /// Threads that share copies on the host.
  int threads = 1;
  GraphUse graphs = GraphUse::Off;
  /// For agreement on graphs between the ranks of the communicator. Null: no graphs.
  Control* control = nullptr;
  /// Called on every rank after each tick with the number of ticks done in this run, for progress lines or a watchdog. On a
  /// device a tick is done when all its work is enqueued.
  std::function<void(index_t ticks_done)> on_tick{};
  /// Called after on_tick as long as another micro-batch is to begin. If it returns true, none begins any more, and the run ends
  /// when those begun are complete. Must return the same on all ranks for the same number of micro-batches begun.
  std::function<bool(const RunProgress& progress)> ends_early{};
  /// Called before each step with its node and micro-batch, for heartbeats. Steps of a graph are not reported.
  std::function<void(NodeId node, index_t micro_batch)> on_step{};
};

/// Memory that one rank holds, in bytes.
struct MemoryUse {
  index_t arena_bytes = 0;    ///< buffers of the program
  index_t staging_bytes = 0;  ///< packed messages
  index_t scratch_bytes = 0;  ///< of kernels, shared between them
  index_t weight_bytes = 0;   ///< packed weights
  index_t pinned_bytes = 0;   ///< pinned host memory that stages messages and file blocks

  /// In the memory of the device.
  index_t device_bytes() const { return arena_bytes + staging_bytes + scratch_bytes + weight_bytes; }
  index_t total() const { return device_bytes() + pinned_bytes; }
};

/// A lower bound on the memory of an engine for `program`. Pure. Excludes what is known only after preparation: scratch memory,
/// library overhead of packed weights, and pinned memory.
MemoryUse known_memory(const Program& program);

/// Time and calls of one step since the engine was constructed. On a device the time ends when the compute stream reaches the
/// next step.
struct StepTime {
  double seconds = 0;
  index_t calls = 0;
};

/// The outcome of EngineOptions::graphs.
struct GraphReport {
  bool are_used = false;           ///< steady ticks are currently launched as graphs
  index_t launches = 0;            ///< since construction
  double direct_tick_seconds = 0;  ///< median of the slowest rank; 0: not compared
  double graph_tick_seconds = 0;
  std::string note{};  ///< the reason why graphs are not used (yet); empty if they are
};

/// The sources and sinks of a run, in the order of the network's inputs and outputs. Sample 0 of micro-batch 0 is sample
/// `first_sample` of the sources and sinks.
struct RunData {
  std::span<DataSource* const> sources{};
  std::span<DataSink* const> sinks{};
  index_t first_sample = 0;
};

/// One rank's executor. The network, communicator and backend must outlive it.
class Engine {
 public:
  /// Allocates all memory, prepares all kernels (which read their weights) and all messages. Local. Throws Errors of the
  /// backend and of reading, and std::bad_alloc.
  Engine(const Network& network, Program program, Communicator& communicator, Backend& backend, const EngineOptions& options);
  ~Engine();
  Engine(Engine&&) noexcept;

  /// Runs `micro_batches` micro-batches through all stages, fewer if EngineOptions::ends_early says so, and returns their number.
  /// Collective, blocking. Ranks synchronise through messages only, and
  /// up to three times through `control` if graphs are enabled on a device. Allocates nothing in parconv beyond the sources,
  /// the sinks and captured graphs. Throws Error(Communication), and Errors of sources and sinks.
  index_t run(const RunData& data, index_t micro_batches);

  const Program& program() const;
  MemoryUse memory() const;
  /// One entry per step of the program.
  std::span<const StepTime> step_times() const;
  /// Equal on all ranks.
  GraphReport graphs() const;
  /// The implementation of a step ("brgconv:avx512_core"); empty for steps that do not compute.
  std::string implementation(std::size_t step) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parconv
