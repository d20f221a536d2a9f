// SPDX-License-Identifier: Apache-2.0
// Networks in memory, run by the engine with timing per step.
#pragma once

#include <memory>
#include <string>

#include "benchmarks/layer_list.hpp"
#include "parconv/comm/control.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/engine/rank_plan.hpp"

namespace parconv::bench {

/// The layer with bias and ReLU after a cheap operator (node 0), from which it receives halos or channels as from another
/// layer.
Network network_of(const Layer& layer);

/// A chain of `count` one-pixel convolutions with `channels` channels.
Network chain_of_pixels(int count, index_t channels);

/// Times of one rank per micro-batch.
struct TrackTimes {
  double compute_seconds = 0;        ///< including copies
  double communication_seconds = 0;  ///< including waiting

  double total_seconds() const { return compute_seconds + communication_seconds; }
};

/// Configuration of a run.
struct RunOptions {
  SplitRequest split{};
  Overlap overlap = Overlap::On;
  /// Compute steps of earlier nodes are not counted.
  NodeId first_counted_node = 0;
};

/// A network bound to the ranks of `control`. Construction and `run` are collective, everything else is local.
class TimedRun {
 public:
  TimedRun(Network network, const RunOptions& options, Control& control, Backend& backend);

  /// Runs micro-batches of the same input and discards the results. Returns this rank's times per micro-batch, without reading
  /// the input.
  TrackTimes run(index_t micro_batches);

  /// Bytes sent by this rank per micro-batch.
  index_t sent_bytes() const { return parconv::sent_bytes(engine_->program()); }
  index_t copied_bytes() const { return parconv::copied_bytes(engine_->program()); }
  /// Implementation of the last node's kernel on this rank.
  std::string implementation() const;

 private:
  TrackTimes spent() const;

  NodeId first_counted_node_;
  RankPlan job_;
  std::unique_ptr<Communicator> communicator_;
  std::unique_ptr<DataSource> source_;
  std::unique_ptr<DataSink> sink_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace parconv::bench
