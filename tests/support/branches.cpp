// SPDX-License-Identifier: Apache-2.0
#include "support/branches.hpp"

#include <algorithm>
#include <utility>

#include "parconv/geometry/cuts.hpp"

namespace parconv::test {
namespace {

constexpr Activation keep_small{.kind = ActivationKind::Clip, .alpha = -4, .beta = 4};

/// Consecutive value ids of one branch, in order of creation.
struct ValueRange {
  ValueId first = 0;
  ValueId last = 0;
  int branch = BranchedNetwork::trunk;
};

/// A window of the same size along every axis with more than one index.
Window same_window(const Extents& extents, index_t kernel) {
  Window window;
  for (Axis axis : spatial_axes)
    if (extents[axis] > 1) window[axis] = {.kernel = kernel, .pad_lo = kernel / 2, .pad_hi = kernel / 2};
  return window;
}

/// Builds the trunk and records which nodes are on branches.
class BranchBuilder {
 public:
  BranchBuilder(Random random, Weights weights) : net(std::move(random), weights) {}

  ValueId conv(ValueId src, index_t channels, index_t kernel) {
    return net.activation(net.conv(src, {.oc = channels, .window = same_window(net.extents(src), kernel)}), keep_small);
  }

  ValueId max_pool(ValueId src) { return net.pool(src, PoolKind::Max, same_window(net.extents(src), 3)); }

  /// Appends one branch after `src` by `make`, which returns its end.
  template <class Make>
  void branch(ValueId src, Make&& make) {
    const ValueId before = ends_.empty() ? std::max(src, last_) : ends_.back();
    ends_.push_back(make(src));
    ranges_.push_back({before + 1, ends_.back(), static_cast<int>(std::ssize(ends_)) - 1});
  }

  /// Concatenates the branches.
  ValueId join() {
    num_branches_ = std::max(num_branches_, static_cast<int>(std::ssize(ends_)));
    last_ = net.concat(std::exchange(ends_, {}));
    return last_;
  }

  BranchedNetwork build(ValueId output) {
    BranchedNetwork branched{.network = net.build({output}), .num_branches = num_branches_};
    for (const Node& node : branched.network.nodes) branched.branch_of_node.push_back(branch_with(node.output));
    return branched;
  }

  RandomNetworkBuilder net;

 private:
  int branch_with(ValueId value) const {
    for (const ValueRange& range : ranges_)
      if (range.first <= value && value <= range.last) return range.branch;
    return BranchedNetwork::trunk;
  }

  std::vector<ValueRange> ranges_{};
  std::vector<ValueId> ends_{};
  ValueId last_ = -1;
  int num_branches_ = 0;
};

ValueId inception_block(BranchBuilder& builder, ValueId src) {
  builder.branch(src, [&](ValueId x) { return builder.conv(x, 5, 1); });
  builder.branch(src, [&](ValueId x) { return builder.conv(builder.conv(x, 6, 1), 7, 3); });
  builder.branch(src, [&](ValueId x) { return builder.conv(builder.conv(x, 3, 1), 4, 5); });
  builder.branch(src, [&](ValueId x) { return builder.conv(builder.max_pool(x), 3, 1); });
  return builder.join();
}

ValueId random_branch(BranchBuilder& builder, ValueId x) {
  Random& random = builder.net.random();
  for (index_t left = random.integer(1, 3); left > 0; --left)
    x = random.once_in(4) ? builder.max_pool(x) : builder.conv(x, random.integer(1, 9), 2 * random.integer(0, 2) + 1);
  return x;
}

Extents random_input(Random& random) {
  const bool is_volume = random.once_in(3);
  return {{random.integer(1, 3), random.integer(1, 5), is_volume ? random.integer(2, 5) : 1, random.integer(2, 14),
           random.integer(2, 9)}};
}

}  // namespace

BranchedNetwork inception_network(std::uint64_t seed, Weights weights, const Extents& input) {
  BranchBuilder builder(Random(seed), weights);
  ValueId x = builder.conv(builder.net.input(input, input[Axis::D] > 1 ? 5 : 4), 8, 3);
  x = builder.conv(inception_block(builder, x), 12, 3);
  return builder.build(builder.conv(inception_block(builder, x), 4, 3));
}

BranchedNetwork random_branched_network(Random source, Weights weights) {
  BranchBuilder builder(std::move(source), weights);
  Random& random = builder.net.random();
  const Extents extents = random_input(random);
  ValueId x = builder.conv(builder.net.input(extents, extents[Axis::D] > 1 ? 5 : 4), random.integer(1, 6), 3);
  for (index_t blocks = random.integer(1, 3); blocks > 0; --blocks) {
    for (index_t branches = random.integer(2, 6); branches > 0; --branches)
      builder.branch(x, [&](ValueId src) { return random_branch(builder, src); });
    x = builder.join();
    if (random.once_in(2)) x = builder.conv(x, random.integer(1, 6), 1);
  }
  const bool has_fine_leaves = random.once_in(2);
  BranchedNetwork branched = builder.build(x);
  if (has_fine_leaves) set_leaf_rule(branched.network, LeafRule::Fine);
  return branched;
}

std::vector<Interval> ranks_of_branches(int num_branches, int num_ranks) {
  std::vector<Interval> ranks;
  for (index_t k = 0; k < num_branches; ++k) {
    const index_t first = k * num_ranks / num_branches;
    ranks.push_back({first, std::max(first + 1, (k + 1) * num_ranks / num_branches)});
  }
  return ranks;
}

std::vector<Interval> ranks_of_nodes(const BranchedNetwork& branched, int num_ranks) {
  const std::vector<Interval> of_branches = ranks_of_branches(branched.num_branches, num_ranks);
  std::vector<Interval> ranks;
  for (const int branch : branched.branch_of_node)
    ranks.push_back(branch == BranchedNetwork::trunk ? Interval{0, num_ranks} : of_branches[static_cast<std::size_t>(branch)]);
  return ranks;
}

}  // namespace parconv::test
