// SPDX-License-Identifier: Apache-2.0
// Checks that the ranks of each host fit into its memory, before they allocate it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "parconv/device/resource_limits.hpp"
#include "parconv/engine/rank_plan.hpp"
#include "parconv/session/job/job_context.hpp"

namespace parconv {

/// What one rank is still to allocate in host memory, in bytes: a lower bound, so that no job is refused that would run. The
/// memory of libraries is held already.
struct HostMemoryNeed {
  index_t buffer_bytes = 0;   ///< of the program
  index_t message_bytes = 0;  ///< packed messages
  index_t weight_bytes = 0;   ///< packed weights
  index_t reading_bytes = 0;  ///< weights as they are read, at the peak and beyond the packed ones
  index_t file_bytes = 0;     ///< staging of inputs and outputs, after the weights are read

  index_t total() const;

  friend bool operator==(const HostMemoryNeed&, const HostMemoryNeed&) = default;
};

/// What the need depends on, beside the program.
struct HostMemoryOptions {
  int threads = 1;
  index_t bytes_per_weight = 4;  ///< as the backend packs them
};

/// The need of an engine for `plan`. Local and pure.
HostMemoryNeed host_memory_need(const RankPlan& plan, const HostMemoryOptions& options);

/// The one with the larger total. Local and pure.
HostMemoryNeed larger(const HostMemoryNeed& a, const HostMemoryNeed& b);

/// Backends with the bits of the reference multiply weights as f32; others pack them in `type`, at the least. Local.
index_t bytes_per_weight(const Backend& backend, DType type);

/// A rank of a host.
struct RankMemory {
  int rank = 0;
  HostMemoryNeed need{};
  index_t held_bytes = 0;  ///< already in RAM, and no longer free
  std::vector<MemoryLimit> limits{};

  friend bool operator==(const RankMemory&, const RankMemory&) = default;
};

/// Checks each limit against the needs of all ranks under it. Pure. `ranks` are those of one host. Ranks read the free memory of
/// a limit at different times; the largest value counts. Throws Error(OutOfMemory) with the bytes, for the limit that lacks the
/// most.
void require_host_memory(const std::string& host, std::span<const RankMemory> ranks);

/// The same for all hosts, with the limits of this moment. Collective. Throws JobError(OutOfMemory).
void require_host_memory(JobContext& job, const HostMemoryNeed& need);

}  // namespace parconv
