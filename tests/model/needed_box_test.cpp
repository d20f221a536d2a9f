// SPDX-License-Identifier: Apache-2.0
// For every operator: elements outside needed_box never affect a work region, and its faces do if the box is minimal.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "compute/local_op_case.hpp"
#include "model/whole_operator.hpp"
#include "operators/random_operator.hpp"
#include "parconv/model/localise.hpp"
#include "support/compare.hpp"
#include "support/network_builder.hpp"
#include "support/shrink.hpp"

namespace parconv::test {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Number of checks per alternative of Operator.
using KindCounts = std::array<int, std::variant_size_v<Operator>>;

Interval random_interval(Random& random, Interval within) {
  const index_t lo = random.integer(within.lo, within.hi - 1);
  return {lo, random.integer(lo + 1, within.hi)};
}

/// Input channels that a rank may sum over: within one group, or of whole groups. Outputs of other groups are left out.
void contract_channels(Random& random, const ChannelGroups& channels, WorkRegion& work) {
  Interval groups = random_interval(random, {0, channels.groups});
  Interval inputs{groups.lo * channels.ic, groups.hi * channels.ic};
  if (random.once_in(2)) {
    groups.hi = groups.lo + 1;
    inputs = random_interval(random, {groups.lo * channels.ic, groups.hi * channels.ic});
  }
  work.contracted[Axis::C] = inputs;
  work.computed[Axis::C] = random_interval(random, {groups.lo * channels.oc, groups.hi * channels.oc});
}

WorkRegion random_work(Random& random, const Network& network, const Node& node) {
  WorkRegion work{.computed = Box::whole(network.value(node.output).extents), .contracted = whole_contracted(network, node)};
  for (Interval& interval : work.computed.intervals)
    if (!random.once_in(4)) interval = random_interval(random, interval);
  if (random.once_in(2)) return work;
  const std::array<bool, num_axes> is_contracted = contracted_axes(network, node);
  for (Axis axis : spatial_axes)
    if (is_contracted[static_cast<std::size_t>(axis)]) work.contracted[axis] = random_interval(random, work.contracted[axis]);
  if (!is_contracted[static_cast<std::size_t>(Axis::C)]) return work;
  if (const auto channels = channel_groups(node.op))
    contract_channels(random, *channels, work);
  else
    work.contracted[Axis::C] = random_interval(random, work.contracted[Axis::C]);
  return work;
}

/// What an element has to be so that a reduction does not see it.
float neutral_element(const Operator& op) {
  const auto* reduction = std::get_if<Reduction>(&op);
  const float infinity = std::numeric_limits<float>::infinity();
  if (reduction == nullptr || reduction->kind == ReduceKind::Sum) return 0;
  return reduction->kind == ReduceKind::Product ? 1 : reduction->kind == ReduceKind::Max ? -infinity : infinity;
}

/// A node with operands, and a work region.
class Case {
 public:
  Case(Random& random, const Network& network, Node node, Weights numbers)
      : network_(network), node_(std::move(node)), work_(random_work(random, network, node_)) {
    is_whole_sum_ = work_.contracted == whole_contracted(network_, node_);
    if (!is_whole_sum_ || numbers == Weights::Reals) drop_epilogue();
    for (const ValueId input : node_.inputs) {
      const Extents& extents = network_.value(input).extents;
      const index_t count = volume(extents);
      inputs_.push_back(
          {extents, numbers == Weights::Reals ? random.reals(count, 0.5F, 2.0F) : random.small_integers(count, -2, 2)});
    }
    clear_uncontracted();
  }

  const Node& node() const { return node_; }
  const WorkRegion& work() const { return work_; }
  std::size_t num_inputs() const { return node_.inputs.size(); }
  Box need(std::size_t input) const { return needed_box(network_, node_, input, work_); }
  std::string text() const { return concat(name_of(node_.op), ", computed ", work_.computed, ", contracted ", work_.contracted); }

  /// The result of the work region, cut out of the whole output.
  std::vector<float> computed() const { return computed_of(inputs_); }

  /// The same with `value` everywhere outside the needed boxes, within the contracted box, which no work region exceeds.
  std::vector<float> computed_with_outside(float value) const {
    std::vector<Elements> inputs = inputs_;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      std::vector<float> poisoned = inputs[k].values;
      for_each_element(of_sum(k), inputs[k].extents, [&](std::size_t at) { poisoned[at] = value; });
      for_each_element(need(k), inputs[k].extents, [&](std::size_t at) { poisoned[at] = inputs[k].values[at]; });
      inputs[k].values = std::move(poisoned);
    }
    return computed_of(inputs);
  }

  /// The same with other elements of an operand in `box`: large ones, times `sign`.
  std::vector<float> computed_with(std::size_t input, const Box& box, float sign, Random& random) const {
    std::vector<Elements> inputs = inputs_;
    for_each_element(box, inputs[input].extents, [&](std::size_t at) { inputs[input].values[at] = sign * random.real(50, 100); });
    return computed_of(inputs);
  }

  /// Computed by the call of `localise`, on operands that hold the needed boxes only.
  std::vector<float> computed_locally() const {
    const LocalWork call = is_whole_sum_ ? localise(network_, node_, work_) : localise_partial(network_, node_, work_);
    LocalOp local{.kind = call.kind, .epilogue = call.epilogue};
    std::vector<Operand> srcs;
    for (const std::size_t operand : call.operands) {
      Elements part = cut(inputs_[operand], need(operand));
      srcs.push_back({part.extents, std::move(part.values)});
    }
    return run_placed(*make_reference_backend(), std::move(local), srcs, work_.computed.extents(), Placement::WithMargins);
  }

 private:
  void drop_epilogue() {
    if (node_.epilogue.has_residual) node_.inputs.pop_back();
    node_.epilogue = {};
  }

  /// The part of an operand within the contracted box.
  Box of_sum(std::size_t input) const {
    const Extents& extents = inputs_[input].extents;
    return is_whole_sum_ ? Box::whole(extents) : intersect(Box::whole(extents), work_.contracted);
  }

  /// A partial result is the whole one of operands that are neutral elsewhere.
  void clear_uncontracted() {
    for (std::size_t k = 0; k < inputs_.size(); ++k) {
      std::vector<float> cleared(inputs_[k].values.size(), neutral_element(node_.op));
      for_each_element(of_sum(k), inputs_[k].extents, [&](std::size_t at) { cleared[at] = inputs_[k].values[at]; });
      inputs_[k].values = std::move(cleared);
    }
  }

  std::vector<float> computed_of(const std::vector<Elements>& inputs) const {
    return cut(whole_output(network_, node_, inputs), work_.computed).values;
  }

  const Network& network_;
  Node node_;
  WorkRegion work_;
  std::vector<Elements> inputs_{};
  bool is_whole_sum_ = true;
};

/// Sometimes with a residual: one more input of the output's shape, which is the output value itself.
Node random_epilogue(Random& random, Node node) {
  const bool has_epilogue = !std::holds_alternative<Concat>(node.op);
  if (!has_epilogue || !random.once_in(4)) return node;
  node.inputs.push_back(node.output);
  node.epilogue.has_residual = true;
  return node;
}

/// A failed property has not run on all cases.
void expect_every_kind(const KindCounts& counts, int least) {
  if (::testing::Test::HasFailure()) return;
  for (std::size_t kind = 0; kind < counts.size(); ++kind)
    EXPECT_GE(counts[kind], least) << "random_operator makes too few of alternative " << kind << " of Operator";
}

TEST(NeededBox, NothingOutsideShows) {
  KindCounts counts{};
  const auto property = [&](Random& random) {
    const Network network = random_operator(random.fork(), Weights::SmallIntegers);
    for (const Node& node : network.nodes) {
      const Case item(random, network, random_epilogue(random, node), Weights::SmallIntegers);
      const std::vector<float> expected = item.computed();
      EXPECT_TRUE(std::none_of(expected.begin(), expected.end(), [](float x) { return x != x; })) << item.text();
      for (float poison : {nan, 1e6F, -1e6F})
        EXPECT_TRUE(same_bits(item.computed_with_outside(poison), expected)) << item.text() << " shows " << poison;
      ++counts[node.op.index()];
    }
  };
  for_all(property, {.count = 1500});
  expect_every_kind(counts, 20);
}

TEST(NeededBox, SufficesForALocalCall) {
  KindCounts counts{};
  const auto property = [&](Random& random) {
    const Network network = random_operator(random.fork(), Weights::SmallIntegers);
    for (const Node& node : network.nodes) {
      if (std::holds_alternative<Concat>(node.op)) continue;  // only moves boxes
      const Case item(random, network, random_epilogue(random, node), Weights::SmallIntegers);
      EXPECT_TRUE(same_bits(item.computed_locally(), item.computed())) << item.text();
      ++counts[node.op.index()];
    }
  };
  for_all(property, {.count = 1500});
  counts[Operator(Concat{}).index()] = 20;
  expect_every_kind(counts, 20);
}

// ---- Minimal boxes ------------------------------------------------------------------------------------------------------

bool shows(const Case& item, std::size_t input, const Box& box, Random& random) {
  const std::vector<float> before = item.computed();
  return !same_bits(item.computed_with(input, box, 1, random), before) ||
         !same_bits(item.computed_with(input, box, -1, random), before);
}

TEST(NeededBox, FacesShowIfTheBoxIsMinimal) {
  KindCounts counts{};
  const auto property = [&](Random& random) {
    const Network network = random_operator(random.fork(), Weights::Reals);
    for (const Node& node : network.nodes) {
      const Case item(random, network, node, Weights::Reals);
      const std::size_t input = static_cast<std::size_t>(random.integer(0, std::ssize(node.inputs) - 1));
      const Axis axis = all_axes[static_cast<std::size_t>(random.integer(0, num_axes - 1))];
      const Box need = item.need(input);
      const bool is_tight = has_tight_faces(node.op, {input, axis, network.value(node.inputs[input]).extents});
      if (need.is_empty() || !is_tight) continue;
      const Interval along = need[axis];
      EXPECT_TRUE(shows(item, input, need.with(axis, {along.lo, along.lo + 1}), random)) << item.text() << ": first " << need;
      EXPECT_TRUE(shows(item, input, need.with(axis, {along.hi - 1, along.hi}), random)) << item.text() << ": last " << need;
      ++counts[node.op.index()];
    }
  };
  for_all(property, {.count = 2000});
  counts[Operator(Rearrange{}).index()] = counts[Operator(Hardmax{}).index()] = 10;
  expect_every_kind(counts, 10);
}

}  // namespace
}  // namespace parconv::test
