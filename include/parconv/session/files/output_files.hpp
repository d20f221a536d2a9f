// SPDX-License-Identifier: Apache-2.0
// The HDF5 files of a run, one for each output of the network, and the record of their progress.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "parconv/io/hdf5/hdf5_sink.hpp"
#include "parconv/session/job/job_context.hpp"
#include "parconv/session/job/resume.hpp"
#include "parconv/session/request.hpp"
#include "parconv/session/setup.hpp"

namespace parconv {

/// The output files of a job, from creation to the final rename. Meanwhile they have partial names, and a record beside the first
/// one says how far they are (io/resume/resume_record.hpp).
class OutputFiles {
 public:
  /// Contents of the files. `provenance` is called on rank 0 and returns the application's part: command, digest of the model,
  /// versions, inputs. Plan, ranks and times are added to it.
  struct Contents {
    const Request& request;
    const Setup& setup;
    std::function<Provenance()> provenance{};
    int threads = 1;            ///< that convert and write
    std::vector<Fact> facts{};  ///< see Session::result_facts
    std::optional<ResumedJob> resumed{};
  };

  /// Creates all files and reserves their space, or goes on with those of an earlier job. Collective. Throws
  /// JobError(CannotCreate or Io). The job must outlive it.
  OutputFiles(JobContext& job, Contents contents);

  /// One sink per output of the network, in its order.
  std::vector<DataSink*> sinks() const;
  /// Records that the first `samples` samples of all outputs are complete: syncs their data, then appends to the record.
  /// Collective. No-op if that many are recorded. From the first record on the files are kept when the job fails. Reports to
  /// JobContext::record_step: 1 when the data are on disk, 2 when the record is. Throws JobError(Io).
  void record(index_t samples);
  /// Completes and renames all files, the first output's last, and removes the record. Collective. Precondition: all samples are
  /// written. Throws JobError(Io).
  void finish();
  /// Closes the files, which stay for a later job. Collective. Throws JobError(Io).
  void suspend();
  /// Removes all partial files and the record, on rank 0. Local; valid after errors.
  void abandon() noexcept;

  /// Path and data set of each output.
  const std::vector<std::string>& names() const { return names_; }
  /// The partial file of the first output.
  const std::string& first_partial_path() const { return partial_paths_.front(); }

 private:
  void create_record(const Contents& contents);
  void resume_record(ResumedJob& resumed);
  void hold_record();
  void make_sinks(const Contents& contents);
  RecordedFile create(const Hdf5SinkOptions& options);
  void reopen(const Hdf5SinkOptions& options, const ResumeRecord& record, std::size_t output);
  void append(const std::function<std::string()>& entry);
  RecordedBlocks new_blocks(index_t samples);
  void keep_on_failure(index_t samples);

  JobContext& job_;
  std::string job_id_{};
  std::string record_path_{};
  std::optional<RecordFile> record_{};  // all ranks hold their lock
  RecordEntries entries_{};             // on rank 0
  std::vector<std::string> paths_{};
  std::vector<std::string> partial_paths_{};
  std::vector<std::unique_ptr<Hdf5Sink>> files_{};  // null: published before
  std::vector<std::string> names_{};
  index_t num_samples_ = 0;
  index_t recorded_samples_ = 0;
  double extra_seconds_ = 0;  // for reserving and reading back large files
};

}  // namespace parconv
