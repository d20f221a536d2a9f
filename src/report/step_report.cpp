#include "parconv/report/step_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "parconv/core/error.hpp"
#include "parconv/report/units.hpp"

namespace parconv {
namespace {

std::size_t layer_of(const Network& network, const Step& step) {
  return step.node < 0 ? network.nodes.size() : static_cast<std::size_t>(step.node);
}

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

index_t sent_by(const Program& program, const Step& step) {
  const auto* start = std::get_if<Start>(&step.action);
  if (start == nullptr) return 0;
  index_t bytes = 0;
  for (const Message& message : program.communication(start->communication).sends) bytes += bytes_of(program, message.region);
  return bytes;
}

index_t copied_by(const Program& program, const Step& step) {
  const auto* copy = std::get_if<Copy>(&step.action);
  return copy == nullptr ? 0 : bytes_of(program, copy->src);
}

/// This rank's numbers, flat for a reduction: bytes, and seconds by layer and lane.
struct OwnNumbers {
  std::vector<index_t> bytes;   // sent and copied of each layer
  std::vector<double> seconds;  // of each layer and lane
  std::vector<std::set<std::string>> implementations;
  double wait_seconds = 0;
};

OwnNumbers own_numbers(const Network& network, const Program& program, std::span<const MeasuredStep> steps) {
  const std::size_t num_layers = network.nodes.size() + 1;
  OwnNumbers own{std::vector<index_t>(2 * num_layers), std::vector<double>(num_lanes * num_layers),
                 std::vector<std::set<std::string>>(num_layers)};
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const Step& step = program.steps[k];
    const std::size_t layer = layer_of(network, step);
    own.bytes[2 * layer] += sent_by(program, step);
    own.bytes[2 * layer + 1] += copied_by(program, step);
    own.seconds[num_lanes * layer + static_cast<std::size_t>(lane_of(step.action))] += steps[k].seconds;
    if (!steps[k].implementation.empty()) own.implementations[layer].insert(steps[k].implementation);
    if (std::holds_alternative<Await>(step.action)) own.wait_seconds += steps[k].seconds;
  }
  return own;
}

/// One line per layer; the names of a line joined by '+'.
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
  OwnNumbers own = own_numbers(network, program, steps);
  std::vector<double> most = own.seconds;
  control.all_reduce(Reduction::Sum, std::span(own.bytes));
  control.all_reduce(Reduction::Sum, std::span(own.seconds));
  control.all_reduce(Reduction::Max, std::span(most));
  report.max_wait_seconds = control.max(own.wait_seconds);
  for (std::size_t k = 0; k < report.layers.size(); ++k) {
    LayerReport& layer = report.layers[k];
    layer.sent_bytes = own.bytes[2 * k];
    layer.copied_bytes = own.bytes[2 * k + 1];
    report.sent_bytes += layer.sent_bytes;
    for (std::size_t lane = 0; lane < num_lanes; ++lane) {
      layer.max_seconds[lane] = most[num_lanes * k + lane];
      layer.mean_seconds[lane] = own.seconds[num_lanes * k + lane] / control.size();
    }
  }
  add_implementations(control.gather(to_lines(own.implementations)), report.layers);
  return report;
}

std::string layer_table(const StepReport& report) {
  std::string text = fmt::format("{:<28} {:<10} {:<14} {:>10} {:>10} {:>10} {:>10} {:>10}  {}\n", "layer", "operator", "split",
                                 "sent", "copied", "compute", "messages", "I/O", "computed by");
  for (const LayerReport& layer : report.layers)
    text +=
        fmt::format("{:<28.28} {:<10.10} {:<14.14} {:>10} {:>10} {:>10} {:>10} {:>10}  {}\n", layer.name, layer.op, layer.split,
                    format_bytes(layer.sent_bytes), format_bytes(layer.copied_bytes), format_seconds(layer.max_seconds[0]),
                    format_seconds(layer.max_seconds[1]), format_seconds(layer.max_seconds[2]), layer.implementation);
  return text;
}

}  // namespace parconv
