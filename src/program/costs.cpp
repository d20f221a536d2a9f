// SPDX-License-Identifier: Apache-2.0
#include "parconv/program/costs.hpp"

#include <map>

#include "parconv/core/error.hpp"
#include "parconv/core/overloaded.hpp"

namespace parconv {
namespace {

index_t bytes_of(const Program& program, const std::vector<Message>& messages) {
  index_t bytes = 0;
  for (const Message& message : messages) bytes += bytes_of(program, message.region);
  return bytes;
}

std::vector<PeerCosts> peers_of(const Program& program) {
  std::map<int, PeerCosts> peers;
  for (const Communication& communication : program.communications) {
    for (const Message& message : communication.sends) {
      ++peers[message.peer].sent_messages;
      peers[message.peer].sent_bytes += bytes_of(program, message.region);
    }
    for (const Message& message : communication.receives) {
      ++peers[message.peer].received_messages;
      peers[message.peer].received_bytes += bytes_of(program, message.region);
    }
  }
  std::vector<PeerCosts> result;
  for (auto& [peer, costs] : peers) {
    costs.peer = peer;
    result.push_back(costs);
  }
  return result;
}

/// Storing the outputs counts as a layer after the last node.
std::size_t layer_of(const Network& network, const Step& step) {
  const auto layer = static_cast<std::size_t>(step.node);
  PARCONV_EXPECT(step.node >= 0 && layer <= network.nodes.size(), "a step of node ", step.node, " of ", network.nodes.size());
  return layer;
}

/// The costs of a step without its operations.
Costs moved_by(const Program& program, const Action& action) {
  return std::visit(Overloaded{
                        [&](const Load& load) { return Costs{.loaded_bytes = bytes_of(program, load.dst)}; },
                        [&](const Start& start) {
                          const std::vector<Message>& sends = program.communication(start.communication).sends;
                          return Costs{.sent_messages = std::ssize(sends), .sent_bytes = bytes_of(program, sends)};
                        },
                        [&](const Await& await) {
                          const std::vector<Message>& receives = program.communication(await.communication).receives;
                          return Costs{.received_messages = std::ssize(receives), .received_bytes = bytes_of(program, receives)};
                        },
                        [&](const Copy& copy) { return Costs{.copied_bytes = bytes_of(program, copy.src)}; },
                        [&](const Store& store) { return Costs{.stored_bytes = bytes_of(program, store.src)}; },
                        [](const auto&) { return Costs{}; },
                    },
                    action);
}

}  // namespace

Costs& Costs::operator+=(const Costs& other) {
  flops += other.flops;
  weight_bytes += other.weight_bytes;
  sent_messages += other.sent_messages;
  sent_bytes += other.sent_bytes;
  received_messages += other.received_messages;
  received_bytes += other.received_bytes;
  copied_bytes += other.copied_bytes;
  loaded_bytes += other.loaded_bytes;
  stored_bytes += other.stored_bytes;
  return *this;
}

Costs RankCosts::total() const { return sum_of(layers); }

Costs costs_of_step(const Network& network, const Program& program, const Step& step) {
  Costs costs = moved_by(program, step.action);
  if (const auto* compute = std::get_if<Compute>(&step.action))
    costs.flops = flops(network, network.node(step.node), compute->work);
  return costs;
}

RankCosts costs_of(const Network& network, const Layout& layout, const Program& program) {
  RankCosts costs{.rank = program.rank, .peers = peers_of(program), .arena_bytes = program.arena_bytes};
  costs.layers.resize(network.nodes.size() + 1);
  for (const Step& step : program.steps) costs.layers[layer_of(network, step)] += moved_by(program, step.action);
  for (std::size_t k = 0; k < network.nodes.size(); ++k) {
    const WorkRegion work = layout.placements[k].work(program.rank);
    if (work.computed.is_empty()) continue;
    costs.layers[k].weight_bytes = weight_bytes(network, network.nodes[k], work, layout.options.type);
    costs.layers[k].flops = flops(network, network.nodes[k], work);
  }
  for (const Load& constant : program.constants) costs.constant_bytes += bytes_of(program, constant.dst);
  return costs;
}

std::vector<RankCosts> costs_of_all(const Network& network, const Layout& layout, std::span<const Program> programs) {
  std::vector<RankCosts> costs;
  for (const Program& program : programs) costs.push_back(costs_of(network, layout, program));
  return costs;
}

std::vector<Costs> costs_by_layer(std::span<const RankCosts> ranks) {
  std::vector<Costs> layers;
  for (const RankCosts& rank : ranks) {
    layers.resize(std::max(layers.size(), rank.layers.size()));
    for (std::size_t k = 0; k < rank.layers.size(); ++k) layers[k] += rank.layers[k];
  }
  return layers;
}

Costs sum_of(std::span<const Costs> costs) {
  Costs total;
  for (const Costs& each : costs) total += each;
  return total;
}

HostTraffic host_traffic(std::span<const RankCosts> ranks, int ranks_per_host) {
  PARCONV_EXPECT(ranks_per_host >= 1, ranks_per_host, " ranks per host");
  HostTraffic traffic;
  for (const RankCosts& rank : ranks)
    for (const PeerCosts& peer : rank.peers) {
      const bool is_inside = rank.rank / ranks_per_host == peer.peer / ranks_per_host;
      (is_inside ? traffic.inside_bytes : traffic.between_bytes) += peer.sent_bytes;
    }
  return traffic;
}

}  // namespace parconv
