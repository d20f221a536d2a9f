// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "parconv/core/error.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/plan/plan.hpp"

namespace parconv {
namespace {

/// sums[k] = flops of the first k nodes.
std::vector<double> running_flops(const Network& network) {
  std::vector<double> sums{0};
  for (const Node& node : network.nodes) {
    const WorkRegion whole{.computed = Box::whole(network.value(node.output).extents),
                           .contracted = whole_contracted(network, node)};
    sums.push_back(sums.back() + flops(network, node, whole));
  }
  return sums;
}

/// Ends of consecutive, non-empty runs of 0 .. sums.size() - 2 with the smallest largest sum. Exact, by dynamic programming:
/// best[k] is the largest sum of the first k nodes in the stages so far. With the last run starting at j, best[j] grows with j
/// while the run shrinks, so the best j is where they cross.
class StageSearch {
 public:
  explicit StageSearch(std::vector<double> sums) : sums_(std::move(sums)), best_(sums_) {}

  std::vector<std::size_t> ends(std::size_t stages) {
    const std::size_t nodes = sums_.size() - 1;
    std::vector<std::vector<std::size_t>> starts;
    for (std::size_t stage = 1; stage < stages; ++stage) starts.push_back(add_stage(stage));
    std::vector<std::size_t> result{nodes};
    for (std::size_t stage = stages; stage-- > 1;) result.push_back(starts[stage - 1][result.back()]);
    std::reverse(result.begin(), result.end());
    return result;
  }

 private:
  double largest(std::size_t start, std::size_t end) const { return std::max(best_[start], sums_[end] - sums_[start]); }

  /// Start of the run of stage number `stage` (from 1) for every end; updates `best_` with the largest sums.
  std::vector<std::size_t> add_stage(std::size_t stage) {
    std::vector<std::size_t> starts(sums_.size(), 0);
    std::vector<double> best(sums_.size(), std::numeric_limits<double>::infinity());
    std::size_t start = stage;
    for (std::size_t end = stage + 1; end < sums_.size(); ++end) {
      while (start + 1 < end && largest(start + 1, end) <= largest(start, end)) ++start;
      starts[end] = start;
      best[end] = largest(start, end);
    }
    best_ = std::move(best);
    return starts;
  }

  std::vector<double> sums_;
  std::vector<double> best_;
};

}  // namespace

std::vector<int> balanced_stages(const Network& network, int stages) {
  const std::size_t nodes = network.nodes.size();
  PARCONV_EXPECT(stages >= 1 && (static_cast<std::size_t>(stages) <= nodes || stages == 1), stages, " stages of ", nodes,
                 " nodes");
  std::vector<int> result;
  const std::vector<std::size_t> ends = StageSearch(running_flops(network)).ends(static_cast<std::size_t>(stages));
  for (int stage = 0; stage < stages; ++stage) result.resize(ends[static_cast<std::size_t>(stage)], stage);
  return result;
}

}  // namespace parconv
