#include "parconv/program/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

std::string bytes_text(index_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  return fmt::format("{:.{}f} {}", value, unit == 0 || value >= 100 ? 0 : 1, units[unit]);
}

std::string count_text(double count) {
  constexpr std::array prefixes{"", " k", " M", " G", " T", " P"};
  std::size_t prefix = 0;
  for (; count >= 1000 && prefix + 1 < prefixes.size(); ++prefix) count /= 1000;
  return fmt::format("{:.{}f}{}", count, prefix == 0 ? 0 : 2, prefixes[prefix]);
}

/// "7" or "4-8".
std::string range_text(index_t least, index_t most) {
  return least == most ? fmt::format("{}", least) : fmt::format("{}-{}", least, most);
}

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

/// The sizes that ranks own along each axis of a layer's output, "1x64x4-8x56"; ranks without anything are counted apart.
std::string owned_text(const Distribution& owned, int ndims) {
  std::string text;
  for (Axis axis : all_axes) {
    if (!is_shown(axis, ndims)) continue;
    index_t least = 0;
    index_t most = 0;
    for (Interval piece : owned.pieces(axis).pieces) {
      if (piece.is_empty()) continue;
      least = least == 0 ? piece.size() : std::min(least, piece.size());
      most = std::max(most, piece.size());
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

void add_communication(const Program& program, const Step& step, LayerFigures& figures) {
  if (const auto* start = std::get_if<Start>(&step.action)) {
    const Communication& communication = program.communication(start->communication);
    for (const Message& message : communication.sends) figures.sent_bytes += bytes_of(program, message.region);
    figures.messages += static_cast<index_t>(communication.sends.size());
  } else if (const auto* await = std::get_if<Await>(&step.action)) {
    for (const Message& message : program.communication(await->communication).receives)
      figures.received_bytes += bytes_of(program, message.region);
  } else if (const auto* copy = std::get_if<Copy>(&step.action)) {
    figures.copied_bytes += bytes_of(program, copy->src);
  }
}

/// Short enough for a column.
std::string short_name(CommKind kind) {
  return kind == CommKind::PointToPoint ? "p2p" : kind == CommKind::ReduceScatter ? "sum" : std::string(name_of(kind));
}

/// How partial sums and the results of a layer move: "sum+allgather"; "-" if nothing does.
std::string communication_text(const Layout& layout, std::size_t node, const std::set<int>& used_orders) {
  const NodeSchedule& schedule = layout.schedules[node];
  std::vector<std::string> kinds;
  if (schedule.reduce_order >= 0 && used_orders.contains(schedule.reduce_order))
    kinds.push_back(short_name(CommKind::ReduceScatter));
  for (int index : schedule.deliveries) {
    const Delivery& delivery = layout.deliveries[static_cast<std::size_t>(index)];
    const int strips = layout.placements[node].is_summed ? 1 : std::max(1, schedule.num_strips);
    bool is_used = false;
    for (int strip = 0; strip < strips; ++strip)
      is_used = is_used || used_orders.contains(delivery.first_order + strip * delivery.order_step);
    const std::string kind = delivery.is_store ? "store" : short_name(delivery.kind);
    if (is_used && std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
  }
  return kinds.empty() ? "-" : fmt::format("{}", fmt::join(kinds, "+"));
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
        figures_(figures_of(network, layout, programs)) {
    for (const Program& program : programs)
      for (const Communication& communication : program.communications) used_orders_.insert(communication.order);
  }

  std::string run() {
    add_header();
    for (std::size_t k = 0; k < network_.nodes.size(); ++k) add_layer(k);
    if (figures_.back().received_bytes + figures_.back().copied_bytes > 0) add_store();
    add_totals();
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
    const LayerFigures& figures = figures_[k];
    text_ += fmt::format("{:<20.20} {:<9.9} {:>3} {:<11.11} {:>5} {:<18.18} {:>8} {:>8} {:>8} {:>8}  {:.18}\n", out.name,
                         name_of(node.op), placement.stage, concat(placement.grid), num_owners(placement),
                         owned_text(placement.owned, out.ndims), bytes_text(figures.received_bytes),
                         bytes_text(figures.sent_bytes), bytes_text(figures.copied_bytes), bytes_text(figures.weight_bytes),
                         communication_text(layout_, k, used_orders_));
    if (!options_.lists_ranks) return;
    for (int rank = placement.grid.first_rank; rank < placement.grid.first_rank + placement.grid.size(); ++rank) {
      const Box owned = placement.owned.box(rank);
      text_ += fmt::format("    rank {:<5} {}\n", rank, owned.is_empty() ? "nothing" : to_string(owned));
    }
  }

  void add_store() {
    const LayerFigures& figures = figures_.back();
    text_ +=
        fmt::format("{:<20} {:<9} {:>3} {:<11} {:>5} {:<18} {:>8} {:>8} {:>8} {:>8}  {}\n", "(output)", "Store", "", "", "", "",
                    bytes_text(figures.received_bytes), bytes_text(0), bytes_text(figures.copied_bytes), bytes_text(0), "-");
  }

  void add_totals() {
    LayerFigures total;
    for (const LayerFigures& figures : figures_) {
      total.sent_bytes += figures.sent_bytes;
      total.copied_bytes += figures.copied_bytes;
      total.messages += figures.messages;
      total.weight_bytes += figures.weight_bytes;
      total.flops += figures.flops;
    }
    text_ += fmt::format("\ntotal: {} sent in {} messages, {} copied, {} of weights, {}FLOP\n", bytes_text(total.sent_bytes),
                         total.messages, bytes_text(total.copied_bytes), bytes_text(total.weight_bytes), flop_text(total.flops));
  }

  static std::string flop_text(double flops) {
    const std::string text = count_text(flops);
    return text.find(' ') == std::string::npos ? text + " " : text;
  }

  void add_memory() {
    const auto total_of = [](const Program& program) { return program.arena_bytes + program.weight_bytes; };
    index_t least = total_of(programs_.front());
    const Program* largest = &programs_.front();
    for (const Program& program : programs_) {
      least = std::min(least, total_of(program));
      if (total_of(program) > total_of(*largest)) largest = &program;
    }
    text_ += fmt::format("memory per rank: {} to {}; most on rank {}: {} of buffers + {} of weights\n", bytes_text(least),
                         bytes_text(total_of(*largest)), largest->rank, bytes_text(largest->arena_bytes),
                         bytes_text(largest->weight_bytes));
    if (!options_.lists_ranks) return;
    for (const Program& program : programs_)
      text_ += fmt::format("    rank {:<5} {:>9} of buffers, {:>9} of weights, {:>9} sent, {} steps\n", program.rank,
                           bytes_text(program.arena_bytes), bytes_text(program.weight_bytes), bytes_text(sent_bytes(program)),
                           program.steps.size());
  }

  const Network& network_;
  const Plan& plan_;
  const Layout& layout_;
  std::span<const Program> programs_;
  ExplainOptions options_;
  std::vector<LayerFigures> figures_;
  std::set<int> used_orders_{};  // of communications that move something
  std::string text_{};
};

}  // namespace

std::vector<LayerFigures> figures_of(const Network& network, const Layout& layout, std::span<const Program> programs) {
  std::vector<LayerFigures> figures(network.nodes.size() + 1);
  for (const Program& program : programs) {
    for (const Step& step : program.steps) add_communication(program, step, figures[static_cast<std::size_t>(step.node)]);
    for (std::size_t k = 0; k < network.nodes.size(); ++k) {
      const Share share = layout.placements[k].share(program.rank);
      if (share.computed.is_empty()) continue;
      figures[k].weight_bytes += weight_bytes(network, network.nodes[k], share, layout.options.type);
      figures[k].flops += flops(network, network.nodes[k], share);
    }
  }
  return figures;
}

std::string explain(const Network& network, const Plan& plan, const Layout& layout, std::span<const Program> programs,
                    const ExplainOptions& options) {
  PARCONV_EXPECT(static_cast<int>(programs.size()) == layout.num_ranks, programs.size(), " programs for ", layout.num_ranks,
                 " ranks");
  return Explainer(network, plan, layout, programs, options).run();
}

}  // namespace parconv
