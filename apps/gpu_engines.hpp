// Which engines of a GPU's library the convolutions of a job are computed by.
#pragma once

#include <memory>
#include <span>

#include "app_job.hpp"
#include "options.hpp"
#include "parconv/compute/backend.hpp"
#include "rank_device.hpp"

namespace parconv::app {

/// What does not depend on the network: engines, workspace, and the multiprocessors that messages need while ranks compute.
/// Collective: the same on all ranks.
GpuOptions gpu_options(AppJob& job, const RunOptions& options, RankDevice& device, Overlap overlap);

/// Times engines for all calls of all ranks that --engine-cache does not answer, and writes them there. `ops` are the calls of
/// this rank's programs, `backend` is made for a GPU. Collective. Throws JobError(BadData) for a file that is damaged.
std::shared_ptr<const EngineChoices> timed_engines(AppJob& job, const RunOptions& options, const BackendOptions& backend,
                                                   std::span<const LocalOp> ops);

}  // namespace parconv::app
