// SPDX-License-Identifier: Apache-2.0
// Derives network, plan and blocks of samples from a request and a workload. Pure, without MPI.
#pragma once

#include <string>

#include "parconv/model/network.hpp"
#include "parconv/plan/plan.hpp"
#include "parconv/session/request.hpp"
#include "parconv/session/workload.hpp"

namespace parconv {

/// Division of the samples into full micro-batches, and a short one for the rest.
struct Blocks {
  index_t samples = 0;
  index_t batch = 1;  ///< samples per progress report
  index_t micro_batch = 1;
  index_t first = 0;  ///< the samples before it are complete: an earlier job computed them

  index_t full_micro_batches() const { return (samples - first) / micro_batch; }
  index_t rest() const { return (samples - first) % micro_batch; }
  /// Completed samples rounded down to whole batches, for progress reports. Example: 11 of 20 in batches of 4 are 8.
  index_t whole_batches(index_t done) const { return done >= samples ? samples : done / batch * batch; }
};

/// Network, plan and blocks of a job.
struct Setup {
  Network network{};  ///< fused, of one micro-batch
  Plan plan{};
  Blocks blocks{};
  std::string split{};  ///< for messages: "h=2,w=2", "auto", "plan FILE"
};

/// Chooses the split, the blocks and the plan for `ranks` ranks. Local. Throws Error(Usage) for a split that does not fit the
/// ranks, and Error(BadData) for an invalid model, data or plan.
Setup set_up(const Request& request, const Workload& workload, int ranks);

/// Chooses the samples per batch and micro-batch: as requested; else a batch of 8 samples (at least one per part of the batch
/// axis, at most 2^26 input elements), and micro-batches of the whole batch, or with several stages a quarter of the batch per
/// stage. Local.
Blocks choose_blocks(const Request& request, const DataSize& data, const SplitRequest& split_request, int ranks);

/// The extents of an output for all samples of the input. Local. Throws Error(BadData) if there are several micro-batches and
/// the extent along n is not proportional to the samples.
Extents output_extents(const Setup& setup, ValueId output);

/// `file` for the first output, FILE.<name>.h5 for the others, all different.
std::string output_path(const std::string& file, const Network& network, std::size_t output);

}  // namespace parconv
