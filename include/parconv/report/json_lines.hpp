// SPDX-License-Identifier: Apache-2.0
// Results of runs as JSON lines: one for the run, one for each layer.
#pragma once

#include <string>

#include "parconv/report/step_report.hpp"

namespace parconv {

/// The configuration and the result of a measurement, sufficient to repeat it.
struct RunRecord {
  std::string command{};
  std::string version{};
  std::string git_rev{};
  std::string compiler{};
  std::string model{};
  std::string input{};
  std::string output{};
  std::string split{};
  std::string backend{};
  std::string conv_algorithms{};  ///< on GPUs: heuristic, timed or exact; empty on CPUs
  std::string overlap{};
  std::string reduce{};
  std::string dtype{};  ///< of activations
  int ranks = 1;
  int hosts = 1;
  int threads = 1;
  index_t samples = 0;       ///< that this job computed
  index_t first_sample = 0;  ///< those before it were computed by an earlier job
  index_t batch = 0;
  index_t micro_batch = 0;
  double seconds = 0;
  double setup_seconds = 0;
  index_t records = 0;                ///< of the progress
  double record_seconds = 0;          ///< spent on them, part of `seconds`
  index_t sent_bytes = 0;             ///< by all ranks in the whole run
  index_t max_rank_memory_bytes = 0;  ///< of the rank with the largest memory
  std::string graphs{};               ///< on or off: use of graphs for steady ticks at the end of the run
  std::string graph_note{};           ///< reason why graphs are off
  index_t graph_launches = 0;
  double direct_tick_seconds = 0;  ///< median without graphs; 0 without a comparison
  double graph_tick_seconds = 0;
  double max_wait_fraction = 0;  ///< fraction of the time spent waiting for messages, of the rank that waited longest
  int slow_rank = -1;            ///< a rank that is slower than the median for the same work; -1: none
  std::string slow_rank_host{};
  std::string slow_rank_part{};  ///< compute or files
  double slow_rank_factor = 0;   ///< its time over that of the median rank
};

/// {"type": "run", ...}: one line with its newline.
std::string to_json_line(const RunRecord& record);

/// {"type": "layer", ...}: one line with its newline.
std::string to_json_line(const LayerReport& layer);

/// The steps of one rank as events of a Chrome trace (chrome://tracing, Perfetto), comma-separated; empty without steps. Local.
/// Shows the average micro-batch: consecutive steps, each as long as its average call, with a process per rank and a row per
/// track. Source: Google's Trace Event Format.
std::string trace_events(const Network& network, const Program& program, std::span<const MeasuredStep> steps);

}  // namespace parconv
