// SPDX-License-Identifier: Apache-2.0
// A session: a request and a workload taken through all phases of a job to results.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parconv/engine/job_verification.hpp"
#include "parconv/engine/rank_plan.hpp"
#include "parconv/io/named_files.hpp"
#include "parconv/report/json_lines.hpp"
#include "parconv/session/devices/algorithm_timing.hpp"
#include "parconv/session/devices/rank_device.hpp"
#include "parconv/session/job/job_context.hpp"
#include "parconv/session/request.hpp"
#include "parconv/session/setup.hpp"
#include "parconv/session/workload.hpp"

namespace parconv {

/// Consecutive micro-batches of one size.
struct RunBlock {
  index_t first_sample = 0;
  index_t micro_batches = 0;
  index_t micro_batch = 0;  ///< samples of each

  friend bool operator==(const RunBlock&, const RunBlock&) = default;
};

/// Keeps the progress of a run, so that a later job can go on.
struct ProgressKeeper {
  /// Called on all ranks, collectively, when the first `samples` samples of all outputs are in the sinks: during a run, and at
  /// its end.
  std::function<void(index_t samples)> record{};
  double interval_seconds = 30;  ///< between records; 0: at the end of a run only
};

/// Options of Session::verify.
struct VerifyOptions {
  VerifyExtent extent = VerifyExtent::Samples;
  /// Sources for the ranks, while the reference reads those of the workload; empty: the same sources. For tests.
  std::span<DataSource* const> rank_sources{};
};

/// The NaNs of an input that were read.
struct InputNans {
  std::string input{};           ///< name
  index_t count = 0;             ///< each element counts once, whichever ranks load it
  std::vector<index_t> first{};  ///< place of the first in ONNX order, by dimensions
};

/// Results of measuring all runs of a session.
struct RunReport {
  RunRecord record{};
  StepReport layers{};  ///< implementations on rank 0 only
  GraphReport graphs{};
  std::string summary{};     ///< human-readable, a few lines
  std::string graph_text{};  ///< one line on the use of graphs
};

/// Splits a network over the ranks of a job and runs it:
///
///     Session session(job, {.split = "h=2,w=2"});
///     session.describe(workload);
///     session.run(sinks);
///
/// describe -> plan -> compile -> prepare -> run -> report. Every phase but describe runs the earlier phases that are still
/// pending; call them one by one to inspect intermediate results. All non-const methods are collective over all ranks of the job,
/// with equal arguments. If a rank fails before `run`, all throw the same JobError; in `run` ranks synchronise by messages only.
/// A rank that fails alone calls JobHooks::on_lone_failure. A stop request (JobOptions::stop) ends the job before the next phase
/// or block.
class Session {
 public:
  /// Chooses the device of every rank. Throws JobError(Unavailable). The job must outlive the session.
  Session(JobContext& job, Request request);
  /// Uses devices chosen before, which must outlive the session.
  Session(RankDevice& device, Request request);
  ~Session();
  Session(Session&&) noexcept;

  JobContext& job() const;
  RankDevice& device() const;
  const Request& request() const;

  /// Sets the network and its data, which must outlive the session.
  void describe(Workload workload);
  /// Opens the model and the input files of the request. Throws JobError(InputMissing, BadData or Usage).
  void describe_files();
  /// The files that describe_files opened. Local.
  std::vector<NamedFile> read_files() const;
  const Workload& workload() const;

  /// Chooses the split of every layer. Throws JobError(Usage or BadData); also BadData if ranks see different models or data.
  void plan();
  const Setup& setup() const;
  const CompileOptions& compile_options() const;
  /// Threads per rank.
  int threads() const;
  std::string backend_name() const;

  /// The model, inputs and options that the results depend on. Local. Precondition: described.
  std::vector<Fact> request_facts() const;
  /// What the results depend on: request_facts, and the plan unless every plan gives the same bits. Jobs with equal facts compute
  /// equal bits. Local. Precondition: planned.
  std::vector<Fact> result_facts() const;
  /// Plans as an earlier job did, if the request leaves the plan open: see Request::recorded_plan. Equal on all ranks.
  /// Precondition: not planned.
  void plan_as(RecordedPlan plan);
  /// Leaves out the samples before `sample`, which an earlier job computed. Preconditions: planned, not compiled.
  void start_at(index_t sample);

  /// Compiles and proves the programs of all ranks. Throws JobError(OutOfMemory) if they do not fit into the memory of GPUs.
  void compile();
  /// This rank's program for full micro-batches, with its network and layout.
  const RankPlan& rank_plan() const;

  /// Times the convolution algorithms of GPUs if the request is ConvAlgorithmChoice::Timed; nullopt otherwise. Precondition:
  /// `prepare` was not called yet.
  std::optional<AlgorithmTiming> time_conv_algorithms();

  /// Compares every layer of the first micro-batch with the reference. One entry per layer, the same on all ranks.
  std::vector<LayerDifference> verify(const VerifyOptions& options = {});
  /// True if the job is to have the bits of the reference: the backend has them, and no sum is cut inside a leaf. Local.
  /// Precondition: planned.
  bool keeps_reference_bits() const;

  /// The samples from start_at on as blocks: full micro-batches, and the rest as one short micro-batch. Example: 11 samples in
  /// micro-batches of 4 are {0, 2, 4} and {8, 1, 3}.
  std::vector<RunBlock> blocks() const;

  /// Allocates the memory of a block and prepares its kernels and messages; replaces those of another block size.
  void prepare(const RunBlock& block);
  /// The same for the first block.
  void prepare();

  /// Runs one block. `sinks` has one entry per output, each for all samples. Returns the seconds of the slowest rank.
  double run(std::span<DataSink* const> sinks, const RunBlock& block);
  /// Runs all blocks, in order, and records the progress. Ends early, after the micro-batches in flight, if JobHooks::stop_reason
  /// has a reason on any rank. Returns the sum of their seconds.
  double run(std::span<DataSink* const> sinks);
  /// Sets what keeps the progress of later runs of all blocks.
  void keep_progress(ProgressKeeper keeper);
  /// The samples that are complete: the first ones.
  index_t samples_done() const;
  /// The reason why the last run ended early; None if it did not. The same on all ranks.
  StopReason stop_reason() const;

  /// The inputs in which the runs so far have read NaNs, the same on all ranks. Collective.
  std::vector<InputNans> input_nans() const;

  /// Sets a callback for every rank, called with the number of completed samples, in whole batches.
  void on_samples(std::function<void(index_t samples)> action);

  /// Frees the memory of `prepare`; measurements are kept.
  void release();

  /// Collects the measurements of all ranks and releases the memory of `prepare`. Precondition: a block was run.
  RunReport report();
  /// A Chrome trace of all ranks, on rank 0. Precondition: report() was called.
  std::string trace();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parconv
