// SPDX-License-Identifier: Apache-2.0
#include "parconv/program/layout.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "parconv/core/error.hpp"
#include "parconv/model/value_types.hpp"
#include "program/group_table.hpp"

namespace parconv {
namespace {

bool is_equal(const AxisPartition& a, const AxisPartition& b) { return a.by == b.by && a.blocks == b.blocks; }

bool has_same_grid_axes(const Distribution& a, const Distribution& b) {
  return std::all_of(all_axes.begin(), all_axes.end(), [&](Axis axis) { return a.partition(axis).by == b.partition(axis).by; });
}

Distribution merged(const Distribution& a, const Distribution& b) {
  std::array<AxisPartition, num_axes> axes;
  for (Axis axis : all_axes) {
    AxisPartition& partition = axes[static_cast<std::size_t>(axis)];
    partition = a.partition(axis);
    for (std::size_t k = 0; k < partition.blocks.size(); ++k)
      partition.blocks[k] = hull(partition.blocks[k], b.partition(axis).blocks[k]);
  }
  return Distribution(a.grid(), std::move(axes));
}

bool contains(const Distribution& outer, const Distribution& inner) {
  return std::all_of(all_axes.begin(), all_axes.end(), [&](Axis axis) {
    const auto& in = inner.partition(axis).blocks;
    const auto& out = outer.partition(axis).blocks;
    return std::equal(in.begin(), in.end(), out.begin(), out.end(), [](Interval a, Interval b) { return b.contains(a); });
  });
}

bool differs_only_along(Axis allowed, const Distribution& a, const Distribution& b) {
  return std::all_of(all_axes.begin(), all_axes.end(),
                     [&](Axis axis) { return axis == allowed || is_equal(a.partition(axis), b.partition(axis)); });
}

/// Two needs share one delivery if that moves no more data: one contains the other, or they differ along the outermost axis only.
bool can_merge(const Distribution& a, const Distribution& b, const Extents& extents) {
  if (!(a.grid() == b.grid()) || !has_same_grid_axes(a, b)) return false;
  return contains(a, b) || contains(b, a) || differs_only_along(outermost_axis(extents), a, b);
}

/// Splits the first of samples, the outermost spatial axis and channels with a chunk for every rank, else the one with most
/// chunks. Every rank gets whole chunks.
Distribution chunk_distribution(const Extents& extents, const Extents& chunk, const Grid& owners) {
  const std::array<Axis, 3> candidates{Axis::N, outermost_axis(extents), Axis::C};
  Axis cut_axis = Axis::N;
  index_t most_chunks = 0;
  for (Axis axis : candidates) {
    const index_t chunks = ceil_div(extents[axis], chunk[axis]);
    if (chunks > most_chunks) {
      most_chunks = chunks;
      cut_axis = axis;
    }
    if (chunks >= owners.size()) break;
  }
  Grid line{.first_rank = owners.first_rank};
  line.parts[GridAxis::N] = owners.size();
  std::array<AxisPartition, num_axes> axes;
  for (Axis axis : all_axes) axes[static_cast<std::size_t>(axis)] = {{{0, extents[axis]}}, {}};
  Cuts cuts = block_cuts(ceil_div(extents[cut_axis], chunk[cut_axis]), owners.size());
  for (index_t& cut : cuts) cut = std::min(extents[cut_axis], cut * chunk[cut_axis]);
  axes[static_cast<std::size_t>(cut_axis)] = {blocks_of(cuts), {GridAxis::N}};
  return Distribution(line, std::move(axes));
}

Distribution store_distribution(const StoreRule& rule, const Extents& extents, const Distribution& owned) {
  switch (rule.kind) {
    case StoreKind::Owners:
      return owned;
    case StoreKind::Root:
      return Distribution::on_one_rank(0, extents);
    case StoreKind::Chunks:
      return chunk_distribution(extents, rule.chunk, owned.grid());
  }
  return owned;
}

/// Limit of pairwise comparisons of the needs of one value; further different needs are delivered separately.
constexpr std::size_t max_merges_tried = 64;

class LayoutBuilder {
 public:
  LayoutBuilder(const Network& network, const Plan& plan, const CompileOptions& options)
      : network_(network), consumers_(consumers_of_values(network)), producers_(producers_of_values(network)) {
    layout_.options = options;
    layout_.types = types_of_values(network, options.type);
    layout_.num_ranks = plan.num_ranks;
    layout_.num_stages = plan.num_stages;
    for (std::size_t k = 0; k < network.nodes.size(); ++k)
      layout_.placements.push_back(place(network, network.nodes[k], plan.nodes[k]));
    layout_.schedules.resize(network.nodes.size());
  }

  Layout build() {
    for (std::size_t id = 0; id < network_.values.size(); ++id) deliver_value(static_cast<ValueId>(id));
    for (ValueId output : network_.outputs) deliver_to_store(output);
    collect_deliveries();
    for (std::size_t k = 0; k < network_.nodes.size(); ++k) schedule_node(static_cast<NodeId>(k));
    layout_.groups = groups_.take();
    return std::move(layout_);
  }

 private:
  const Placement& placement(NodeId node) const { return layout_.placements[static_cast<std::size_t>(node)]; }

  Delivery delivery_for(ValueId value, const Use& use) const {
    const Placement& consumer = placement(use.consumer);
    const NodeId producer = producers_[static_cast<std::size_t>(value)];
    return {.value = value,
            .producer = producer,
            .uses = {use},
            .first_consumer = use.consumer,
            .need = consumer.needs[use.operand],
            .from_stage = producer < 0 ? consumer.stage : placement(producer).stage,
            .to_stage = consumer.stage,
            .is_concat = std::holds_alternative<Concat>(network_.node(use.consumer).op)};
  }

  void deliver_value(ValueId value) {
    std::vector<Delivery> found;
    NodeId previous = -1;
    for (NodeId consumer : consumers_[static_cast<std::size_t>(value)]) {
      if (consumer == previous) continue;  // a node that reads the value twice
      previous = consumer;
      const Node& node = network_.node(consumer);
      for (std::size_t operand = 0; operand < node.inputs.size(); ++operand)
        if (node.inputs[operand] == value) add_or_merge(found, delivery_for(value, {consumer, operand}));
    }
    for (Delivery& delivery : found) layout_.deliveries.push_back(std::move(delivery));
  }

  void add_or_merge(std::vector<Delivery>& found, Delivery delivery) const {
    const Extents& extents = network_.value(delivery.value).extents;
    for (Delivery& other : std::span(found).first(std::min(found.size(), max_merges_tried))) {
      if (other.is_concat || delivery.is_concat || other.to_stage != delivery.to_stage) continue;
      if (!can_merge(other.need, delivery.need, extents)) continue;
      other.need = merged(other.need, delivery.need);
      other.uses.push_back(delivery.uses.front());
      other.first_consumer = std::min(other.first_consumer, delivery.first_consumer);
      return;
    }
    found.push_back(std::move(delivery));
  }

  void deliver_to_store(ValueId value) {
    const NodeId producer = producers_[static_cast<std::size_t>(value)];
    PARCONV_EXPECT(producer >= 0, "output ", network_.value(value).name, " has no producer");
    const Distribution& owned = placement(producer).owned;
    layout_.deliveries.push_back({.value = value,
                                  .producer = producer,
                                  .first_consumer = static_cast<NodeId>(network_.nodes.size()),
                                  .need = store_distribution(layout_.options.store, network_.value(value).extents, owned),
                                  .from_stage = placement(producer).stage,
                                  .to_stage = placement(producer).stage,
                                  .is_store = true});
  }

  void collect_deliveries() {
    for (std::size_t k = 0; k < layout_.deliveries.size(); ++k) {
      const Delivery& delivery = layout_.deliveries[k];
      if (!delivery.is_store)
        layout_.schedules[static_cast<std::size_t>(delivery.first_consumer)].arrivals.push_back(static_cast<int>(k));
      if (delivery.producer < 0) continue;
      layout_.schedules[static_cast<std::size_t>(delivery.producer)].deliveries.push_back(static_cast<int>(k));
    }
  }

  /// Largest number of rows needed across a cut of the outermost axis; nullopt if other data are needed too.
  std::optional<index_t> halo_border(const Delivery& delivery, const Distribution& owned, Axis outermost) const {
    if (!(delivery.need.grid() == owned.grid()) || !has_same_grid_axes(owned, delivery.need)) return std::nullopt;
    if (!differs_only_along(outermost, owned, delivery.need)) return std::nullopt;
    index_t border = 0;
    const auto& have = owned.partition(outermost).blocks;
    const auto& need = delivery.need.partition(outermost).blocks;
    for (std::size_t k = 0; k < have.size(); ++k) {
      if (have[k].is_empty() || need[k].is_empty()) continue;
      border = std::max({border, have[k].lo - need[k].lo, need[k].hi - have[k].hi});
    }
    return border;
  }

  void choose_strips(NodeSchedule& schedule, const Placement& place, const Extents& extents) const {
    const bool is_concat = schedule.num_strips == 0;
    schedule.num_strips = 1;
    if (is_concat || layout_.options.overlap == Overlap::Off || place.grid.size() == 1) return;
    index_t border = 0;
    bool only_halos = !place.is_summed;
    for (int k : schedule.deliveries) {
      const auto halo = halo_border(layout_.deliveries[static_cast<std::size_t>(k)], place.owned, outermost_axis(extents));
      only_halos = only_halos && halo.has_value();
      border = std::max(border, halo.value_or(0));
    }
    if (only_halos && border == 0) return;  // nothing is sent
    schedule.num_strips = only_halos ? 3 : 4;
    schedule.border = only_halos ? border : 0;
  }

  void schedule_node(NodeId id) {
    NodeSchedule& schedule = layout_.schedules[static_cast<std::size_t>(id)];
    const Placement& place = placement(id);
    const Node& node = network_.node(id);
    if (std::holds_alternative<Concat>(node.op)) schedule.num_strips = 0;
    choose_strips(schedule, place, network_.value(node.output).extents);
    if (place.is_summed) {
      schedule.reduce_order = layout_.num_orders;
      layout_.num_orders += schedule.num_strips;
    }
    // Strip by strip, all deliveries; after a summation the whole output is complete at once.
    const int strips = place.is_summed ? 1 : schedule.num_strips;
    const int count = static_cast<int>(schedule.deliveries.size());
    for (int d = 0; d < count; ++d) {
      Delivery& delivery = layout_.deliveries[static_cast<std::size_t>(schedule.deliveries[static_cast<std::size_t>(d)])];
      delivery.first_order = layout_.num_orders + d;
      delivery.order_step = count;
    }
    layout_.num_orders += strips * count;
    find_groups(schedule, place, network_.value(node.output).extents);
  }

  void find_groups(NodeSchedule& schedule, const Placement& place, const Extents& extents) {
    if (place.is_summed) schedule.sum_groups = groups_.of_sum(place, {schedule, place.computed, extents});
    // After a summation the whole output is complete at once.
    const GroupTable::Strips strips{place.is_summed ? whole_ : schedule, place.owned, extents};
    for (const int index : schedule.deliveries) {
      Delivery& delivery = layout_.deliveries[static_cast<std::size_t>(index)];
      delivery.groups = groups_.of_move(place.owned, delivery.need, strips);
    }
  }

  const Network& network_;
  std::vector<std::vector<NodeId>> consumers_;
  std::vector<NodeId> producers_;
  Layout layout_;
  NodeSchedule whole_{};  // one strip
  GroupTable groups_{};
};

std::vector<Box> equal_strips(const Box& box, Axis axis, int count) {
  std::vector<Box> strips;
  for (Interval block : blocks_of(block_cuts(box[axis].size(), count)))
    strips.push_back(block.is_empty() ? Box{} : box.with(axis, block.shifted(box[axis].lo)));
  return strips;
}

/// The low border, the high border, the rest; a box without a rest is one strip.
std::vector<Box> border_strips(const Box& box, Axis axis, index_t border) {
  const Interval range = box[axis];
  if (2 * border >= range.size()) return {box, Box{}, Box{}};
  return {box.with(axis, {range.lo, range.lo + border}), box.with(axis, {range.hi - border, range.hi}),
          box.with(axis, {range.lo + border, range.hi - border})};
}

}  // namespace

Axis outermost_axis(const Extents& extents) {
  for (Axis axis : spatial_axes)
    if (extents[axis] > 1) return axis;
  return Axis::W;
}

std::vector<Box> strips_of(const NodeSchedule& schedule, const Box& computed, const Extents& extents) {
  if (schedule.num_strips == 1) return {computed};
  if (computed.is_empty()) return std::vector<Box>(static_cast<std::size_t>(schedule.num_strips));
  if (computed[Axis::N].size() > 1) return equal_strips(computed, Axis::N, schedule.num_strips);
  const Axis axis = outermost_axis(extents);
  if (schedule.border > 0) return border_strips(computed, axis, schedule.border);
  return equal_strips(computed, axis, schedule.num_strips);
}

std::shared_ptr<const CommGroup> Layout::group(int index, std::size_t strip, int rank) const {
  return index < 0 ? nullptr : groups[static_cast<std::size_t>(index)][strip].of(rank);
}

Layout lay_out(const Network& network, const Plan& plan, const CompileOptions& options) {
  return LayoutBuilder(network, plan, options).build();
}

}  // namespace parconv
