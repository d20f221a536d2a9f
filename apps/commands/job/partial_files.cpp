// SPDX-License-Identifier: Apache-2.0
#include "partial_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstdio>
#include <memory>

#include "parconv/session/job/resume.hpp"

namespace parconv::app {
namespace {

/// The output of a command, and whether it succeeded.
struct Answer {
  std::string text{};
  bool is_success = false;
};

Answer answer_of(const std::string& command) {
  Answer answer;
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return answer;
  std::array<char, 256> part{};
  while (std::fgets(part.data(), part.size(), pipe) != nullptr) answer.text += part.data();
  answer.is_success = ::pclose(pipe) == 0;
  return answer;
}

/// As SlurmQuery: the first word that squeue prints.
std::string slurm_state(const std::string& job) {
  if (job.find_first_not_of("0123456789_") != std::string::npos) return {};
  const Answer answer = answer_of(fmt::format("squeue --noheader --states=all --jobs={} --format=%T 2>&1", job));
  if (answer.text.find("Invalid job id") != std::string::npos) return "unknown";
  return answer.is_success ? answer.text.substr(0, answer.text.find_first_of(" \n")) : std::string();
}

std::string progress_of(const UnfinishedJob& job) {
  if (!job.record) return "without a record";
  const char* state = job.lock == LockOutcome::Held ? "running"
                      : job.has_computed            ? "resumable with --resume"
                                                    : "nothing to resume";
  return fmt::format("{} of {} samples, {}", job.record->samples_done, job.record->num_samples, state);
}

}  // namespace

std::string note_of_partial_files(std::span<const std::string> outputs, const std::string& job_id) {
  std::vector<std::string> texts;
  for (const UnfinishedJob& job : unfinished_jobs(outputs))
    if (job.job_id != job_id) texts.push_back(fmt::format("{} ({})", job.files.front(), progress_of(job)));
  if (texts.empty()) return {};
  return fmt::format("note: unfinished outputs of other jobs: {}; --discard-partial removes those of dead ones\n",
                     fmt::join(texts, ", "));
}

void discard_partial_files(std::span<const std::string> outputs) {
  for (const UnfinishedJob& job : unfinished_jobs(outputs)) {
    const bool is_gone = discard_if_dead(job, outputs, slurm_state);
    const char* reason = job.lock == LockOutcome::Held ? "its job is running" : "its job may be running";
    fmt::print(stderr, "note: {} {}{}{}\n", is_gone ? "removed" : "kept", job.files.front(), is_gone ? "" : ": ",
               is_gone      ? ""
               : job.record ? reason
                            : "it has no record of its job");
  }
}

}  // namespace parconv::app
