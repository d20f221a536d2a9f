// SPDX-License-Identifier: Apache-2.0
#include "parconv/report/json_lines.hpp"

#include <nlohmann/json.hpp>

namespace parconv {
namespace {

using nlohmann::ordered_json;

constexpr std::array<const char*, num_tracks> track_names{"compute", "communication", "io"};

ordered_json to_json(const TrackSeconds& seconds) {
  ordered_json json;
  for (std::size_t track = 0; track < num_tracks; ++track) json[track_names[track]] = seconds[track];
  return json;
}

/// Names come from files and may contain bytes that are not UTF-8, which are replaced.
std::string dumped(const ordered_json& json) { return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

}  // namespace

std::string to_json_line(const RunRecord& record) {
  const ordered_json json{{"type", "run"},
                          {"version", record.version},
                          {"git_rev", record.git_rev},
                          {"compiler", record.compiler},
                          {"command", record.command},
                          {"model", record.model},
                          {"input", record.input},
                          {"output", record.output},
                          {"ranks", record.ranks},
                          {"hosts", record.hosts},
                          {"threads", record.threads},
                          {"split", record.split},
                          {"backend", record.backend},
                          {"conv_algorithms", record.conv_algorithms},
                          {"overlap", record.overlap},
                          {"reduce", record.reduce},
                          {"dtype", record.dtype},
                          {"samples", record.samples},
                          {"first_sample", record.first_sample},
                          {"batch", record.batch},
                          {"micro_batch", record.micro_batch},
                          {"seconds", record.seconds},
                          {"setup_seconds", record.setup_seconds},
                          {"records", record.records},
                          {"record_seconds", record.record_seconds},
                          {"samples_per_second", record.seconds > 0 ? static_cast<double>(record.samples) / record.seconds : 0.0},
                          {"sent_bytes", record.sent_bytes},
                          {"max_rank_memory_bytes", record.max_rank_memory_bytes},
                          {"max_wait_fraction", record.max_wait_fraction},
                          {"slow_rank", record.slow_rank},
                          {"slow_rank_host", record.slow_rank_host},
                          {"slow_rank_part", record.slow_rank_part},
                          {"slow_rank_factor", record.slow_rank_factor},
                          {"graphs", record.graphs},
                          {"graph_note", record.graph_note},
                          {"graph_launches", record.graph_launches},
                          {"direct_tick_seconds", record.direct_tick_seconds},
                          {"graph_tick_seconds", record.graph_tick_seconds}};
  return dumped(json) + "\n";
}

std::string to_json_line(const LayerReport& layer) {
  const ordered_json json{{"type", "layer"},
                          {"node", layer.node},
                          {"name", layer.name},
                          {"op", layer.op},
                          {"split", layer.split},
                          {"stage", layer.stage},
                          {"sent_bytes_per_micro_batch", layer.costs.sent_bytes},
                          {"copied_bytes_per_micro_batch", layer.costs.copied_bytes},
                          {"flops_per_micro_batch", layer.costs.flops},
                          {"weight_bytes", layer.costs.weight_bytes},
                          {"max_seconds", to_json(layer.max_seconds)},
                          {"mean_seconds", to_json(layer.mean_seconds)},
                          {"implementation", layer.implementation}};
  return dumped(json) + "\n";
}

std::string trace_events(const Network& network, const Program& program, std::span<const MeasuredStep> steps) {
  std::string text;
  double now_us = 0;
  for (std::size_t k = 0; k < steps.size(); ++k) {
    if (steps[k].calls == 0) continue;
    const Step& step = program.steps[k];
    const bool is_node = step.node >= 0 && step.node < static_cast<NodeId>(network.nodes.size());
    const std::string layer = is_node ? network.value(network.node(step.node).output).name : "(output)";
    const double duration_us = steps[k].seconds / static_cast<double>(steps[k].calls) * 1e6;
    const ordered_json json{{"name", std::string(name_of(step.action)) + " " + layer},
                            {"cat", track_names[static_cast<std::size_t>(track_of(step.action))]},
                            {"ph", "X"},
                            {"ts", now_us},
                            {"dur", duration_us},
                            {"pid", program.rank},
                            {"tid", static_cast<int>(track_of(step.action))}};
    text += (text.empty() ? "" : ",\n") + dumped(json);
    now_us += duration_us;
  }
  return text;
}

}  // namespace parconv
