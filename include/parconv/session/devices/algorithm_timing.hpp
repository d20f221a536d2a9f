// SPDX-License-Identifier: Apache-2.0
// Selection of the GPU library's convolution algorithms for a job.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "parconv/compute/backend.hpp"
#include "parconv/program/options.hpp"
#include "parconv/session/devices/rank_device.hpp"
#include "parconv/session/job/job_context.hpp"
#include "parconv/session/request.hpp"

namespace parconv {

/// The GPU options independent of the network: algorithms, workspace, and the multiprocessors reserved for messages under
/// overlap. Collective; the same on all ranks.
GpuOptions gpu_options(JobContext& job, const Request& request, RankDevice& device, Overlap overlap);

/// Result of timing convolution algorithms; `choices` are the same on all ranks.
struct AlgorithmTiming {
  std::shared_ptr<const ConvAlgorithms> choices{};
  index_t num_timed = 0;  ///< calls timed by all ranks; the others were in the cache
  double seconds = 0;
  std::string machine{};  ///< of this rank
  bool is_machine_in_cache = false;
};

/// Times the algorithms for all calls of all ranks that are missing in the cache file, and adds them to it; with an empty
/// name there is no cache. Collective. `ops` are the calls of this rank's programs. Throws JobError(BadData) for a damaged file.
/// Precondition: `backend` describes a GPU.
AlgorithmTiming time_conv_algorithms(JobContext& job, const std::string& cache_file, const BackendOptions& backend,
                                     std::span<const LocalOp> ops);

}  // namespace parconv
