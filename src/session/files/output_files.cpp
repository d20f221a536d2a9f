// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/files/output_files.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <filesystem>

#include "parconv/io/json/plan_json.hpp"
#include "parconv/io/named_files.hpp"
#include "parconv/io/resume/partial_names.hpp"
#include "parconv/session/machine.hpp"

namespace parconv {
namespace {

/// Throughput of a slow disk.
constexpr double slow_bytes_per_second = 20e6;

std::string time_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

Provenance provenance_of(const JobContext& job, const OutputFiles::Contents& contents) {
  Provenance provenance = contents.provenance ? contents.provenance() : Provenance{};
  provenance.plan_json = plan_to_json(contents.setup.plan, contents.setup.network);
  provenance.mpi_size = job.size();
  provenance.started = time_now();
  provenance.job = job_text(contents.facts);
  return provenance;
}

/// Time, host and process: jobs of several hosts may begin in the same second.
std::string new_job_id() {
  std::string host = this_job(1, 1).host;
  std::erase_if(host, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
  return fmt::format("{}-{}-{}", std::time(nullptr), host.empty() ? "host" : host, ::getpid());
}

ResumeRecord record_of(JobContext& job, const OutputFiles::Contents& contents, const std::string& first_path) {
  return {.output = std::filesystem::path(first_path).filename().string(),
          .facts = contents.facts,
          .plan = {.json = plan_to_json(contents.setup.plan, contents.setup.network),
                   .batch = contents.setup.blocks.batch,
                   .micro_batch = contents.setup.blocks.micro_batch},
          .num_samples = contents.setup.blocks.samples,
          .owner = this_job(job.size(), num_hosts(job.control()))};
}

/// Outputs that do not grow with the samples are complete with the last one.
index_t complete_of(index_t samples, index_t num_samples, const Extents& extents) {
  if (samples == num_samples) return extents[Axis::N];
  return extents[Axis::N] == num_samples ? samples : 0;
}

}  // namespace

OutputFiles::OutputFiles(JobContext& job, Contents contents) : job_(job), num_samples_(contents.setup.blocks.samples) {
  const Network& network = contents.setup.network;
  job_id_ = contents.resumed ? contents.resumed->parsed.record.job_id : job.control().broadcast(new_job_id());
  for (std::size_t k = 0; k < network.outputs.size(); ++k) {
    const std::string path = output_path(contents.request.output_file, network, k);
    names_.push_back(path);
    paths_.push_back(job.together(JobPhase::Create, [&] { return link_target(path); }));
    partial_paths_.push_back(partial_path_of(paths_.back(), job_id_));
  }
  record_path_ = record_path_of(paths_.front(), job_id_);
  if (contents.resumed)
    resume_record(*contents.resumed);
  else
    create_record(contents);
  hold_record();
  make_sinks(contents);
}

/// The record is older than the files, so that no partial file lacks one.
void OutputFiles::create_record(const Contents& contents) {
  ResumeRecord record;
  job_.together(JobPhase::Create, [&] {
    if (!job_.is_root()) return;
    record = record_of(job_, contents, paths_.front());
    record.job_id = job_id_;
    record_.emplace(RecordFile::create(record_path_));
    record_->lock_whole();
  });
  job_.remove_on_failure(record_path_);
  append([&] { return entries_.job(record); });
  job_.together(JobPhase::Create, [&] {
    if (job_.is_root()) record_->sync_folder();
  });
}

void OutputFiles::resume_record(ResumedJob& resumed) {
  recorded_samples_ = resumed.parsed.record.samples_done;
  if (job_.is_root()) record_.emplace(*std::move(resumed.file));
  entries_ = RecordEntries(resumed.parsed.last_hash);
  append([&] { return entries_.owner(this_job(job_.size(), num_hosts(job_.control()))); });
}

/// Every rank holds a part of the lock: a later job must not go on before the last one has ended.
void OutputFiles::hold_record() {
  job_.together(JobPhase::Create, [&] {
    if (job_.is_root()) record_->share_lock();
  });
  job_.together(JobPhase::Create, [&] {
    if (job_.is_root()) return;
    record_.emplace(RecordFile::open(record_path_));
    record_->lock_of_rank(job_.rank());
  });
}

void OutputFiles::make_sinks(const Contents& contents) {
  const Setup& setup = contents.setup;
  Hdf5SinkOptions sink{.job_id = job_id_,
                       .type = contents.request.output_type,
                       .replaces_existing = contents.request.replaces_output,
                       .threads = contents.threads};
  job_.together(JobPhase::Create, [&] {
    if (job_.is_root()) sink.provenance = provenance_of(job_, contents);
  });
  std::vector<RecordedFile> created;
  for (std::size_t k = 0; k < paths_.size(); ++k) {
    const ValueId output = setup.network.outputs[k];
    sink.path = paths_[k];
    sink.name = setup.network.value(output).name;
    sink.extents = output_extents(setup, output);
    sink.ndims = setup.network.value(output).ndims;
    extra_seconds_ += static_cast<double>(volume(sink.extents)) * sizeof(float) / slow_bytes_per_second;
    if (contents.resumed) {
      reopen(sink, contents.resumed->parsed.record, k);
      continue;
    }
    created.push_back(create(sink));
  }
  if (contents.resumed)
    keep_on_failure(recorded_samples_);
  else
    append([&] { return entries_.files(created); });
}

RecordedFile OutputFiles::create(const Hdf5SinkOptions& options) {
  job_.remove_on_failure(partial_paths_[files_.size()]);  // before rank 0 creates it: another rank may fail alone
  const auto open = [&] {
    const ActivityScope call = job_.in_library();
    files_.push_back(std::make_unique<Hdf5Sink>(job_.control(), options));
  };
  job_.in_collectives(JobPhase::Create, open, extra_seconds_);
  names_[files_.size() - 1] += concat(":", files_.back()->dataset_path());
  return job_.in_collectives(JobPhase::Create, [&] { return files_.back()->recorded_file(); }, extra_seconds_);
}

/// A file without a partial name was published before the earlier job ended.
void OutputFiles::reopen(const Hdf5SinkOptions& options, const ResumeRecord& record, std::size_t output) {
  files_.emplace_back();
  const bool is_here = job_.together(JobPhase::Create, [&] { return std::filesystem::exists(partial_paths_[output]); });
  if (job_.control().max(job_.is_root() && is_here ? 1 : 0) == 0) return;
  const ResumedFile resumed{.file = record.files[output], .blocks = record.blocks[output]};
  const auto open = [&] {
    const ActivityScope call = job_.in_library();
    files_.back() = std::make_unique<Hdf5Sink>(job_.control(), options, resumed);
  };
  job_.in_collectives(JobPhase::Create, open, extra_seconds_);
  names_[output] += concat(":", files_.back()->dataset_path());
}

/// Appends an entry on rank 0.
void OutputFiles::append(const std::function<std::string()>& entry) {
  job_.together(JobPhase::Create, [&] {
    if (job_.is_root()) record_->append(entry());
  });
}

std::vector<DataSink*> OutputFiles::sinks() const {
  std::vector<DataSink*> result;
  for (const auto& file : files_) result.push_back(file.get());
  return result;
}

/// The new blocks of all ranks, on rank 0.
RecordedBlocks OutputFiles::new_blocks(index_t samples) {
  RecordedBlocks blocks(files_.size());
  for (std::size_t k = 0; k < files_.size(); ++k) {
    if (!files_[k]) continue;
    const index_t complete = complete_of(samples, num_samples_, files_[k]->extents());
    for (const std::string& text : job_.control().gather(packed(files_[k]->take_blocks(complete)))) unpack(text, blocks[k]);
  }
  return blocks;
}

void OutputFiles::record(index_t samples) {
  if (samples <= recorded_samples_) return;
  job_.in_collectives(
      JobPhase::Record,
      [&] {
        const ActivityScope call = job_.in_library();
        for (const auto& file : files_)
          if (file) file->sync();
        job_.record_step(1);
      },
      extra_seconds_);
  const RecordedBlocks blocks = new_blocks(samples);
  job_.together(JobPhase::Record, [&] {
    if (job_.is_root()) record_->append(entries_.progress(samples, blocks));
    job_.record_step(2);
  });
  recorded_samples_ = samples;
  keep_on_failure(samples);
}

void OutputFiles::keep_on_failure(index_t samples) {
  job_.keep_files(concat(samples, " of ", num_samples_, " samples, in ", partial_paths_.front(), "; --resume goes on"));
}

void OutputFiles::finish() {
  record(num_samples_);
  for (auto file = files_.rbegin(); file != files_.rend(); ++file) {
    const auto finish = [&] {
      const ActivityScope call = job_.in_library();
      (*file)->finish(time_now());
    };
    if (*file) job_.in_collectives(JobPhase::Finish, finish, extra_seconds_);
  }
  if (job_.is_root()) ::unlink(record_path_.c_str());
  job_.keep_files();
}

void OutputFiles::suspend() {
  for (const auto& file : files_)
    if (file) job_.in_collectives(JobPhase::Record, [&] { file->suspend(); });
}

void OutputFiles::abandon() noexcept {
  if (!job_.is_root()) return;
  for (const std::string& path : partial_paths_) ::unlink(path.c_str());
  ::unlink(record_path_.c_str());
}

}  // namespace parconv
