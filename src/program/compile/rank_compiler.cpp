// SPDX-License-Identifier: Apache-2.0
#include "program/compile/rank_compiler.hpp"

#include <algorithm>
#include <set>

#include "parconv/core/error.hpp"
#include "parconv/geometry/transfers.hpp"
#include "parconv/model/value_types.hpp"
#include "program/compile/arena.hpp"

namespace parconv {
namespace {

/// Stages between a send to a later stage and its Await: of two slots, one is sent while the other is filled.
constexpr int send_lag = 2;

bool is_dense_per_sample(const Box& inner, const Box& outer) {
  const Interval sample{inner[Axis::N].lo, inner[Axis::N].lo + 1};
  return is_contiguous_within(inner.with(Axis::N, sample), outer);
}

/// `need`, extended at the high end to `there` along axes where that adds fewer inputs than a stride.
Box widened(Box need, const Box& there, const Window& window) {
  for (Axis axis : spatial_axes)
    if (there[axis].hi - need[axis].hi < window[axis].stride) need[axis].hi = std::max(need[axis].hi, there[axis].hi);
  return need;
}

}  // namespace

RankCompiler::RankCompiler(const Network& network, const Layout& layout, int rank)
    : network_(network),
      layout_(layout),
      rank_(rank),
      places_(place_owned_boxes(network, layout, rank)),
      owned_buffers_(network.nodes.size(), -1),
      arrivals_(layout.deliveries.size()) {
  program_.rank = rank;
  program_.num_ranks = layout.num_ranks;
  program_.num_stages = layout.num_stages;
  for (std::size_t k = 0; k < layout.deliveries.size(); ++k)
    for (const Use& use : layout.deliveries[k].uses) delivery_of_use_[{use.consumer, use.operand}] = static_cast<int>(k);
}

Program RankCompiler::build() {
  const auto num_nodes = static_cast<NodeId>(network_.nodes.size());
  for (NodeId node = 0; node < num_nodes; ++node) compile_node(node);
  for (std::size_t k = 0; k < layout_.deliveries.size(); ++k)
    if (layout_.deliveries[k].is_store) store(static_cast<int>(k));
  assign_memory(program_);
  return std::move(program_);
}

int RankCompiler::delivery_of(const Use& use) const { return delivery_of_use_.at({use.consumer, use.operand}); }

// ---- Buffers ------------------------------------------------------------------------------------------------------------

BufferId RankCompiler::add_buffer(ValueId value, BufferRole role, const Box& box) {
  program_.buffers.push_back({.value = value, .role = role, .box = box, .type = layout_.types[static_cast<std::size_t>(value)]});
  return static_cast<BufferId>(program_.buffers.size()) - 1;
}

BufferId RankCompiler::add_sum_buffer(NodeId node, BufferRole role, const Box& box) {
  const BufferId id = add_buffer(network_.node(node).output, role, box);
  program_.buffers.back().type = partial_type(network_.node(node).op);
  return id;
}

/// The buffer that holds the node's owned box: its own, or that of a Concat.
BufferId RankCompiler::owned_buffer(NodeId node) {
  const NodeId home = places_.nodes[static_cast<std::size_t>(node)].home;
  BufferId& id = owned_buffers_[static_cast<std::size_t>(home)];
  if (id < 0) id = add_buffer(network_.node(home).output, BufferRole::Owned, places_.allocated[static_cast<std::size_t>(home)]);
  return id;
}

/// `box` of the node's output, in the indices of the buffer that holds its owned box.
Region RankCompiler::owned_region(NodeId node, const Box& box) {
  return {owned_buffer(node), shifted(box, places_.nodes[static_cast<std::size_t>(node)].offsets)};
}

/// Chooses the destination of a delivery: beside or within the owned box, the output of a Concat, or a buffer of its own.
void RankCompiler::place_arrival(int index) {
  const Delivery& d = delivery(index);
  Arrival& arrival = arrivals_[static_cast<std::size_t>(index)];
  arrival.need = d.need.box(rank_);
  if (arrival.need.is_empty() || arrival.buffer >= 0) return;
  if (d.is_concat) {
    const Use& use = d.uses.front();
    arrival.buffer = owned_buffer(use.consumer);
    arrival.offsets = places_.part_offsets(network_, use);
    return;
  }
  const bool is_local = d.producer >= 0 && d.from_stage == d.to_stage;
  if (is_local && (places_.lands_in_place[static_cast<std::size_t>(index)] || owned_box(d.producer).contains(arrival.need))) {
    arrival.buffer = owned_buffer(d.producer);
    arrival.offsets = places_.nodes[static_cast<std::size_t>(d.producer)].offsets;
    return;
  }
  arrival.buffer = add_buffer(d.value, BufferRole::Operand, arrival.need);
}

Region RankCompiler::arrived(int index, const Box& box) const {
  const Arrival& arrival = arrivals_[static_cast<std::size_t>(index)];
  return {arrival.buffer, shifted(box, arrival.offsets)};
}

/// The region from which a computation reads `need` of an operand: the owned box, the delivered box, or, if the backend requires
/// dense operands and neither is dense, a new copy. Fewer unread inputs than a stride may stay at the high end of an axis: a 1x1
/// convolution of stride 2 needs columns [0, 55) of 56, and all 56 are dense.
Region RankCompiler::operand_region(NodeId node, std::size_t operand, const Box& need) {
  const int index = delivery_of({node, operand});
  const Delivery& d = delivery(index);
  Region region = arrived(index, need);
  Box there = arrivals_[static_cast<std::size_t>(index)].need;
  const bool is_local = d.producer >= 0 && d.from_stage == d.to_stage && owned_box(d.producer).contains(need);
  if (is_local) {
    region = owned_region(d.producer, need);
    there = owned_box(d.producer);
  }
  const auto* conv = std::get_if<Conv>(&network_.node(node).op);
  const Box& allocated = program_.buffer(region.buffer).box;
  const bool is_dense_wanted = layout_.options.needs_dense && filter_of(network_.node(node).op) != nullptr;
  if (!is_dense_wanted || is_dense_per_sample(need, allocated)) return region;
  const Box wider = conv != nullptr && operand == 0 ? widened(need, there, conv->window) : need;
  if (is_dense_per_sample(wider, allocated)) return {region.buffer, wider};
  const Region dense{add_buffer(d.value, BufferRole::Operand, need), need};
  add_step(Copy{region, dense}, node, placement(node).stage);
  return dense;
}

// ---- Communications -----------------------------------------------------------------------------------------------------

CommId RankCompiler::add_communication(Communication communication) {
  if (communication.sends.empty() && communication.receives.empty()) return -1;
  program_.communications.push_back(std::move(communication));
  return static_cast<CommId>(program_.communications.size()) - 1;
}

/// The strips in which `rank` sends its owned box.
std::vector<Box> RankCompiler::strips(NodeId node, int rank) const {
  const Placement& place = placement(node);
  if (place.is_summed) return {place.owned.box(rank)};
  return strips_of(layout_.schedules[static_cast<std::size_t>(node)], place.computed.box(rank),
                   extents_of(network_.node(node).output));
}

void RankCompiler::add_delivery_communications(int index) {
  const Delivery& d = delivery(index);
  const Distribution& owned = placement(d.producer).owned;
  const std::vector<Box> own_strips = strips(d.producer, rank_);
  std::vector<Communication> communications;
  for (int strip = 0; strip < static_cast<int>(own_strips.size()); ++strip)
    communications.push_back({.order = d.first_order + strip * d.order_step,
                              .value = d.value,
                              .group = layout_.group(d.groups, static_cast<std::size_t>(strip), rank_)});
  for (const Transfer& transfer : sends(owned, d.need, rank_))
    for (std::size_t strip = 0; strip < communications.size(); ++strip) {
      const Box box = intersect(transfer.box, own_strips[strip]);
      if (!box.is_empty()) communications[strip].sends.push_back({transfer.to, owned_region(d.producer, box)});
    }
  for (const Transfer& transfer : receives(owned, d.need, rank_)) {
    const std::vector<Box> sender_strips = strips(d.producer, transfer.from);
    for (std::size_t strip = 0; strip < communications.size(); ++strip) {
      const Box box = intersect(transfer.box, sender_strips[strip]);
      if (!box.is_empty()) communications[strip].receives.push_back({transfer.from, arrived(index, box)});
    }
  }
  for (Communication& communication : communications)
    arrivals_[static_cast<std::size_t>(index)].communications.push_back(add_communication(std::move(communication)));
}

/// Sends own partial sums to the owners and adds buffers for the incoming ones; records all contributions in the order of the
/// summation.
std::vector<CommId> RankCompiler::add_reduce_communications(NodeId node, std::span<const PartialSum> partials) {
  const Placement& place = placement(node);
  const NodeSchedule& schedule = layout_.schedules[static_cast<std::size_t>(node)];
  const Extents& extents = extents_of(network_.node(node).output);
  std::vector<Communication> communications(static_cast<std::size_t>(schedule.num_strips));
  const auto own_strips = strips_of(schedule, place.work(rank_).computed, extents);
  for (const Transfer& transfer : contributions_from(place.computed, place.owned, rank_)) {
    if (transfer.to == rank_) continue;
    for (std::size_t strip = 0; strip < communications.size(); ++strip) {
      const Box box = intersect(transfer.box, own_strips[strip]);
      for (const PartialSum& partial : partials) {
        const Box part = intersect(box, partial.work.computed);
        if (!part.is_empty()) communications[strip].sends.push_back({transfer.to, {partial.buffer, part}});
      }
    }
  }
  for (const Transfer& transfer : contributions_to(place.computed, place.owned, rank_)) {
    if (transfer.from == rank_) {
      for (const PartialSum& partial : partials) add_contribution(node, intersect(transfer.box, partial.work.computed), partial);
      continue;
    }
    const auto strips = strips_of(schedule, place.work(transfer.from).computed, extents);
    for (const WorkRegion& work : place.partial_sums(transfer.from)) {
      const Box whole = intersect(transfer.box, work.computed);
      if (whole.is_empty()) continue;
      const BufferId buffer = add_sum_buffer(node, BufferRole::Incoming, whole);
      add_contribution(node, whole, {buffer, work});
      for (std::size_t strip = 0; strip < communications.size(); ++strip) {
        const Box box = intersect(whole, strips[strip]);
        if (!box.is_empty()) communications[strip].receives.push_back({transfer.from, {buffer, box}});
      }
    }
  }
  std::vector<CommId> ids;
  for (std::size_t strip = 0; strip < communications.size(); ++strip) {
    communications[strip].order = schedule.reduce_order + static_cast<int>(strip);
    communications[strip].value = network_.node(node).output;
    communications[strip].group = layout_.group(schedule.sum_groups, strip, rank_);
    ids.push_back(add_communication(std::move(communications[strip])));
  }
  return ids;
}

void RankCompiler::add_contribution(NodeId node, const Box& box, const PartialSum& partial) {
  if (!box.is_empty()) incoming_[node].push_back({box, partial.buffer, partial.work.contracted[Axis::C]});
}

// ---- Steps --------------------------------------------------------------------------------------------------------------

void RankCompiler::compile_node(NodeId node) {
  const NodeSchedule& schedule = layout_.schedules[static_cast<std::size_t>(node)];
  for (int index : schedule.arrivals) {
    if (delivery(index).producer < 0)
      load(index);
    else
      await_delivery(index, node);
  }
  if (!owned_box(node).is_empty()) owned_buffer(node);
  for (int index : schedule.deliveries) place_arrival(index);
  for (int index : schedule.deliveries) add_delivery_communications(index);
  await_sends_of_earlier_batches(node);
  if (placement(node).is_summed)
    compute_sum(node);
  else
    compute_strips(node);
  copy_own_parts(node);
  program_.weight_bytes += weight_bytes(network_, network_.node(node), placement(node).work(rank_), layout_.options.type);
}

/// Inputs and constants come from files: each rank loads the box that it needs, halo included.
void RankCompiler::load(int index) {
  const Delivery& d = delivery(index);
  Arrival& arrival = arrivals_[static_cast<std::size_t>(index)];
  place_arrival(index);
  if (arrival.need.is_empty()) return;
  if (network_.value(d.value).kind == ValueKind::Input) {
    add_step(Load{d.value, arrival.need, arrived(index, arrival.need)}, d.first_consumer, d.to_stage);
    return;
  }
  if (!d.is_concat) {
    program_.buffers[static_cast<std::size_t>(arrival.buffer)].role = BufferRole::Constant;
    program_.constants.push_back({d.value, arrival.need, {arrival.buffer, arrival.need}});
    return;
  }
  const Region constant{add_buffer(d.value, BufferRole::Constant, arrival.need), arrival.need};
  program_.constants.push_back({d.value, arrival.need, constant});
  add_step(Copy{constant, arrived(index, arrival.need)}, d.first_consumer, d.to_stage);
}

void RankCompiler::await_delivery(int index, NodeId node) {
  const Delivery& d = delivery(index);
  for (CommId id : arrivals_[static_cast<std::size_t>(index)].communications) {
    if (id < 0) continue;
    const bool only_sends_ahead = d.from_stage != d.to_stage && program_.communication(id).receives.empty();
    if (!only_sends_ahead) add_step(Await{id}, node, d.to_stage);
  }
}

/// Awaits a send to a later stage before its slot is filled again.
void RankCompiler::await_sends_of_earlier_batches(NodeId node) {
  for (int index : layout_.schedules[static_cast<std::size_t>(node)].deliveries) {
    const Delivery& d = delivery(index);
    if (d.from_stage == d.to_stage) continue;
    for (CommId id : arrivals_[static_cast<std::size_t>(index)].communications)
      if (id >= 0 && program_.communication(id).receives.empty()) add_step(Await{id}, node, d.from_stage + send_lag);
  }
}

void RankCompiler::compute_region(NodeId id, const WorkRegion& work, const Region& dst, bool is_finished) {
  const Node& node = network_.node(id);
  const bool is_fill = needed_box(network_, node, 0, work).is_empty();
  Compute compute{.work = work, .is_finished = is_finished, .dst = dst};
  for (std::size_t operand = 0; operand < node.inputs.size(); ++operand) {
    const bool is_residual = operand >= node.num_operands();
    if ((is_residual && !is_finished) || (is_fill && !is_residual)) continue;
    compute.srcs.push_back(operand_region(id, operand, needed_box(network_, node, operand, work)));
  }
  add_step(std::move(compute), id, placement(id).stage);
}

void RankCompiler::compute_strips(NodeId node) {
  const WorkRegion work = placement(node).work(rank_);
  const auto boxes =
      strips_of(layout_.schedules[static_cast<std::size_t>(node)], work.computed, extents_of(network_.node(node).output));
  const bool only_moves = std::holds_alternative<Concat>(network_.node(node).op);
  for (std::size_t strip = 0; strip < boxes.size(); ++strip) {
    if (!boxes[strip].is_empty() && !only_moves)
      compute_region(node, {boxes[strip], work.contracted}, owned_region(node, boxes[strip]), true);
    start_strip(node, static_cast<int>(strip));
  }
}

void RankCompiler::compute_sum(NodeId node) {
  const Placement& place = placement(node);
  const int stage = place.stage;
  std::vector<PartialSum> partials;
  for (const WorkRegion& work : place.partial_sums(rank_))
    partials.push_back({add_sum_buffer(node, BufferRole::Partial, work.computed), work});
  const std::vector<CommId> communications = add_reduce_communications(node, partials);
  const auto boxes = strips_of(layout_.schedules[static_cast<std::size_t>(node)], place.work(rank_).computed,
                               extents_of(network_.node(node).output));
  for (std::size_t strip = 0; strip < boxes.size(); ++strip) {
    for (const PartialSum& partial : partials) {
      const Box box = intersect(boxes[strip], partial.work.computed);
      if (!box.is_empty()) compute_region(node, {box, partial.work.contracted}, {partial.buffer, box}, false);
    }
    if (communications[strip] >= 0) add_step(Start{communications[strip]}, node, stage);
  }
  for (CommId id : communications)
    if (id >= 0) add_step(Await{id}, node, stage);
  reduce(node);
  start_strip(node, 0);
}

/// Adds the contributions up, by runs of channels that have the same contributors.
void RankCompiler::reduce(NodeId id) {
  const Node& node = network_.node(id);
  const Box owned = owned_box(id);
  if (owned.is_empty()) return;
  std::set<index_t> borders{owned[Axis::C].lo, owned[Axis::C].hi};
  for (const Contribution& contribution : incoming_[id]) {
    borders.insert(contribution.box[Axis::C].lo);
    borders.insert(contribution.box[Axis::C].hi);
  }
  for (auto border = borders.begin(); std::next(border) != borders.end(); ++border) {
    const Box segment = owned.with(Axis::C, {*border, *std::next(border)});
    Reduce step{.box = segment, .dst = owned_region(id, segment)};
    std::vector<Interval> channels;
    for (const Contribution& contribution : incoming_[id]) {
      if (!contribution.box.contains(segment)) continue;
      step.partials.push_back({contribution.buffer, segment});
      channels.push_back(contribution.contracted_channels);
    }
    step.joins = placement(id).joins(channels);
    if (node.epilogue.has_residual) step.residual.push_back(operand_region(id, node.inputs.size() - 1, segment));
    add_step(std::move(step), id, placement(id).stage);
  }
}

void RankCompiler::start_strip(NodeId node, int strip) {
  for (int index : layout_.schedules[static_cast<std::size_t>(node)].deliveries) {
    const CommId id = arrivals_[static_cast<std::size_t>(index)].communications[static_cast<std::size_t>(strip)];
    if (id >= 0) add_step(Start{id}, node, placement(node).stage);
  }
}

/// Copies the part that this rank owns and also needs in another buffer.
void RankCompiler::copy_own_parts(NodeId node) {
  const Box owned = owned_box(node);
  if (owned.is_empty()) return;
  for (int index : layout_.schedules[static_cast<std::size_t>(node)].deliveries) {
    const Arrival& arrival = arrivals_[static_cast<std::size_t>(index)];
    const Box own = intersect(owned, arrival.need);
    if (own.is_empty() || arrived(index, own) == owned_region(node, own)) continue;
    add_step(Copy{owned_region(node, own), arrived(index, own)}, node, placement(node).stage);
  }
}

void RankCompiler::store(int index) {
  const auto end = static_cast<NodeId>(network_.nodes.size());
  await_delivery(index, end);
  const Arrival& arrival = arrivals_[static_cast<std::size_t>(index)];
  if (arrival.need.is_empty()) return;
  add_step(Store{delivery(index).value, arrival.need, arrived(index, arrival.need)}, end, delivery(index).to_stage);
}

}  // namespace parconv
