// SPDX-License-Identifier: Apache-2.0
#include "parconv/program/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "parconv/core/error.hpp"
#include "parconv/core/names.hpp"
#include "parconv/core/units.hpp"
#include "parconv/program/costs.hpp"
#include "program/explain_moves.hpp"

namespace parconv {
namespace {

bool is_shown(Axis axis, int ndims) {
  switch (axis) {
    case Axis::N:
    case Axis::C:
      return true;
    case Axis::D:
      return ndims == 5;
    case Axis::H:
      return ndims >= 3;
    case Axis::W:
      return ndims >= 4;
  }
  return true;
}

/// The owned sizes along each axis of a layer's output, "1x64x4-8x56"; ranks with empty boxes are counted separately.
std::string owned_text(const Distribution& owned, int ndims) {
  std::string text;
  for (Axis axis : all_axes) {
    if (!is_shown(axis, ndims)) continue;
    index_t least = 0;
    index_t most = 0;
    for (Interval block : owned.partition(axis).blocks) {
      if (block.is_empty()) continue;
      least = least == 0 ? block.size() : std::min(least, block.size());
      most = std::max(most, block.size());
    }
    if (!text.empty()) text += 'x';
    text += range_text(least, most);
  }
  return text;
}

int num_owners(const Placement& placement) {
  int owners = 0;
  for (int k = 0; k < placement.grid.size(); ++k)
    if (!placement.owned.box(placement.grid.first_rank + k).is_empty()) ++owners;
  return owners;
}

class Explainer {
 public:
  Explainer(const Network& network, const Plan& plan, const Layout& layout, std::span<const Program> programs,
            const ExplainOptions& options)
      : network_(network),
        plan_(plan),
        layout_(layout),
        programs_(programs),
        options_(options),
        ranks_(costs_of_all(network, layout, programs)),
        layers_(costs_by_layer(ranks_)),
        moves_(layout, programs) {
    std::vector<std::string> names;
    for (const Node& node : network.nodes) names.push_back(network.value(node.output).name);
    names_ = shortened(names, 20);
  }

  std::string run() {
    add_header();
    for (std::size_t k = 0; k < network_.nodes.size(); ++k) add_layer(k);
    if (layers_.back().received_bytes + layers_.back().copied_bytes > 0) add_store();
    add_totals();
    text_ += moves_.totals();
    text_ += off_leaves_text(network_, plan_);
    add_hosts();
    add_memory();
    return std::move(text_);
  }

 private:
  void add_header() {
    text_ += fmt::format("{} layers on {} rank{} in {} stage{}; all bytes are per micro-batch and over all ranks\n",
                         network_.nodes.size(), plan_.num_ranks, plan_.num_ranks == 1 ? "" : "s", plan_.num_stages,
                         plan_.num_stages == 1 ? "" : "s");
    if (layout_.options.type != DType::F32)
      text_ += fmt::format("activations and filters are {}; partial sums, statistics, biases and other constants f32\n",
                           name_of(layout_.options.type));
    text_ += '\n';
    text_ += fmt::format("{:<20} {:<9} {:>3} {:<11} {:>5} {:<18} {:>8} {:>8} {:>8} {:>8}  {}\n", "layer", "operator", "st.",
                         "split", "ranks", "owned by a rank", "received", "sent", "copied", "weights", "moves by");
  }

  void add_layer(std::size_t k) {
    const Node& node = network_.nodes[k];
    const Placement& placement = layout_.placements[k];
    const Value& out = network_.value(node.output);
    const Costs& costs = layers_[k];
    text_ +=
        fmt::format("{:<20} {:<9.9} {:>3} {:<11.11} {:>5} {:<18.18} {:>8} {:>8} {:>8} {:>8}  {:.21}\n", names_[k],
                    name_of(node.op), placement.stage, concat(placement.grid), num_owners(placement),
                    owned_text(placement.owned, out.ndims), format_bytes(costs.received_bytes), format_bytes(costs.sent_bytes),
                    format_bytes(costs.copied_bytes), format_bytes(costs.weight_bytes), moves_.of_layer(k));
    if (!options_.lists_ranks) return;
    text_ += moves_.groups_of_layer(k);
    for (int rank = placement.grid.first_rank; rank < placement.grid.first_rank + placement.grid.size(); ++rank) {
      const Box owned = placement.owned.box(rank);
      text_ += fmt::format("    rank {:<5} {}\n", rank, owned.is_empty() ? "nothing" : to_string(owned));
    }
  }

  void add_store() {
    const Costs& costs = layers_.back();
    text_ +=
        fmt::format("{:<20} {:<9} {:>3} {:<11} {:>5} {:<18} {:>8} {:>8} {:>8} {:>8}  {}\n", "(output)", "Store", "", "", "", "",
                    format_bytes(costs.received_bytes), format_bytes(0), format_bytes(costs.copied_bytes), format_bytes(0), "-");
  }

  void add_totals() {
    const Costs total = sum_of(layers_);
    text_ += fmt::format("\ntotal: {} sent in {} messages, {} copied, {} of weights, {}FLOP\n", format_bytes(total.sent_bytes),
                         total.sent_messages, format_bytes(total.copied_bytes), format_bytes(total.weight_bytes),
                         flop_text(total.flops));
  }

  static std::string flop_text(double flops) {
    const std::string text = format_count(flops);
    return text.find(' ') == std::string::npos ? text + " " : text;
  }

  void add_hosts() {
    if (options_.ranks_per_host == 0) return;
    const HostTraffic traffic = host_traffic(ranks_, options_.ranks_per_host);
    text_ += fmt::format("hosts of {} rank{}: {} sent inside, {} between them\n", options_.ranks_per_host,
                         options_.ranks_per_host == 1 ? "" : "s", format_bytes(traffic.inside_bytes),
                         format_bytes(traffic.between_bytes));
  }

  void add_memory() {
    const auto has_less = [](const RankCosts& a, const RankCosts& b) { return a.memory_bytes() < b.memory_bytes(); };
    const RankCosts& least = *std::min_element(ranks_.begin(), ranks_.end(), has_less);
    const RankCosts& most = *std::max_element(ranks_.begin(), ranks_.end(), has_less);
    text_ += fmt::format("memory per rank: {} to {}; most on rank {}: {} of buffers + {} of weights\n",
                         format_bytes(least.memory_bytes()), format_bytes(most.memory_bytes()), most.rank,
                         format_bytes(most.arena_bytes), format_bytes(most.total().weight_bytes));
    if (!options_.lists_ranks) return;
    for (std::size_t k = 0; k < ranks_.size(); ++k) {
      const Costs total = ranks_[k].total();
      text_ += fmt::format("    rank {:<5} {:>9} of buffers, {:>9} of weights, {:>9} sent, {} steps\n", ranks_[k].rank,
                           format_bytes(ranks_[k].arena_bytes), format_bytes(total.weight_bytes), format_bytes(total.sent_bytes),
                           programs_[k].steps.size());
    }
  }

  const Network& network_;
  const Plan& plan_;
  const Layout& layout_;
  std::span<const Program> programs_;
  ExplainOptions options_;
  std::vector<RankCosts> ranks_;
  std::vector<Costs> layers_;
  MovesText moves_;
  std::vector<std::string> names_{};  // of nodes, as shown
  std::string text_{};
};

}  // namespace

std::string explain(const Network& network, const Plan& plan, const Layout& layout, std::span<const Program> programs,
                    const ExplainOptions& options) {
  PARCONV_EXPECT(static_cast<int>(programs.size()) == layout.num_ranks, programs.size(), " programs for ", layout.num_ranks,
                 " ranks");
  return Explainer(network, plan, layout, programs, options).run();
}

std::string off_leaves_text(const Network& network, const Plan& plan) {
  constexpr std::size_t most_columns = 112;  // with the count of further layers at most 130
  std::string text;
  int num_rest = 0;
  for (std::size_t k = 0; k < network.nodes.size(); ++k) {
    if (!place(network, network.nodes[k], plan.nodes[k]).is_cut_off_leaves) continue;
    const std::string name = fmt::format("{:.40}", network.value(network.nodes[k].output).name);
    if (text.empty())
      text = "sums cut inside leaves, so last bits may differ from one rank's: " + name;
    else if (num_rest == 0 && text.size() + name.size() + 2 <= most_columns)
      text += ", " + name;
    else
      ++num_rest;
  }
  if (text.empty()) return text;
  return num_rest == 0 ? text + '\n' : fmt::format("{} and {} more layer{}\n", text, num_rest, num_rest == 1 ? "" : "s");
}

}  // namespace parconv
