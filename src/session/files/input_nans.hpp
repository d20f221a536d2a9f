// SPDX-License-Identifier: Apache-2.0
// Counts the NaNs of the inputs while they are read.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "parconv/comm/control.hpp"
#include "parconv/engine/rank_plan.hpp"
#include "parconv/io/data_source.hpp"
#include "parconv/session/session.hpp"

namespace parconv {

/// The part of `rank`'s box that no lower rank has: halos and replicas are counted once. Where that is no box, a box around it.
Box counted_part(const Distribution& need, int rank);

/// Watches the sources of a job. Every element that some rank loads is counted by one of them, however often it is read.
class InputNanCounter {
 public:
  /// What is read is searched by `threads`.
  explicit InputNanCounter(std::span<DataSource* const> sources, int threads = 1);
  ~InputNanCounter();

  /// Sets what `rank` counts in micro-batches of a plan.
  void use(const RankPlan& plan, int rank);
  /// Sources with the same data, which count. One entry per input.
  std::span<DataSource* const> sources() const { return pointers_; }

  /// The inputs that hold NaNs, on all ranks. Collective.
  std::vector<InputNans> collect(Control& control, const Network& network) const;

 private:
  class Source;
  std::vector<std::unique_ptr<Source>> counting_{};
  std::vector<DataSource*> pointers_{};
};

}  // namespace parconv
