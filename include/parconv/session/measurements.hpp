// SPDX-License-Identifier: Apache-2.0
// Measurements of runs: seconds by layer, bytes, memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parconv/comm/watched_communicator.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/engine/rank_plan.hpp"
#include "parconv/report/json_lines.hpp"

namespace parconv {

/// The record and the layers as JSON, one line each.
std::string to_json_lines(const RunRecord& record, const StepReport& layers);

/// The measured steps of an engine, for collect_steps.
std::vector<MeasuredStep> measured_steps(const Engine& engine);

/// The measurements of one session. Every non-const method is collective.
class Measurements {
 public:
  explicit Measurements(Control& control) : control_(control) {}

  /// Adds a run. Returns the seconds of the slowest rank.
  double add_run(double seconds);
  /// Adds an engine after its last run. Layers and graphs are those of the first engine, which has the full micro-batches.
  void add_engine(const RankPlan& plan, const Engine& engine);
  bool has_layers() const { return layers_.has_value(); }

  /// Fills in times, bytes, memory, graphs, ranks and hosts. Precondition: has_layers().
  void complete(RunRecord& record, const WatchedCommunicator& communicator);

  const StepReport& layers() const { return *layers_; }
  const GraphReport& graphs() const { return graphs_; }
  /// One line on the use of graphs.
  std::string graph_text() const;
  /// A human-readable summary of a few lines.
  std::string summary(const RunRecord& record) const;
  /// A Chrome trace of all ranks, on rank 0.
  std::string trace();

 private:
  void take_memory(const MemoryUse& use);
  std::string memory_text() const;

  Control& control_;
  std::optional<StepReport> layers_{};
  GraphReport graphs_{};
  std::string trace_events_{};
  double seconds_ = 0;
  double first_engine_seconds_ = 0;
  index_t memory_bytes_ = 0;
  index_t device_bytes_ = 0;
  index_t pinned_bytes_ = 0;
  index_t process_bytes_ = 0;
};

}  // namespace parconv
