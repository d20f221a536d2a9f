// SPDX-License-Identifier: Apache-2.0
// parconv_app run: applies a model to a file of samples under a split, and writes a file of results.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <future>
#include <optional>
#include <utility>

#include "command_facts.hpp"
#include "commands.hpp"
#include "job/partial_files.hpp"
#include "parconv/device/devices.hpp"
#include "parconv/device/resource_limits.hpp"
#include "parconv/io/text_files.hpp"
#include "parconv/program/explain.hpp"
#include "parconv/session/files/output_files.hpp"
#include "parconv/session/job/resume.hpp"
#include "parconv/session/measurements.hpp"
#include "parconv/session/numerics.hpp"
#include "parconv/session/session.hpp"
#include "parconv/session/verification.hpp"
#include "progress.hpp"
#include "sha256.hpp"
#include "versions.hpp"
#include "wrong_source.hpp"

namespace parconv::app {
namespace {

void add_file(const char* part, const std::string& path, std::vector<NamedFile>& files) {
  if (!path.empty()) files.push_back({part, path});
}

const char* plural(index_t count) { return count == 1 ? "" : "s"; }

/// Takes a session through its phases, and prints intermediate results.
class Runner {
 public:
  Runner(LaunchedJob& job, const RunCommand& command) : job_(job), command_(command), session_(job.context(), command.request) {}

  ExitCode run() {
    print_placement();
    session_.describe_files();
    take_recorded_plan();
    session_.plan();
    require_files_apart();
    look_for_earlier_jobs();
    if (resumption_.is_complete) return say_complete();
    model_sha256_ = start_hashing();
    session_.compile();
    if (const auto timing = session_.time_conv_algorithms()) print_timing(*timing);
    announce();
    if (command_.verify) verify(*command_.verify);
    compute();
    if (has_computed()) report();
    if (!is_stopped()) return say_written();
    return say_stopped();
  }

 private:
  bool is_stopped() const { return session_.stop_reason() != StopReason::None; }
  /// False if an earlier job left nothing to compute, or this one was stopped before.
  bool has_computed() const { return session_.samples_done() > session_.setup().blocks.first; }
  bool prints() const { return job_.is_root() && !command_.is_quiet(); }

  void print_placement() {
    const std::string bindings = command_.reports_binding ? session_.device().bind_report() : std::string();
    if (job_.is_root()) fmt::print("{}", bindings);
    const std::string& note = session_.device().placement().note;
    if (prints() && !job_.note().empty()) fmt::print("note: {}\n", job_.note());
    if (prints() && !note.empty() && has_gpu_support()) fmt::print("computing on CPUs: {}\n", note);
  }

  void require_files_apart() {
    std::vector<NamedFile> reads = session_.read_files(), writes;
    add_file("--plan", command_.request.plan_file, reads);
    const Network& network = session_.setup().network;
    for (std::size_t k = 0; k < network.outputs.size(); ++k) {
      const std::string path = output_path(command_.request.output_file, network, k);
      add_file("the output", path, writes);
      outputs_.push_back(job_.context().together(JobPhase::Check, [&] { return link_target(path); }));
    }
    add_file("the stop file", stop_file_of(command_.request.output_file), writes);
    add_file("--report", command_.report_file, writes);
    add_file("--trace", command_.trace_file, writes);
    add_file("--conv-algorithm-cache", command_.request.conv_algorithm_cache, writes);
    job_.context().together(JobPhase::Check, [&] { require_apart(reads, writes); });
  }

  void take_recorded_plan() {
    if (!command_.resumes) return;
    JobContext& job = job_.context();
    const std::string output = job.together(JobPhase::Plan, [&] { return link_target(command_.request.output_file); });
    if (auto plan = recorded_plan(job, output, session_.request_facts())) session_.plan_as(*std::move(plan));
  }

  void look_for_earlier_jobs() {
    JobContext& job = job_.context();
    job.together(JobPhase::Create, [&] {
      if (job_.is_root() && command_.discards_partial) discard_partial_files(outputs_);
    });
    facts_ = session_.result_facts();
    facts_.push_back(fact_of_version());
    if (command_.resumes) resumption_ = find_resumption(job, outputs_, facts_);
    if (resumption_.job) session_.start_at(resumption_.job->parsed.record.samples_done);
    const std::string resumed_id = resumption_.job ? resumption_.job->parsed.record.job_id : std::string();
    if (prints()) std::fputs(note_of_partial_files(outputs_, resumed_id).c_str(), stderr);
  }

  ExitCode say_complete() const {
    if (prints()) fmt::print("complete: {}, by an earlier run of this job\n", command_.request.output_file);
    return ExitCode::Ok;
  }

  ExitCode say_written() const {
    if (!prints()) return ExitCode::Ok;
    for (const std::string& name : output_names_) fmt::print("written: {}\n", name);
    return ExitCode::Ok;
  }

  /// One line for all ranks, also if the run is quiet: it says how to go on.
  ExitCode say_stopped() const {
    if (job_.is_root())
      fmt::print(stderr, "stopped by {} after {} of {} samples; the same command with --resume goes on\n",
                 job_.stop_requests().text(session_.stop_reason()), session_.samples_done(), session_.setup().blocks.samples);
    if (job_.is_root()) job_.stop_requests().obey();
    return ExitCode::Stopped;
  }

  void print_timing(const AlgorithmTiming& timing) const {
    if (!prints()) return;
    const std::string& cache = command_.request.conv_algorithm_cache;
    if (command_.is_verbose() && !cache.empty() && !timing.is_machine_in_cache)
      fmt::print("{} has no convolution algorithms for {}\n", cache, timing.machine);
    fmt::print("convolution algorithms: {} call{} timed in {:.2g} s\n", timing.num_timed, plural(timing.num_timed),
               timing.seconds);
  }

  void announce() const {
    if (!prints()) return;
    const Setup& setup = session_.setup();
    const int ranks = job_.context().size();
    fmt::print("{} layers of {} on {} rank{}, split {}, {} thread{} each, {} in {}\n", setup.network.nodes.size(),
               command_.request.model, ranks, plural(ranks), setup.split, session_.threads(), plural(session_.threads()),
               session_.backend_name(), choice_name(command_.request.numerics));
    fmt::print("{} samples of {} in batches of {} and micro-batches of {}\n", setup.blocks.samples,
               session_.workload().input_names, setup.blocks.batch, setup.blocks.micro_batch);
    fmt::print("{}", off_leaves_text(setup.network, setup.plan));
    if (resumption_.job)
      fmt::print("going on after {} samples that {} computed\n", setup.blocks.first,
                 to_string(resumption_.job->parsed.record.owner));
    std::fflush(stdout);
  }

  void verify(VerifyExtent extent) {
    const Network& network = session_.setup().network;
    const VerifiedSources sources(job_, session_.workload().sources);
    const std::vector<LayerDifference> differences = session_.verify({.extent = extent, .rank_sources = sources.list()});
    if (job_.is_root() && command_.is_verbose()) fmt::print("{}", verify_table(network, differences));
    if (prints()) fmt::print("{}", verify_summary(network, differences));
    job_.context().together(JobPhase::Verify, [&] {
      if (session_.keeps_reference_bits())
        require_same_bits(network, differences);
      else
        require_equal(network, differences, allowed_difference(precision_of(command_.request.numerics)));
    });
  }

  /// In the background, since it takes seconds for large models. Without a thread it is computed when it is needed.
  std::future<std::string> start_hashing() const {
    if (!job_.is_root()) return {};
    return std::async([this] { return sha256_of_file(command_.request.model); });
  }

  Provenance provenance() {
    return {.command = command_.command_line,
            .model_sha256 = model_sha256_.get(),
            .input_path = session_.workload().input_names,
            .git_rev = git_revision(),
            .libs = fmt::format("parconv {}, {}", version(), compiler())};
  }

  /// The record, a file for each output, and one at a time to create them.
  void require_files() const {
    const auto files = static_cast<int>(session_.setup().network.outputs.size()) + 2;
    job_.context().together(JobPhase::Check, [&] { require_open_files(files); });
  }

  void compute() {
    JobContext& job = job_.context();
    require_files();
    OutputFiles files(job, {.request = command_.request,
                            .setup = session_.setup(),
                            .provenance = [this] { return provenance(); },
                            .threads = session_.threads(),
                            .facts = facts_,
                            .resumed = std::exchange(resumption_.job, {})});
    output_names_ = files.names();
    job.together(JobPhase::Create, [&] { reserve_reports(); });
    Progress progress(session_.setup().blocks.samples, prints() ? Progress::Output::Shown : Progress::Output::Silent);
    session_.on_samples([&](index_t samples) { progress.update(samples); });
    session_.keep_progress(
        {.record = [&](index_t samples) { files.record(samples); }, .interval_seconds = command_.record_seconds});
    run_on(files);
    session_.release();
    session_.on_samples({});
    session_.keep_progress({});
    progress.finish();
    if (has_computed()) warn_of_nans();
    is_stopped() ? files.suspend() : files.finish();
  }

  /// What was computed from an input that changed is of no use to a later job.
  void run_on(OutputFiles& files) {
    try {
      session_.run(files.sinks());
    } catch (const Error& error) {
      if (error.code() == ExitCode::BadData) {
        files.abandon();
        job_.context().keep_files();
      }
      throw;
    }
  }

  void warn_of_nans() const {
    for (const InputNans& nans : session_.input_nans())
      if (job_.is_root())
        fmt::print(stderr, "warning: input '{}' has {} NaN{}; the first is at [{}]\n", nans.input, nans.count, plural(nans.count),
                   fmt::join(nans.first, ", "));
  }

  /// Creates report files before the run, so that an unwritable one is an error before the work.
  void reserve_reports() const {
    if (!job_.is_root()) return;
    if (!command_.report_file.empty()) write_text_file(command_.report_file, "");
    if (!command_.trace_file.empty()) write_text_file(command_.trace_file, "");
  }

  void report() {
    RunReport report = session_.report();
    report.record.command = command_.command_line;
    report.record.version = version();
    report.record.git_rev = git_revision();
    report.record.compiler = compiler();
    report.record.output = output_names_.front();
    if (prints()) print(report);
    const std::string trace = command_.trace_file.empty() ? std::string() : session_.trace();
    job_.context().together(JobPhase::Report, [&] {
      if (!job_.is_root()) return;
      if (!command_.report_file.empty()) write_text_file(command_.report_file, to_json_lines(report.record, report.layers));
      if (!command_.trace_file.empty()) write_text_file(command_.trace_file, trace);
    });
  }

  void print(const RunReport& report) const {
    if (command_.is_verbose()) fmt::print("{}", layer_table(report.layers));
    fmt::print("{}", report.summary);
    if (wants_graph_text(report)) fmt::print("{}\n", report.graph_text);
  }

  /// True if the use of graphs is reported: always if requested graphs were not used, also without a GPU.
  bool wants_graph_text(const RunReport& report) const {
    if (command_.request.graphs == GraphUse::On && !report.graphs.are_used) return true;
    return command_.is_verbose() && session_.device().placement().device == DeviceKind::Gpu;
  }

  LaunchedJob& job_;
  const RunCommand& command_;
  Session session_;
  std::future<std::string> model_sha256_{};  // on rank 0
  std::vector<std::string> outputs_{};       // without links
  std::vector<Fact> facts_{};                // of the results
  Resumption resumption_{};
  std::vector<std::string> output_names_{};
};

}  // namespace

int run(LaunchedJob& job, const RunCommand& command) {
  const std::string stop_file = job.is_root() ? stop_file_of(command.request.output_file) : std::string();
  job.listen(StopRequests({.max_seconds = command.max_seconds, .file = stop_file}));
  return static_cast<int>(Runner(job, command).run());
}

}  // namespace parconv::app
