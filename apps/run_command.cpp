// parconv_app run: a model, a file of samples, a split; a file of results.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "commands.hpp"
#include "gpu_engines.hpp"
#include "machine.hpp"
#include "measurements.hpp"
#include "output_files.hpp"
#include "parconv/device/devices.hpp"
#include "parconv/engine/calls.hpp"
#include "parconv/engine/job.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/io/plan_json.hpp"
#include "progress.hpp"
#include "rank_device.hpp"
#include "run_setup.hpp"
#include "verify.hpp"

namespace parconv::app {
namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// One run of one job, phase after phase.
class Runner {
 public:
  Runner(AppJob& job, const RunOptions& options) : job_(job), options_(options) {}

  void run() {
    begin_ = std::chrono::steady_clock::now();
    place();
    open();
    plan();
    compile();
    choose_engines();
    announce();
    verify();
    compute();
    report();
  }

 private:
  void place() {
    device_.emplace(job_, options_.devices);
    job_.together(Phase::Place, [&] { require_available(options_, device_->placement()); });
    const std::string report = options_.devices.reports_binding ? device_->bind_report(job_.control()) : std::string();
    if (!job_.is_root()) return;
    fmt::print("{}", report);
    const std::string& remark = device_->placement().remark;
    if (!options_.is_quiet && !remark.empty() && has_gpu_support()) fmt::print("computing on CPUs: {}\n", remark);
  }

  void open() {
    job_.together(Phase::Read, [&] { model_.emplace(options_.model); });
    job_.together(Phase::Open, [&] { inputs_.emplace(options_, *model_); });
    sources_ = inputs_->sources();
  }

  void plan() {
    setup_ = job_.together(Phase::Plan, [&] { return set_up(options_, *model_, *inputs_, job_.size()); });
    require_same_everywhere();
    threads_ = options_.threads > 0 ? options_.threads : default_threads(job_.control());
    const bool has_several_hosts = num_hosts(job_.control()) > 1;
    backend_options_ = {.threads = threads_,
                        .device = device_->device(),
                        .type = precision_of(options_).activations,
                        .gpu = gpu_options(job_, options_, *device_, overlap_of(options_, has_several_hosts))};
    make_backend_together();
    compile_options_ =
        job_.together(Phase::Plan, [&] { return compile_options(options_, setup_, *backend_, has_several_hosts); });
  }

  void make_backend_together() {
    backend_ = job_.together(Phase::Plan, [&] { return make_backend(backend_options_); });
  }

  /// Hosts that see other files under the same names would wait for messages that nobody sends.
  void require_same_everywhere() {
    const bool is_same = job_.control().all_equal(plan_to_json(setup_.plan, setup_.network) + inputs_->extents());
    job_.together(Phase::Plan, [&] {
      if (!is_same)
        throw Error(ExitCode::BadData, "the ranks do not see the same model, data or plan",
                    "give files that every host sees alike, such as those of a shared file system");
    });
  }

  void compile() {
    compile_full();
    device_->require_memory(job_, full_->program);
    compile_rest();
  }

  void compile_full() {
    full_ = job_.together(Phase::Check, [&] { return make_job(setup_.network, setup_.plan, compile_options_, job_.rank()); });
  }

  void compile_rest() {
    if (setup_.blocks.rest() == 0) return;
    rest_ = job_.together(Phase::Check, [&] {
      Network network = with_batch(setup_.network, setup_.blocks.rest());
      const Plan plan = plan_for_samples(setup_.plan, network);
      return make_job(std::move(network), plan, compile_options_, job_.rank());
    });
  }

  /// Before the engines take memory for their own.
  void choose_engines() {
    if (options_.engines != "timed" || device_->device() == nullptr) return;
    std::vector<LocalOp> ops = local_ops_of(full_->network, full_->program);
    if (rest_) {
      const std::vector<LocalOp> rest = local_ops_of(rest_->network, rest_->program);
      ops.insert(ops.end(), rest.begin(), rest.end());
    }
    backend_options_.gpu.choices = timed_engines(job_, options_, backend_options_, ops);
    make_backend_together();
  }

  void announce() const {
    if (!job_.is_root() || options_.is_quiet) return;
    const Blocks& blocks = setup_.blocks;
    fmt::print("{} layers of {} on {} rank{}, split {}, {} thread{} each, {} in {}\n", setup_.network.nodes.size(),
               options_.model, job_.size(), job_.size() == 1 ? "" : "s", setup_.split, threads_, threads_ == 1 ? "" : "s",
               backend_->name(), options_.dtype);
    fmt::print("{} samples of {} in batches of {} and micro-batches of {}\n", blocks.samples, inputs_->names(), blocks.batch,
               blocks.micro_batch);
    std::fflush(stdout);
  }

  void verify() {
    communicator_.emplace(device_->make_communicator(job_.control()), job_.watchdog());
    if (options_.verify.empty()) return;
    const VerifyInput input{.network = setup_.network,
                            .plan = setup_.plan,
                            .options = compile_options_,
                            .sources = sources_,
                            .extent = options_.verify == "full" ? VerifyExtent::Everything : VerifyExtent::Samples,
                            .device = *device_};
    const std::vector<LayerDifference> differences = verify_layers(job_, input, *communicator_, *backend_);
    if (job_.is_root() && options_.is_verbose) fmt::print("{}", verify_table(setup_.network, differences));
    if (job_.is_root() && !options_.is_quiet) fmt::print("{}", verify_summary(setup_.network, differences));
    job_.together(Phase::Verify, [&] { require_equal(setup_.network, differences, allowed_difference(precision_of(options_))); });
    communicator_->reset_counts();
  }

  void compute() {
    OutputFiles files(job_, options_, setup_, inputs_->names());
    job_.together(Phase::Create, [&] { reserve_reports(); });
    Progress progress(setup_.blocks.samples,
                      job_.is_root() && !options_.is_quiet ? Progress::Output::Shown : Progress::Output::Silent);
    measured_.emplace(job_.control());
    compute_block(*full_, files, progress, {0, setup_.blocks.full_micro_batches()});
    if (rest_) compute_block(*rest_, files, progress, {setup_.blocks.samples - setup_.blocks.rest(), 1});
    progress.finish();
    files.finish();
    names_ = files.names();
  }

  /// Finds out before the work that reports cannot be written.
  void reserve_reports() const {
    if (!job_.is_root()) return;
    if (!options_.report_file.empty()) write_text_file(options_.report_file, "");
    if (!options_.trace_file.empty()) write_text_file(options_.trace_file, "");
  }

  struct Span {
    index_t first_sample = 0;
    index_t micro_batches = 0;
  };

  /// All micro-batches of one size in one run: stages fill and drain once, and what a device still computes never waits for the
  /// next file block.
  void compute_block(const Job& block, const OutputFiles& files, Progress& progress, Span span) {
    const index_t size = block.network.value(block.network.inputs.front()).extents[Axis::N];
    const auto on_tick = [&](index_t ticks) {
      job_.tick(ticks);
      progress.update(
          setup_.blocks.whole_batches(span.first_sample + std::max<index_t>(0, ticks - last_stage(block.program)) * size));
    };
    std::optional<Engine> engine;
    job_.together(Phase::Prepare, [&] {
      engine.emplace(block.network, block.program, *communicator_, *backend_,
                     EngineOptions{.read_filter = make_filter_reader(),
                                   .device = device_->device(),
                                   .graphs = use_of_graphs(options_),
                                   .control = &job_.control(),
                                   .on_tick = on_tick});
    });
    job_.control().barrier();
    if (span.first_sample == 0) setup_seconds_ = seconds_since(begin_);
    const auto begin = std::chrono::steady_clock::now();
    const std::vector<DataSink*> sinks = files.sinks();
    job_.in_messages(Phase::Run, [&] {
      engine->run({.sources = sources_, .sinks = sinks, .first_sample = span.first_sample}, span.micro_batches);
    });
    measured_->add(block, *engine, seconds_since(begin));
  }

  void report() {
    RunRecord record{.command = options_.command,
                     .model = options_.model,
                     .input = inputs_->names(),
                     .output = names_.front(),
                     .split = setup_.split,
                     .backend = backend_->name(),
                     .engines = device_->device() == nullptr ? std::string() : options_.engines,
                     .overlap = compile_options_.overlap == Overlap::On ? "on" : "off",
                     .reduce = options_.reduce,
                     .dtype = options_.dtype,
                     .threads = threads_,
                     .samples = setup_.blocks.samples,
                     .batch = setup_.blocks.batch,
                     .micro_batch = setup_.blocks.micro_batch,
                     .setup_seconds = setup_seconds_};
    job_.together(Phase::Finish, [&] { measured_->complete(record, *communicator_); });
    if (job_.is_root() && !options_.is_quiet) {
      if (options_.is_verbose) fmt::print("{}", layer_table(measured_->layers()));
      fmt::print("{}", measured_->summary(record));
      if (wants_graphs_told()) fmt::print("{}\n", measured_->graph_text());
      for (const std::string& name : names_) fmt::print("written: {}\n", name);
    }
    const std::string trace = options_.trace_file.empty() ? std::string() : measured_->trace();
    job_.together(Phase::Finish, [&] {
      if (!job_.is_root()) return;
      if (!options_.report_file.empty()) write_text_file(options_.report_file, measured_->json_lines(record));
      if (!options_.trace_file.empty()) write_text_file(options_.trace_file, trace);
    });
  }

  /// Whoever asked for graphs is told why there are none, also where there is no GPU.
  bool wants_graphs_told() const {
    if (options_.graphs == "on" && !measured_->graphs().are_used) return true;
    return options_.is_verbose && device_->placement().device == DeviceKind::Gpu;
  }

  AppJob& job_;
  const RunOptions& options_;
  std::chrono::steady_clock::time_point begin_{};
  std::optional<RankDevice> device_{};
  std::optional<OnnxModel> model_{};
  std::optional<Inputs> inputs_{};
  std::vector<DataSource*> sources_{};
  RunSetup setup_{};
  int threads_ = 1;
  BackendOptions backend_options_{};
  std::unique_ptr<Backend> backend_{};
  CompileOptions compile_options_{};
  std::optional<Job> full_{};
  std::optional<Job> rest_{};
  std::optional<WatchedCommunicator> communicator_{};
  std::optional<Measurements> measured_{};
  std::vector<std::string> names_{};
  double setup_seconds_ = 0;
};

}  // namespace

int run(AppJob& job, const RunOptions& options) {
  Runner(job, options).run();
  return static_cast<int>(ExitCode::Ok);
}

}  // namespace parconv::app
