// SPDX-License-Identifier: Apache-2.0
#include "parconv/report/step_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>
#include <utility>

#include "parconv/core/error.hpp"
#include "parconv/core/names.hpp"
#include "parconv/core/units.hpp"

namespace parconv {
namespace {

std::vector<LayerReport> described_layers(const Network& network, const Layout& layout) {
  std::vector<LayerReport> layers(network.nodes.size() + 1);
  for (std::size_t k = 0; k < network.nodes.size(); ++k) {
    const Node& node = network.nodes[k];
    layers[k] = {.node = static_cast<NodeId>(k),
                 .name = network.value(node.output).name,
                 .op = name_of(node.op),
                 .split = concat(layout.placements[k].grid),
                 .stage = layout.placements[k].stage};
  }
  layers.back() = {.node = static_cast<NodeId>(network.nodes.size()), .name = "(output)", .op = "Store"};
  return layers;
}

constexpr std::array counts{&Costs::weight_bytes,      &Costs::sent_messages,  &Costs::sent_bytes,   &Costs::copied_bytes,
                            &Costs::received_messages, &Costs::received_bytes, &Costs::loaded_bytes, &Costs::stored_bytes};

static_assert(sizeof(Costs) == sizeof(double) + counts.size() * sizeof(index_t), "every count is summed");

/// Costs over all ranks. Collective.
std::vector<Costs> summed(Control& control, std::vector<Costs> own) {
  std::vector<index_t> integers;
  std::vector<double> operations;
  for (const Costs& costs : own) {
    for (auto count : counts) integers.push_back(costs.*count);
    operations.push_back(costs.flops);
  }
  control.all_reduce(ReduceOp::Sum, std::span(integers));
  control.all_reduce(ReduceOp::Sum, std::span(operations));
  for (std::size_t k = 0; k < own.size(); ++k) {
    for (std::size_t c = 0; c < counts.size(); ++c) own[k].*counts[c] = integers[k * counts.size() + c];
    own[k].flops = operations[k];
  }
  return own;
}

/// This rank's measurements, flat for a reduction.
struct OwnTimes {
  std::vector<double> seconds;  // of each layer and track
  std::vector<std::set<std::string>> implementations;
  double wait_seconds = 0;
};

OwnTimes own_times(std::size_t num_layers, const Program& program, std::span<const MeasuredStep> steps) {
  OwnTimes own{std::vector<double>(num_tracks * num_layers), std::vector<std::set<std::string>>(num_layers)};
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const Step& step = program.steps[k];
    const auto layer = static_cast<std::size_t>(step.node);
    own.seconds[num_tracks * layer + static_cast<std::size_t>(track_of(step.action))] += steps[k].seconds;
    if (!steps[k].implementation.empty()) own.implementations[layer].insert(steps[k].implementation);
    if (std::holds_alternative<Await>(step.action)) own.wait_seconds += steps[k].seconds;
  }
  return own;
}

/// A slow rank holds the job up only if it costs some of its time.
constexpr double least_share = 0.05;
constexpr double least_seconds = 0.05;

/// Work of one rank in the tracks Compute and Io, flat for a gather: seconds of all layers, then their amounts.
std::vector<double> own_work(const OwnTimes& own, std::span<const Costs> costs) {
  std::vector<double> numbers;
  for (const Track track : {Track::Compute, Track::Io}) {
    for (std::size_t layer = 0; layer < costs.size(); ++layer)
      numbers.push_back(own.seconds[num_tracks * layer + static_cast<std::size_t>(track)]);
    for (const Costs& layer : costs)
      numbers.push_back(track == Track::Compute ? layer.flops : static_cast<double>(layer.loaded_bytes + layer.stored_bytes));
  }
  return numbers;
}

/// The numbers of a rank in `track` (0: Compute, 1: Io), from its bytes.
RankWork work_from(const std::string& bytes, std::size_t track) {
  std::vector<double> numbers(bytes.size() / sizeof(double));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  const auto layers = static_cast<std::ptrdiff_t>(numbers.size() / 4);
  const auto first = numbers.begin() + static_cast<std::ptrdiff_t>(track) * 2 * layers;
  return {.seconds = {first, first + layers}, .amount = {first + layers, first + 2 * layers}};
}

/// On rank 0. Collective.
std::optional<SlowRank> find_slow_rank(Control& control, const OwnTimes& own, std::span<const Costs> costs) {
  const std::vector<double> numbers = own_work(own, costs);
  const std::string bytes(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double));
  const double longest = control.max(std::accumulate(own.seconds.begin(), own.seconds.end(), 0.0));
  const std::vector<std::string> all = control.gather(bytes);
  std::optional<SlowRank> slow;
  for (const Track track : {Track::Compute, Track::Io}) {
    std::vector<RankWork> ranks;
    for (const std::string& each : all) ranks.push_back(work_from(each, track == Track::Compute ? 0 : 1));
    if (!slow) slow = slowest_rank(ranks, track, std::max(least_seconds, least_share * longest));
  }
  return slow;
}

/// One line per layer, with its names joined by '+'.
std::string to_lines(const std::vector<std::set<std::string>>& implementations) {
  std::string text;
  for (const auto& names : implementations) {
    std::string line;
    for (const std::string& name : names) line += (line.empty() ? "" : "+") + name;
    text += line + '\n';
  }
  return text;
}

void add_implementations(const std::vector<std::string>& texts, std::vector<LayerReport>& layers) {
  for (const std::string& text : texts) {
    std::size_t begin = 0;
    for (LayerReport& layer : layers) {
      const std::size_t end = text.find('\n', begin);
      PARCONV_EXPECT(end != std::string::npos, "a rank with fewer layers");
      if (layer.implementation.empty()) layer.implementation = text.substr(begin, end - begin);
      begin = end + 1;
    }
  }
}

}  // namespace

StepReport collect_steps(Control& control, const Network& network, const Layout& layout, const Program& program,
                         std::span<const MeasuredStep> steps) {
  PARCONV_EXPECT(steps.size() == program.steps.size(), steps.size(), " of ", program.steps.size(), " steps");
  StepReport report{.layers = described_layers(network, layout)};
  std::vector<Costs> own_costs = costs_of(network, layout, program).layers;
  OwnTimes own = own_times(own_costs.size(), program, steps);
  report.slow_rank = find_slow_rank(control, own, own_costs);
  const std::vector<Costs> costs = summed(control, std::move(own_costs));
  std::vector<double> most = own.seconds;
  control.all_reduce(ReduceOp::Sum, std::span(own.seconds));
  control.all_reduce(ReduceOp::Max, std::span(most));
  report.max_wait_seconds = control.max(own.wait_seconds);
  for (std::size_t k = 0; k < report.layers.size(); ++k) {
    LayerReport& layer = report.layers[k];
    layer.costs = costs[k];
    report.costs += costs[k];
    for (std::size_t track = 0; track < num_tracks; ++track) {
      layer.max_seconds[track] = most[num_tracks * k + track];
      layer.mean_seconds[track] = own.seconds[num_tracks * k + track] / control.size();
    }
  }
  add_implementations(control.gather(to_lines(own.implementations)), report.layers);
  return report;
}

std::string layer_table(const StepReport& report) {
  std::string text = fmt::format("{:<28} {:<10} {:<14} {:>10} {:>10} {:>10} {:>10} {:>10}  {}\n", "layer", "operator", "split",
                                 "sent", "copied", "compute", "messages", "I/O", "computed by");
  std::vector<std::string> all;
  for (const LayerReport& layer : report.layers) all.push_back(layer.name);
  const std::vector<std::string> names = shortened(all, 28);
  for (std::size_t k = 0; k < names.size(); ++k) {
    const LayerReport& layer = report.layers[k];
    text += fmt::format("{:<28} {:<10.10} {:<14.14} {:>10} {:>10} {:>10} {:>10} {:>10}  {}\n", names[k], layer.op, layer.split,
                        format_bytes(layer.costs.sent_bytes), format_bytes(layer.costs.copied_bytes),
                        format_seconds(layer.max_seconds[0]), format_seconds(layer.max_seconds[1]),
                        format_seconds(layer.max_seconds[2]), layer.implementation);
  }
  return text;
}

}  // namespace parconv
