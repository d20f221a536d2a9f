// Results of runs as JSON lines: one for the run, one for each layer.
#pragma once

#include <string>

#include "parconv/report/step_report.hpp"

namespace parconv {

/// All that is needed to understand and repeat a measurement, and its result.
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
  std::string engines{};  ///< on GPUs: heuristic, timed or exact; empty on CPUs
  std::string overlap{};
  std::string reduce{};
  std::string dtype{};  ///< of activations
  int ranks = 1;
  int hosts = 1;
  int threads = 1;
  index_t samples = 0;
  index_t batch = 0;
  index_t micro_batch = 0;
  double seconds = 0;
  double setup_seconds = 0;
  index_t sent_bytes = 0;             ///< by all ranks in the whole run
  index_t max_rank_memory_bytes = 0;  ///< of the rank that holds most
  std::string graphs{};               ///< on or off: whether steady ticks were launched as graphs in the end
  std::string graph_remark{};         ///< why not
  index_t graph_launches = 0;
  double direct_tick_seconds = 0;  ///< medians that were compared; 0 if nothing was
  double graph_tick_seconds = 0;
  double max_wait_share = 0;  ///< seconds spent waiting for messages / seconds, of the rank that waited longest
};

/// {"type": "run", ...}: one line with its end.
std::string to_json_line(const RunRecord& record);

/// {"type": "layer", ...}: one line with its end.
std::string to_json_line(const LayerReport& layer);

/// The steps of one rank as events of a Chrome trace (chrome://tracing, Perfetto), comma-separated, empty without steps. Shows
/// the average micro-batch: steps one after the other, each as long as its average call; a process per rank, a row per lane.
std::string trace_events(const Network& network, const Program& program, std::span<const MeasuredStep> steps);

}  // namespace parconv
