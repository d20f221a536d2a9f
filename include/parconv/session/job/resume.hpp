// SPDX-License-Identifier: Apache-2.0
// Unfinished jobs of an output, and going on with one of them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parconv/io/resume/record_file.hpp"
#include "parconv/session/job/job_context.hpp"

namespace parconv {

/// The facts as lines "name: value", which a complete output holds as Provenance::job.
std::string job_text(std::span<const Fact> facts);

/// A job that left partial files of an output.
struct UnfinishedJob {
  std::string job_id{};
  std::vector<std::string> files{};             ///< that exist: partial files by output, then the record
  std::optional<ResumeRecord> record{};         ///< if it can be read
  bool has_computed = false;                    ///< or may have: false only if the record is whole and ends before its files
  LockOutcome lock = LockOutcome::Unavailable;  ///< of the record; freed again
};

/// The unfinished jobs of outputs with these final paths, the first output's first. Local; never throws for unreadable files.
std::vector<UnfinishedJob> unfinished_jobs(std::span<const std::string> outputs);

/// Removes the files of a job if it is certainly dead, under the lock of its record; returns whether they were removed. Local.
bool discard_if_dead(const UnfinishedJob& job, std::span<const std::string> outputs, const SlurmQuery& query);

/// An unfinished job to go on with.
struct ResumedJob {
  ParsedRecord parsed{};
  std::optional<RecordFile> file{};  ///< on rank 0, locked as a whole
};

/// What an output holds of a job.
struct Resumption {
  bool is_complete = false;         ///< all outputs are there: nothing is to be done
  std::optional<ResumedJob> job{};  ///< goes on with it; else begins
};

/// The plan of the unfinished job of this output, among those with these facts the one that went furthest. Collective.
std::optional<RecordedPlan> recorded_plan(JobContext& job, const std::string& output, std::span<const Fact> facts);

/// Looks for a complete or unfinished output of the job with these facts. Of several unfinished jobs the one that went furthest
/// is taken; files of dead ones that computed nothing are removed. Collective. Throws JobError(Config) if there are only jobs
/// with other facts, naming the first that differs, and JobError(CannotCreate) if the job still runs.
Resumption find_resumption(JobContext& job, std::span<const std::string> outputs, std::span<const Fact> facts);

}  // namespace parconv
