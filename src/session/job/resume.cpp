// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/job/resume.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <thread>

#include "parconv/io/hdf5/hdf5_sink.hpp"
#include "parconv/io/resume/partial_names.hpp"

namespace parconv {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// The ranks of a job that was requeued may need a moment to end.
constexpr milliseconds patience{5000};
constexpr milliseconds pause_between_tries{100};

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::string file_name(const std::string& path) { return fs::path(path).filename().string(); }

std::optional<ParsedRecord> parsed(const std::string& bytes) { return parse_record(std::as_bytes(std::span(bytes))); }

void read_record(const std::string& path, UnfinishedJob& job) {
  try {
    RecordFile file = RecordFile::open(path);
    const std::string bytes = file.read();
    if (auto read = parsed(bytes)) {
      const bool is_whole = read->valid_bytes == std::ssize(bytes);
      job.has_computed = !is_whole || !read->record.files.empty();
      job.record = std::move(read->record);
    }
    job.lock = file.lock_whole();
  } catch (const Error&) {  // no record
  }
}

UnfinishedJob unfinished_job(const std::string& job_id, std::span<const std::string> outputs) {
  UnfinishedJob job{.job_id = job_id};
  for (const std::string& output : outputs)
    if (const std::string path = partial_path_of(output, job_id); exists(path)) job.files.push_back(path);
  const std::string record = record_path_of(outputs.front(), job_id);
  if (!exists(record)) return job;
  job.files.push_back(record);
  read_record(record, job);
  return job;
}

/// "run_1:30.h5" and "run_1_30.h5" share the names of their partial files.
bool is_of(const UnfinishedJob& job, const std::string& output) { return !job.record || job.record->output == file_name(output); }

/// True if each output has its partial file, or has been published by the job when it was interrupted.
bool has_files(const UnfinishedJob& job, std::span<const std::string> outputs, const std::string& text) {
  if (job.record->files.size() != outputs.size()) return false;
  const bool is_done = job.record->samples_done == job.record->num_samples;
  return std::all_of(outputs.begin(), outputs.end(), [&](const std::string& output) {
    return exists(partial_path_of(output, job.job_id)) || (is_done && finished_job(output) == text);
  });
}

bool has_facts(const ResumeRecord& record, std::span<const Fact> facts) {
  return std::ranges::all_of(facts,
                             [&](const Fact& fact) { return std::ranges::find(record.facts, fact) != record.facts.end(); });
}

std::string difference_of(std::span<const Fact> recorded, std::span<const Fact> now) {
  if (recorded.size() != now.size()) return "the kind of job";
  const auto [was, is] = std::mismatch(recorded.begin(), recorded.end(), now.begin());
  return concat(is->name, ": ", was->value.empty() ? "none" : was->value, " in the record, ",
                is->value.empty() ? "none" : is->value, " now");
}

/// The unfinished job that went furthest; nullopt if there is none.
std::optional<UnfinishedJob> choose(std::span<const std::string> outputs, std::span<const Fact> facts) {
  std::optional<UnfinishedJob> best;
  std::string other;
  for (UnfinishedJob& job : unfinished_jobs(outputs)) {
    if (!job.record || !has_files(job, outputs, job_text(facts))) continue;
    if (!std::ranges::equal(facts, job.record->facts))
      other = concat("cannot resume ", job.files.front(), ": it differs in ", difference_of(job.record->facts, facts));
    else if (!best || job.record->samples_done > best->record->samples_done)
      best = std::move(job);
  }
  if (!best && !other.empty())
    throw Error(ExitCode::Config, other, "Use the model, inputs and options of that job, or start anew without --resume.");
  return best;
}

void lock_or_refuse(RecordFile& file, const UnfinishedJob& job) {
  const auto begin = std::chrono::steady_clock::now();
  while (file.lock_whole() == LockOutcome::Held) {
    if (std::chrono::steady_clock::now() - begin > patience)
      throw Error(ExitCode::CannotCreate, concat(job.files.front(), " is still being written by ", to_string(job.record->owner)),
                  "Wait for that job, or end it.");
    std::this_thread::sleep_for(pause_between_tries);
  }
}

/// On rank 0. Reads the record again under its lock.
std::optional<ResumedJob> open_best(std::span<const std::string> outputs, std::span<const Fact> facts) {
  const std::optional<UnfinishedJob> best = choose(outputs, facts);
  if (!best) return std::nullopt;
  RecordFile file = RecordFile::open(best->files.back());
  lock_or_refuse(file, *best);
  std::optional<ParsedRecord> read = parsed(file.read());
  if (!read) return std::nullopt;
  file.cut(read->valid_bytes);
  ResumedJob job{.parsed = *std::move(read)};
  job.file.emplace(std::move(file));
  return job;
}

bool are_complete(std::span<const std::string> outputs, std::span<const Fact> facts) {
  const std::string text = job_text(facts);
  return std::all_of(outputs.begin(), outputs.end(), [&](const std::string& output) { return finished_job(output) == text; });
}

/// Of jobs that ended before their files were created, or, with a complete output, between the last renaming and the removal of
/// the record.
void remove_remains(std::span<const std::string> outputs, std::span<const Fact> facts, bool is_complete) {
  for (const UnfinishedJob& job : unfinished_jobs(outputs)) {
    const bool is_over = job.record && (!job.has_computed || (is_complete && job.files.size() == 1));
    if (is_over && std::ranges::equal(job.record->facts, facts)) discard_if_dead(job, outputs, {});
  }
}

/// The record of rank 0, on all ranks.
std::optional<ResumedJob> shared(Control& control, std::optional<ResumedJob> mine) {
  const std::string bytes = control.broadcast(mine ? mine->file->read() : std::string());
  if (bytes.empty() || mine) return mine;
  return ResumedJob{.parsed = parsed(bytes).value()};
}

}  // namespace

std::string job_text(std::span<const Fact> facts) {
  std::string text;
  for (const Fact& fact : facts) text += concat(fact.name, ": ", fact.value, "\n");
  return text;
}

std::vector<UnfinishedJob> unfinished_jobs(std::span<const std::string> outputs) {
  std::set<std::string> ids;
  for (const std::string& output : outputs)
    ids.merge([&] {
      const std::vector<std::string> found = partial_jobs_of(output);
      return std::set<std::string>(found.begin(), found.end());
    }());
  std::vector<UnfinishedJob> jobs;
  for (const std::string& id : ids) {
    UnfinishedJob job = unfinished_job(id, outputs);
    if (!job.files.empty() && is_of(job, outputs.front())) jobs.push_back(std::move(job));
  }
  return jobs;
}

bool discard_if_dead(const UnfinishedJob& job, std::span<const std::string> outputs, const SlurmQuery& query) {
  if (!job.record) return false;
  const std::string path = record_path_of(outputs.front(), job.job_id);
  try {
    RecordFile file = RecordFile::open(path);
    if (fate_of(job.record->owner, this_job(1, 1), file.lock_whole(), query) != JobFate::Dead) return false;
    // The record last: without it nothing is known of the others.
    for (const std::string& each : job.files) ::unlink(each.c_str());
  } catch (const Error&) {
    return false;
  }
  return std::none_of(job.files.begin(), job.files.end(), exists);
}

std::optional<RecordedPlan> recorded_plan(JobContext& job, const std::string& output, std::span<const Fact> facts) {
  std::optional<ResumeRecord> best;
  if (job.is_root())
    for (UnfinishedJob& unfinished : unfinished_jobs(std::span(&output, 1)))
      if (unfinished.record && has_facts(*unfinished.record, facts) &&
          (!best || unfinished.record->samples_done > best->samples_done))
        best = std::move(unfinished.record);
  RecordedPlan plan = best ? std::move(best->plan) : RecordedPlan{};
  plan.json = job.control().broadcast(plan.json);
  plan.batch = job.control().max(job.is_root() ? plan.batch : 0);
  plan.micro_batch = job.control().max(job.is_root() ? plan.micro_batch : 0);
  return plan.json.empty() ? std::nullopt : std::optional(std::move(plan));
}

Resumption find_resumption(JobContext& job, std::span<const std::string> outputs, std::span<const Fact> facts) {
  Resumption found;
  found.is_complete = job.together(JobPhase::Create, [&] { return job.is_root() && are_complete(outputs, facts); });
  found.is_complete = job.control().max(found.is_complete ? 1 : 0) == 1;
  job.together(JobPhase::Create, [&] {
    if (job.is_root()) remove_remains(outputs, facts, found.is_complete);
  });
  if (found.is_complete) return found;
  const double extra_seconds = std::chrono::duration<double>(patience).count();
  auto mine = job.together(
      JobPhase::Create, [&] { return job.is_root() ? open_best(outputs, facts) : std::optional<ResumedJob>(); }, extra_seconds);
  found.job = shared(job.control(), std::move(mine));
  return found;
}

}  // namespace parconv
