// What a run took: seconds by layer, bytes, memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parconv/engine/engine.hpp"
#include "parconv/engine/job.hpp"
#include "parconv/report/json_lines.hpp"
#include "watched_communicator.hpp"

namespace parconv::app {

/// The steps of an engine as the report wants them.
std::vector<MeasuredStep> measured_steps(const Engine& engine);

class Measurements {
 public:
  explicit Measurements(Control& control) : control_(control) {}

  /// A block of micro-batches is done. Collective. Layers and graphs are those of the first block, which has the full
  /// micro-batches.
  void add(const Job& block, const Engine& engine, double seconds);

  /// Fills in what was measured and what the ranks are. Collective.
  void complete(RunRecord& record, const WatchedCommunicator& communicator);

  const StepReport& layers() const { return *layers_; }
  const GraphReport& graphs() const { return graphs_; }
  /// What became of graphs, in a line.
  std::string graph_text() const;
  /// A few lines for people.
  std::string summary(const RunRecord& record) const;
  std::string json_lines(const RunRecord& record) const;
  /// A Chrome trace of all ranks, on rank 0. Collective.
  std::string trace();

 private:
  void take_memory(const MemoryUse& use);
  std::string memory_text() const;

  Control& control_;
  std::optional<StepReport> layers_{};
  GraphReport graphs_{};
  std::string trace_events_{};
  double seconds_ = 0;
  double first_block_seconds_ = 0;
  index_t memory_bytes_ = 0;
  index_t device_bytes_ = 0;
  index_t pinned_bytes_ = 0;
  index_t process_bytes_ = 0;
};

}  // namespace parconv::app
