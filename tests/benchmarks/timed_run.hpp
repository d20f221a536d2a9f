// Networks in memory, run by the engine and timed step by step.
#pragma once

#include <memory>
#include <string>

#include "benchmarks/layer_list.hpp"
#include "parconv/comm/control.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/engine/job.hpp"

namespace parconv::bench {

/// The layer with bias and ReLU behind a cheap operator (node 0), from which it gets its halos or channels as it would from
/// another layer.
Network network_of(const Layer& layer);

/// `count` convolutions of one pixel and `channels` channels, one after the other.
Network chain_of_pixels(int count, index_t channels);

/// What one rank spent on a micro-batch.
struct LaneTimes {
  double compute_seconds = 0;        ///< with copies
  double communication_seconds = 0;  ///< with waiting

  double total_seconds() const { return compute_seconds + communication_seconds; }
};

/// How a network is run.
struct RunOptions {
  Split split{};
  Overlap overlap = Overlap::On;
  /// Steps of nodes before this one that compute are not counted.
  NodeId first_counted_node = 0;
};

/// A network bound to the ranks of `control`. Local but for `run` and construction, which are collective over them.
class TimedRun {
 public:
  TimedRun(Network network, const RunOptions& options, Control& control, Backend& backend);

  /// Runs micro-batches, all from the same input; the results go nowhere. Returns this rank's times per micro-batch. Reading the
  /// input is not counted.
  LaneTimes run(index_t micro_batches);

  /// Of this rank per micro-batch.
  index_t sent_bytes() const { return parconv::sent_bytes(engine_->program()); }
  index_t copied_bytes() const { return parconv::copied_bytes(engine_->program()); }
  /// What computes the last node on this rank.
  std::string implementation() const;

 private:
  LaneTimes spent() const;

  NodeId first_counted_node_;
  Job job_;
  std::unique_ptr<Communicator> communicator_;
  std::unique_ptr<DataSource> source_;
  std::unique_ptr<DataSink> sink_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace parconv::bench
