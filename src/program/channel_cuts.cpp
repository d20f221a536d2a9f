// SPDX-License-Identifier: Apache-2.0
#include "program/channel_cuts.hpp"

#include <algorithm>
#include <optional>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

Interval inputs_of(const ChannelGroups& channels, Interval outputs) {
  if (outputs.is_empty()) return {0, 0};
  return {outputs.lo / channels.oc * channels.ic, ceil_div(outputs.hi, channels.oc) * channels.ic};
}

bool are_whole_groups(const ChannelGroups& channels, std::span<const Interval> outputs) {
  return std::all_of(outputs.begin(), outputs.end(),
                     [&](Interval part) { return part.lo % channels.oc == 0 && part.hi % channels.oc == 0; });
}

/// Cuts of the input channels of one group, or none if its sums are not to be divided.
std::optional<Cuts> cuts_of_group(const ChannelGroups& channels, int parts) {
  if (parts <= channels.leaves.count) {
    Cuts cuts = tree_cuts(channels.leaves.count, parts);
    for (index_t& cut : cuts) cut = channels.leaves.border(cut);
    return cuts;
  }
  if (channels.rule == LeafRule::Fine || parts > channels.ic) return std::nullopt;
  return block_cuts(channels.ic, parts, channel_grain);
}

/// Cuts of the input channels of `groups` groups, from 0, or none if some sums are not to be divided.
std::optional<Cuts> input_cuts(const ChannelGroups& channels, index_t groups, int parts) {
  if (groups >= parts) return group_cuts(groups, channels.ic, parts, channel_grain);
  return shared_group_cuts(groups, channels.ic, parts,
                           [&](int parts_of_group) { return cuts_of_group(channels, parts_of_group); });
}

/// The input channels of each part of one filter part, or none if its sums are not to be divided.
std::optional<std::vector<Interval>> sums_of_filter_part(const ChannelGroups& channels, std::span<const Interval> owned,
                                                         const Cuts& ic_cuts) {
  if (!ic_cuts.empty()) return blocks_of(ic_cuts);
  if (channels.groups > 1 && are_whole_groups(channels, owned)) return std::nullopt;
  const Interval inputs = inputs_of(channels, {owned.front().lo, owned.back().hi});
  if (inputs.is_empty()) return std::nullopt;
  const auto cuts = input_cuts(channels, inputs.size() / channels.ic, static_cast<int>(owned.size()));
  if (!cuts) return std::nullopt;
  std::vector<Interval> sums = blocks_of(*cuts);
  for (Interval& part : sums) part = part.shifted(inputs.lo);
  return sums;
}

bool is_at_leaf(const ChannelGroups& channels, index_t channel) {
  return channels.leaves.leaves_in({0, channel % channels.ic}).has_value();
}

}  // namespace

Interval outputs_of(const ChannelGroups& channels, Interval inputs) {
  if (inputs.is_empty()) return {0, 0};
  return {inputs.lo / channels.ic * channels.oc, ceil_div(inputs.hi, channels.ic) * channels.oc};
}

ChannelCuts cut_channels(const ChannelGroups& channels, const Grid& grid, std::span<const Interval> owned, const Cuts& ic_cuts) {
  const auto per_filter = static_cast<std::size_t>(grid.parts[GridAxis::C]);
  PARCONV_EXPECT(owned.size() == per_filter * static_cast<std::size_t>(grid.parts[GridAxis::F]), owned.size(), " parts");
  ChannelCuts cuts;
  for (std::size_t first = 0; first < owned.size(); first += per_filter) {
    const std::span<const Interval> own = owned.subspan(first, per_filter);
    const auto sums = sums_of_filter_part(channels, own, ic_cuts);
    for (std::size_t c = 0; c < per_filter; ++c) {
      const Interval inputs = sums ? (*sums)[c] : inputs_of(channels, own[c]);
      cuts.contracted.push_back(inputs);
      cuts.computed.push_back(sums ? intersect({own.front().lo, own.back().hi}, outputs_of(channels, inputs)) : own[c]);
      if (!inputs.is_empty() && !(is_at_leaf(channels, inputs.lo) && is_at_leaf(channels, inputs.hi))) cuts.is_off_leaves = true;
    }
  }
  return cuts;
}

std::vector<Interval> subtrees_of(const ChannelGroups& channels, Interval contracted) {
  std::vector<Interval> parts;
  const auto add_part_of_group = [&](Interval part) {
    if (part.is_empty()) return;
    const index_t first = part.lo / channels.ic * channels.ic;
    const auto leaves = channels.leaves.leaves_in(part.shifted(-first));
    PARCONV_EXPECT(leaves, part, " cuts a leaf");
    for (const Interval node : subtrees_of(channels.leaves.count, *leaves))
      parts.push_back(Interval{channels.leaves.border(node.lo), channels.leaves.border(node.hi)}.shifted(first));
  };
  const Interval groups{ceil_div(contracted.lo, channels.ic) * channels.ic, contracted.hi / channels.ic * channels.ic};
  if (groups.hi < groups.lo) {  // within one group
    add_part_of_group(contracted);
    return parts;
  }
  add_part_of_group({contracted.lo, groups.lo});
  if (!groups.is_empty()) parts.push_back(groups);
  add_part_of_group({groups.hi, contracted.hi});
  return parts;
}

}  // namespace parconv
