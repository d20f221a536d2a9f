// SPDX-License-Identifier: Apache-2.0
#include "program/verify/contributions.hpp"

#include <algorithm>

#include "program/verify/partition.hpp"

namespace parconv::verify {
namespace {

/// Limit of pairwise comparisons; beyond it each contribution is compared with the next one only.
constexpr std::size_t max_compared_in_pairs = 512;

/// a comes before b in index order along every axis along which they differ.
bool is_before(const Box& a, const Box& b) {
  return !(a == b) && std::all_of(all_axes.begin(), all_axes.end(), [&](Axis axis) { return a[axis].lo <= b[axis].lo; });
}

void check_order(std::span<const Box> boxes) {
  for (std::size_t k = 0; k + 1 < boxes.size(); ++k) {
    const std::size_t last = boxes.size() <= max_compared_in_pairs ? boxes.size() : k + 2;
    for (std::size_t later = k + 1; later < last; ++later)
      if (is_before(boxes[later], boxes[k]))
        violate(Rule::SumOrder, "adds the contribution over ", to_string(boxes[later]), " after the one over ",
                to_string(boxes[k]));
  }
}

/// Joins after part k: `joins`, or one behind each but the first.
int num_joins_after(std::span<const int> joins, std::size_t k) { return joins.empty() ? (k > 0 ? 1 : 0) : joins[k]; }

void check_partition(std::span<const Box> boxes, const Box& whole) {
  if (const auto overlap = find_overlap(boxes))
    violate(Rule::DoubledContribution, "adds the contribution over ",
            to_string(intersect(boxes[overlap->first], boxes[overlap->second])), " twice");
  index_t covered = 0;
  for (const Box& box : boxes) covered += volume(box);
  if (covered != volume(whole))
    violate(Rule::LostContribution, "adds up ", covered, " of ", volume(whole), " indices of the contracted ", to_string(whole));
}

/// The sum of two parts that follow each other along the channels.
Interval joined(Interval a, Interval b) {
  if (a.hi != b.lo) violate(Rule::SumOrder, "joins the sums over input channels ", a, " and ", b);
  return {a.lo, b.hi};
}

/// Partial sums that are leaves are nodes of their tree, and so is every sum of two of them.
void check_tree(const NetworkFacts& facts, const PendingSum& sum, std::span<const Box> boxes) {
  std::vector<Interval> open;
  const auto push = [&](Interval channels) {
    if (!facts.are_subtree(sum.node, channels))
      violate(Rule::SumOrder, "adds up input channels ", channels, ", which are not a node of the tree of leaves");
    open.push_back(channels);
  };
  for (std::size_t k = 0; k < boxes.size(); ++k) {
    push(boxes[k][Axis::C]);
    for (int joins = num_joins_after(sum.joins, k); joins > 0; --joins) {
      if (open.size() < 2) violate(Rule::SumOrder, "joins more partial sums than there are");
      const Interval last = open.back();
      open.pop_back();
      const Interval before = open.back();
      open.pop_back();
      push(joined(before, last));
    }
  }
  if (open.size() != 1) violate(Rule::SumOrder, "leaves ", open.size(), " partial sums apart");
}

}  // namespace

ContentId Contributions::of(const Box& contracted) {
  const int box = boxes_.of(contracted);
  if (box == std::ssize(known_)) {
    known_.push_back(static_cast<ContentId>(box_of_.size()));
    box_of_.push_back(box);
  }
  return known_[static_cast<std::size_t>(box)];
}

ContentId Contributions::make_unknown() {
  box_of_.push_back(-1);
  return static_cast<ContentId>(box_of_.size()) - 1;
}

void Contributions::resolve(ContentId unknown, ContentId known) {
  box_of_[static_cast<std::size_t>(unknown)] = box_of_[static_cast<std::size_t>(known)];
}

void check_sum(const NetworkFacts& facts, const Contributions& contributions, const PendingSum& sum) {
  std::vector<Box> boxes;
  int place = -1;
  for (const PendingSum::Part& part : sum.parts) {
    const Box box = facts.contraction(sum.node, sum.box, contributions.contracted(part.content));
    if (part.place != place) boxes.push_back(box);
    if (!(boxes.back() == box))
      violate(Rule::LostContribution, "adds a partial sum that is over ", to_string(boxes.back()), " here and over ",
              to_string(box), " there");
    place = part.place;
  }
  const Box whole = facts.whole_contraction(sum.node, sum.box);
  if (whole.is_empty()) return;
  check_partition(boxes, whole);
  if (!facts.is_any_order(sum.node)) check_order(boxes);
  if (boxes.size() < 2) return;
  if (std::all_of(boxes.begin(), boxes.end(), [&](const Box& box) { return facts.are_leaves(sum.node, box[Axis::C]); }))
    check_tree(facts, sum, boxes);
  else if (!sum.joins.empty())
    violate(Rule::SumOrder, "joins partial sums by a tree, but they are not made of leaves");
}

}  // namespace parconv::verify
