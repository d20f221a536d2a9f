// SPDX-License-Identifier: Apache-2.0
#include "program/compile/owned_places.hpp"

#include <algorithm>

#include "parconv/model/localise.hpp"

namespace parconv {
namespace {

/// True if `need` exceeds the owned box along the outermost axis only.
bool is_margin(const Box& owned, const Box& need, Axis outermost) {
  return std::all_of(all_axes.begin(), all_axes.end(), [&](Axis a) { return a == outermost || owned[a] == need[a]; });
}

class PlaceChooser {
 public:
  PlaceChooser(const Network& network, const Layout& layout, int rank)
      : network_(network), layout_(layout), rank_(rank), landings_(network.nodes.size()) {
    places_.nodes.resize(network.nodes.size());
    places_.allocated.resize(network.nodes.size());
    places_.lands_in_place.assign(layout.deliveries.size(), false);
  }

  OwnedPlaces choose() {
    // The place of a Concat is known before those of its parts.
    for (auto node = static_cast<NodeId>(network_.nodes.size()); node-- > 0;) {
      OwnedPlace& place = places_.nodes[index_of(node)];
      place = part_of_concat(node);
      if (place.home < 0) {
        place.home = node;
        places_.allocated[index_of(node)] = owned_box(node);
      }
      for (const int index : deliveries_of(node)) land(node, index);
    }
    return std::move(places_);
  }

 private:
  static std::size_t index_of(NodeId node) { return static_cast<std::size_t>(node); }
  const std::vector<int>& deliveries_of(NodeId node) const { return layout_.schedules[index_of(node)].deliveries; }
  const Delivery& delivery(int index) const { return layout_.deliveries[static_cast<std::size_t>(index)]; }
  Box owned_box(NodeId node) const { return layout_.placements[index_of(node)].owned.box(rank_); }
  DType type_of(NodeId node) const { return layout_.types[static_cast<std::size_t>(network_.node(node).output)]; }

  /// The place within the first Concat whose owned box has room for the node's; no home if there is none.
  OwnedPlace part_of_concat(NodeId node) const {
    const Box owned = owned_box(node);
    if (layout_.options.needs_dense || owned.is_empty()) return {};
    for (const int index : deliveries_of(node)) {
      const Delivery& d = delivery(index);
      if (!d.is_concat || d.from_stage != d.to_stage) continue;
      const Use& use = d.uses.front();
      const OwnedPlace& joined = places_.nodes[index_of(use.consumer)];
      const Offsets offsets = places_.part_offsets(network_, use);
      const Box room = shifted(owned_box(use.consumer), joined.offsets);
      if (type_of(use.consumer) == type_of(node) && room.contains(shifted(owned, offsets))) return {joined.home, offsets};
    }
    return {};
  }

  /// A delivery that lands in the buffer of a home, from the start of its communications at `producer` to its last use.
  struct Landing {
    Box box{};
    NodeId producer = -1;
    NodeId last_use = -1;

    bool ends_before(const Landing& other) const { return last_use < other.producer; }
  };

  /// Lets a delivery land beside the owned box of its producer if it may.
  void land(NodeId node, int index) {
    const Delivery& d = delivery(index);
    const Box owned = owned_box(node), need = d.need.box(rank_);
    if (intersect(owned, need).is_empty() || owned.contains(need)) return;
    if (d.is_concat || d.from_stage != d.to_stage) return;
    const OwnedPlace& place = places_.nodes[index_of(node)];
    const Landing landing{.box = shifted(need, place.offsets), .producer = node, .last_use = last_use(d)};
    Box& allocated = places_.allocated[index_of(place.home)];
    if (layout_.options.needs_dense ? !is_only_margin(node, d) : !has_room(place, landing)) return;
    allocated = hull(allocated, landing.box);
    landings_[index_of(place.home)].push_back(landing);
    places_.lands_in_place[static_cast<std::size_t>(index)] = true;
  }

  NodeId last_use(const Delivery& d) const {
    NodeId last = d.is_store ? static_cast<NodeId>(network_.nodes.size()) : d.first_consumer;
    for (const Use& use : d.uses) last = std::max(last, use.consumer);
    return last;
  }

  bool is_only_margin(NodeId node, const Delivery& d) const {
    const Axis outermost = outermost_axis(network_.value(network_.node(node).output).extents);
    return landings_[index_of(node)].empty() && !d.is_store && is_margin(owned_box(node), d.need.box(rank_), outermost);
  }

  /// True if landing takes no more memory than a buffer of its own, and writes no elements that are written otherwise meanwhile.
  bool has_room(const OwnedPlace& place, const Landing& landing) const {
    const Box &allocated = places_.allocated[index_of(place.home)], owned_at_home = owned_box(place.home);
    const Box owned = shifted(owned_box(landing.producer), place.offsets);
    if (volume(hull(allocated, landing.box)) > volume(allocated) + volume(landing.box)) return false;
    if (!owned.contains(intersect(owned_at_home, landing.box))) return false;
    return std::none_of(landings_[index_of(place.home)].begin(), landings_[index_of(place.home)].end(),
                        [&](const Landing& other) {
                          const bool meets = !owned_at_home.contains(intersect(other.box, landing.box));
                          return meets && !other.ends_before(landing) && !landing.ends_before(other);
                        });
  }

  const Network& network_;
  const Layout& layout_;
  int rank_;
  OwnedPlaces places_{};
  std::vector<std::vector<Landing>> landings_;  // of each home
};

}  // namespace

Box shifted(const Box& box, const Offsets& offsets) {
  Box result = box;
  for (const Axis axis : all_axes) result[axis] = box[axis].shifted(offsets[axis]);
  return result;
}

Offsets OwnedPlaces::part_offsets(const Network& network, const Use& use) const {
  const Node& joined = network.node(use.consumer);
  Offsets offsets = nodes[static_cast<std::size_t>(use.consumer)].offsets;
  offsets[std::get<Concat>(joined.op).axis] += concat_offset(network, joined, use.operand);
  return offsets;
}

OwnedPlaces place_owned_boxes(const Network& network, const Layout& layout, int rank) {
  return PlaceChooser(network, layout, rank).choose();
}

}  // namespace parconv
