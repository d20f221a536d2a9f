// SPDX-License-Identifier: Apache-2.0
// The contents of files that many ranks read, hashed once on each host.
#pragma once

#include <span>
#include <vector>

#include "parconv/comm/agreement.hpp"
#include "parconv/io/read_files.hpp"
#include "parconv/session/job/job_context.hpp"

namespace parconv {

/// Facts with size and digest of whole files, as ReadFiles::contents states them. The ranks of a host that have opened the same
/// file hash its pieces in turns. Collective; ranks may pass different files. Precondition: `watched` holds all of `files`.
/// Throws JobError(BadData or Io) if a file cannot be read.
std::vector<Fact> shared_contents(JobContext& job, const ReadFiles& watched, std::span<const NamedFile> files);

}  // namespace parconv
