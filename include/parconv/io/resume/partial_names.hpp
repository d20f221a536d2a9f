// SPDX-License-Identifier: Apache-2.0
// Names of unfinished outputs and their records.
#pragma once

#include <string>
#include <vector>

namespace parconv {

/// The name under which `final_path` is written first, in the same folder: "run_1:30.h5" as "run_1_30.h5.partial-JOB".
std::string partial_path_of(const std::string& final_path, const std::string& job_id);

/// The record of a job, beside the partial file of its first output.
std::string record_path_of(const std::string& final_path, const std::string& job_id);

/// The jobs with a partial file or a record for this output, sorted. Local. Empty if the folder cannot be read.
std::vector<std::string> partial_jobs_of(const std::string& final_path);

}  // namespace parconv
