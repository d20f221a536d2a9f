// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/measurements.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "parconv/core/units.hpp"
#include "parconv/session/machine.hpp"

namespace parconv {

std::string to_json_lines(const RunRecord& record, const StepReport& layers) {
  std::string text = to_json_line(record);
  for (const LayerReport& layer : layers.layers) text += to_json_line(layer);
  return text;
}

std::vector<MeasuredStep> measured_steps(const Engine& engine) {
  std::vector<MeasuredStep> steps;
  for (std::size_t k = 0; k < engine.step_times().size(); ++k)
    steps.push_back({.seconds = engine.step_times()[k].seconds,
                     .calls = engine.step_times()[k].calls,
                     .implementation = engine.implementation(k)});
  return steps;
}

double Measurements::add_run(double seconds) {
  const double slowest = control_.max(seconds);
  seconds_ += slowest;
  return slowest;
}

void Measurements::add_engine(const RankPlan& plan, const Engine& engine) {
  take_memory(engine.memory());
  if (layers_) return;
  const std::vector<MeasuredStep> steps = measured_steps(engine);
  layers_ = collect_steps(control_, plan.network, plan.layout, plan.program, steps);
  graphs_ = engine.graphs();
  trace_events_ = trace_events(plan.network, plan.program, steps);
  first_engine_seconds_ = seconds_;
}

void Measurements::take_memory(const MemoryUse& use) {
  memory_bytes_ = std::max(memory_bytes_, control_.max(use.total()));
  device_bytes_ = std::max(device_bytes_, control_.max(use.device_bytes()));
  pinned_bytes_ = std::max(pinned_bytes_, control_.max(use.pinned_bytes));
}

/// Pinned memory exists only with GPUs.
std::string Measurements::memory_text() const {
  const std::string process = format_bytes(process_bytes_);
  if (pinned_bytes_ == 0)
    return fmt::format("memory of a rank: at most {} of data and weights, {} in all", format_bytes(memory_bytes_), process);
  return fmt::format("memory of a rank: at most {} of data, weights and scratch on its GPU; {} pinned, {} in all in the host",
                     format_bytes(device_bytes_), format_bytes(pinned_bytes_), process);
}

void Measurements::complete(RunRecord& record, const WatchedCommunicator& communicator) {
  record.ranks = control_.size();
  record.hosts = num_hosts(control_);
  record.seconds = seconds_;
  record.sent_bytes = control_.sum(communicator.total().bytes_sent);
  record.max_rank_memory_bytes = memory_bytes_;
  record.max_wait_fraction = first_engine_seconds_ > 0 ? layers_->max_wait_seconds / first_engine_seconds_ : 0;
  if (const auto& slow = layers_->slow_rank) {
    record.slow_rank = slow->rank;
    record.slow_rank_host = control_.host_names()[static_cast<std::size_t>(slow->rank)];
    record.slow_rank_part = slow->track == Track::Io ? "files" : "compute";
    record.slow_rank_factor = slow->factor;
  }
  record.graphs = graphs_.are_used ? "on" : "off";
  record.graph_note = graphs_.note;
  record.graph_launches = graphs_.launches;
  record.direct_tick_seconds = graphs_.direct_tick_seconds;
  record.graph_tick_seconds = graphs_.graph_tick_seconds;
  process_bytes_ = control_.max(peak_process_bytes());
}

std::string Measurements::graph_text() const {
  const std::string compared = graphs_.graph_tick_seconds > 0 ? fmt::format(": a tick takes {} as a graph and {} without",
                                                                            format_seconds(graphs_.graph_tick_seconds),
                                                                            format_seconds(graphs_.direct_tick_seconds))
                                                              : std::string();
  if (!graphs_.are_used) return fmt::format("no CUDA graphs: {}{}", graphs_.note, compared);
  return fmt::format("{} ticks launched as CUDA graphs{}", graphs_.launches, compared);
}

std::string Measurements::summary(const RunRecord& record) const {
  const double rate = record.seconds > 0 ? static_cast<double>(record.samples) / record.seconds : 0;
  const std::string slow =
      layers_->slow_rank ? fmt::format("note: {}\n", text_of(*layers_->slow_rank, record.slow_rank_host)) : std::string();
  return fmt::format(
      "{} samples in {}: {:.4g} samples/s (and {} to prepare)\n"
      "{} moved between ranks; at most {:.0f} % of a rank's time spent waiting for them\n"
      "{}\n{}",
      record.samples, format_seconds(record.seconds), rate, format_seconds(record.setup_seconds), format_bytes(record.sent_bytes),
      100 * record.max_wait_fraction, memory_text(), slow);
}

std::string Measurements::trace() {
  std::string text = "[\n";
  bool is_first = true;
  for (const std::string& events : control_.gather(trace_events_)) {
    if (events.empty()) continue;
    if (!is_first) text += ",\n";
    text += events;
    is_first = false;
  }
  return text + "\n]\n";
}

}  // namespace parconv
