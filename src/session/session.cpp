// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/session.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "parconv/core/error.hpp"
#include "parconv/engine/calls.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/io/json/plan_json.hpp"
#include "parconv/program/explain.hpp"
#include "parconv/session/compile_options.hpp"
#include "parconv/session/devices/host_memory.hpp"
#include "parconv/session/machine.hpp"
#include "parconv/session/measurements.hpp"
#include "parconv/session/numerics.hpp"
#include "parconv/session/verification.hpp"
#include "session/files/input_nans.hpp"
#include "session/files/open_files.hpp"
#include "session/job/request_facts.hpp"
#include "session/job/run_agreement.hpp"

namespace parconv {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// By node; storing the outputs comes last.
std::vector<std::string> layer_names(const Network& network) {
  std::vector<std::string> names;
  for (const Node& node : network.nodes) names.push_back(network.value(node.output).name);
  names.emplace_back("(output)");
  return names;
}

std::function<void(NodeId, index_t)> on_step_of(JobContext& job) {
  RankPulse* const pulse = job.pulse();
  if (pulse == nullptr) return {};
  return [pulse](NodeId node, index_t micro_batch) { pulse->at_layer(node, micro_batch); };
}

}  // namespace

/// Members are destroyed from the last to the first: the engine before the members it references.
struct Session::State {
  State(std::unique_ptr<RankDevice> own, RankDevice& used, Request asked)
      : own_device(std::move(own)), device(used), request(std::move(asked)), measured(device.job().control()) {
    job().together(JobPhase::Place, [&] { require_available(request.numerics, device.placement()); });
    threads = request.threads > 0 ? request.threads : default_threads(job().control());
    job().together(JobPhase::Place, [&] { require_threads(threads - 1); });
  }

  JobContext& job() const { return device.job(); }
  void require_same_everywhere();
  void make_backend_together();
  void compile_full();
  void compile_rest();
  void require_host_memory();
  const RankPlan& plan_of(const RunBlock& block) const;
  void retire_engine();
  bool ends_early(const RunProgress& progress);
  void record_progress(index_t samples);
  bool is_done() const { return samples_done == setup->blocks.samples; }

  std::unique_ptr<RankDevice> own_device;
  RankDevice& device;
  Request request;
  Clock::time_point begin = Clock::now();
  OpenFiles files{};
  std::optional<Workload> workload{};
  std::optional<Setup> setup{};
  int threads = 1;
  BackendOptions backend_options{};
  std::unique_ptr<Backend> backend{};
  CompileOptions compile_options{};
  std::optional<RankPlan> full{};
  std::optional<RankPlan> rest{};
  Measurements measured;
  std::function<void(index_t samples)> on_samples{};
  double setup_seconds = -1;  // not known before the first run
  RunBlock prepared{};
  std::optional<InputNanCounter> nans{};
  ProgressKeeper keeper{};
  std::optional<RunAgreement> agreement{};  // during a run of all blocks
  StopReason stop = StopReason::None;
  index_t samples_done = 0;  // by runs of all blocks, and by an earlier job
  index_t block_done = 0;    // at the end of the last block
  index_t num_records = 0;
  double record_seconds = 0;
  std::optional<Engine> engine{};
};

Session::Session(RankDevice& device, Request request) {
  device.job().require_agreement(JobPhase::Start, facts_of(request));
  state_ = std::make_unique<State>(nullptr, device, std::move(request));
}

Session::Session(JobContext& job, Request request) {
  const auto begin = Clock::now();
  job.require_agreement(JobPhase::Start, facts_of(request));
  auto own = std::make_unique<RankDevice>(job, request.devices);
  RankDevice& device = *own;
  state_ = std::make_unique<State>(std::move(own), device, std::move(request));
  state_->begin = begin;
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;

JobContext& Session::job() const { return state_->job(); }
RankDevice& Session::device() const { return state_->device; }
const Request& Session::request() const { return state_->request; }
const Workload& Session::workload() const { return state_->workload.value(); }
const Setup& Session::setup() const { return state_->setup.value(); }
const CompileOptions& Session::compile_options() const { return state_->compile_options; }
int Session::threads() const { return state_->threads; }
std::string Session::backend_name() const { return state_->backend->name(); }
const RankPlan& Session::rank_plan() const { return state_->full.value(); }

void Session::describe(Workload workload) {
  PARCONV_EXPECT(!state_->workload, "a session has one workload");
  state_->workload = std::move(workload);
}

void Session::describe_files() {
  OpenFiles& files = state_->files;
  job().require_agreement(JobPhase::Read, files.open_model(job(), request()));
  job().require_agreement(JobPhase::Open,
                          job().together(JobPhase::Open, [&] { return files.open_inputs(request(), threads()); }));
  describe(files.workload(request()));
}

std::vector<NamedFile> Session::read_files() const { return state_->files.names(); }

/// Ranks with different plans would deadlock on messages that no rank sends.
void Session::State::require_same_everywhere() {
  const std::array facts{Fact{"the shapes of the inputs", extents_text(*workload)},
                         Fact{"the plan of the layers", digest_of(plan_to_json(setup->plan, setup->network))}};
  job().require_agreement(JobPhase::Plan, facts);
}

void Session::State::make_backend_together() {
  backend = job().together(JobPhase::Plan, [&] { return make_backend(backend_options); });
}

void Session::plan() {
  State& state = *state_;
  if (state.setup) return;
  PARCONV_EXPECT(state.workload, "describe comes before plan");
  state.setup = job().together(JobPhase::Plan, [&] { return set_up(request(), *state.workload, job().size()); });
  state.require_same_everywhere();
  const int hosts = num_hosts(job().control());
  state.backend_options = {.name = request().backend,
                           .threads = state.threads,
                           .device = device().device(),
                           .type = precision_of(request().numerics).activations,
                           .gpu = gpu_options(job(), request(), device(), overlap_of(request().overlap, hosts))};
  state.make_backend_together();
  state.compile_options = job().together(JobPhase::Plan, [&] {
    return parconv::compile_options(request(), *state.setup, {.rules = state.backend->memory_rules(), .num_hosts = hosts});
  });
}

void Session::State::compile_full() {
  full =
      job().together(JobPhase::Check, [&] { return make_rank_plan(setup->network, setup->plan, compile_options, job().rank()); });
}

void Session::State::compile_rest() {
  if (setup->blocks.rest() == 0) return;
  rest = job().together(JobPhase::Check, [&] {
    Network network = with_batch(setup->network, setup->blocks.rest());
    const Plan shorter = plan_for_samples(setup->plan, network);
    return make_rank_plan(std::move(network), shorter, compile_options, job().rank());
  });
}

/// Engines of full micro-batches and of the rest exist one after the other.
void Session::State::require_host_memory() {
  if (device.device() != nullptr) return;
  const HostMemoryOptions options{.threads = threads, .bytes_per_weight = bytes_per_weight(*backend, compile_options.type)};
  const HostMemoryNeed need = job().together(JobPhase::Check, [&] {
    const HostMemoryNeed whole = host_memory_need(*full, options);
    return rest ? larger(whole, host_memory_need(*rest, options)) : whole;
  });
  parconv::require_host_memory(job(), need);
}

std::vector<Fact> Session::request_facts() const {
  std::vector<Fact> facts = state_->files.facts();
  const std::vector<Fact> asked = result_facts_of(request());
  facts.insert(facts.end(), asked.begin(), asked.end());
  return facts;
}

void Session::plan_as(RecordedPlan plan) {
  PARCONV_EXPECT(!state_->setup, "plan_as comes before plan");
  state_->request.recorded_plan = std::move(plan);
}

std::vector<Fact> Session::result_facts() const {
  std::vector<Fact> facts = request_facts();
  const std::string plan = concat(backend_name(), " and the plan ", digest_of(plan_to_json(setup().plan, setup().network)),
                                  " in micro-batches of ", setup().blocks.micro_batch);
  facts.push_back({"the bits", keeps_reference_bits() ? "those of the reference" : concat("those of ", plan)});
  return facts;
}

void Session::start_at(index_t sample) {
  PARCONV_EXPECT(state_->setup && !state_->full, "start_at comes after plan and before compile");
  PARCONV_EXPECT(sample >= 0 && sample <= setup().blocks.samples, sample);
  state_->setup->blocks.first = state_->samples_done = sample;
}

void Session::keep_progress(ProgressKeeper keeper) { state_->keeper = std::move(keeper); }
index_t Session::samples_done() const { return state_->samples_done; }
StopReason Session::stop_reason() const { return state_->stop; }

void Session::compile() {
  if (state_->full) return;
  plan();
  state_->compile_full();
  device().require_memory(state_->full->program);
  state_->compile_rest();
  state_->require_host_memory();
}

/// Runs before the engines allocate.
std::optional<AlgorithmTiming> Session::time_conv_algorithms() {
  State& state = *state_;
  if (request().conv_algorithms != ConvAlgorithmChoice::Timed || device().device() == nullptr) return std::nullopt;
  compile();
  std::vector<LocalOp> ops = local_ops_of(state.full->network, state.full->program);
  if (state.rest) {
    const std::vector<LocalOp> rest = local_ops_of(state.rest->network, state.rest->program);
    ops.insert(ops.end(), rest.begin(), rest.end());
  }
  AlgorithmTiming timing = parconv::time_conv_algorithms(job(), request().conv_algorithm_cache, state.backend_options, ops);
  state.backend_options.gpu.choices = timing.choices;
  state.make_backend_together();
  return timing;
}

std::vector<LayerDifference> Session::verify(const VerifyOptions& options) {
  compile();
  const VerifyInput input{.network = setup().network,
                          .plan = setup().plan,
                          .options = compile_options(),
                          .sources = workload().sources,
                          .rank_sources = options.rank_sources.empty() ? workload().sources : options.rank_sources,
                          .extent = options.extent};
  std::vector<LayerDifference> differences = verify_layers(device(), *state_->backend, input);
  device().communicator().reset();
  return differences;
}

bool Session::keeps_reference_bits() const {
  return state_->backend->has_reference_bits() && off_leaves_text(setup().network, setup().plan).empty();
}

std::vector<RunBlock> Session::blocks() const {
  const Blocks& blocks = setup().blocks;
  std::vector<RunBlock> result;
  if (blocks.full_micro_batches() > 0)
    result.push_back(
        {.first_sample = blocks.first, .micro_batches = blocks.full_micro_batches(), .micro_batch = blocks.micro_batch});
  if (blocks.rest() > 0)
    result.push_back({.first_sample = blocks.samples - blocks.rest(), .micro_batches = 1, .micro_batch = blocks.rest()});
  return result;
}

const RankPlan& Session::State::plan_of(const RunBlock& block) const {
  if (block.micro_batch == setup->blocks.micro_batch) return *full;
  PARCONV_EXPECT(rest && block.micro_batch == setup->blocks.rest(), block.micro_batch);
  return *rest;
}

void Session::State::retire_engine() {
  if (!engine) return;
  measured.add_engine(plan_of(prepared), *engine);
  engine.reset();
}

/// Called after the same ticks on all ranks.
bool Session::State::ends_early(const RunProgress& progress) {
  if (!agreement) return false;
  const std::optional<RunDecision> decision = agreement->after_tick();
  if (!decision) return false;
  stop = decision->stop;
  if (stop != StopReason::None) return true;
  if (decision->is_record_due && keeper.record)
    record_progress(prepared.first_sample + job().control().min(progress.stored) * prepared.micro_batch);
  return false;
}

/// Nothing is recorded that may have been computed from an input after it changed.
void Session::State::record_progress(index_t samples) {
  const auto started = Clock::now();
  job().together(JobPhase::Record, [&] { files.expect_unchanged(); });
  keeper.record(samples);
  agreement->note_record();
  num_records += 1;
  record_seconds += seconds_since(started);
}

void Session::release() { state_->retire_engine(); }

void Session::on_samples(std::function<void(index_t samples)> action) { state_->on_samples = std::move(action); }

void Session::prepare() {
  compile();
  if (const std::vector<RunBlock> all = blocks(); !all.empty()) prepare(all.front());
}

void Session::prepare(const RunBlock& block) {
  State& state = *state_;
  compile();
  if (state.engine && state.prepared.micro_batch == block.micro_batch) return;
  state.retire_engine();
  const RankPlan& plan = state.plan_of(block);
  const auto on_tick = [&state, last = last_stage(plan.program)](index_t ticks) {
    state.job().tick(ticks);
    if (!state.on_samples) return;
    const index_t done = std::max<index_t>(0, ticks - last) * state.prepared.micro_batch;
    state.on_samples(state.setup->blocks.whole_batches(state.prepared.first_sample + done));
  };
  job().name_layers(layer_names(plan.network));
  WatchedCommunicator& communicator = device().communicator();
  job().together(JobPhase::Prepare, [&] {
    state.engine.emplace(plan.network, plan.program, communicator, *state.backend,
                         EngineOptions{.read_filter = make_filter_reader(),
                                       .device = device().device(),
                                       .threads = threads(),
                                       .graphs = request().graphs,
                                       .control = &job().control(),
                                       .on_tick = on_tick,
                                       .ends_early = [&state](const RunProgress& progress) { return state.ends_early(progress); },
                                       .on_step = on_step_of(job())});
    state.files.expect_weights_in_place();
  });
  state.prepared = block;
}

double Session::run(std::span<DataSink* const> sinks, const RunBlock& block) {
  State& state = *state_;
  prepare(block);
  state.prepared = block;
  job().require_not_stopped(JobPhase::Run);
  job().control().barrier();
  if (state.setup_seconds < 0) state.setup_seconds = seconds_since(state.begin);
  if (!state.nans) state.nans.emplace(workload().sources, threads());
  state.nans->use(state.plan_of(block), job().rank());
  const auto begin = Clock::now();
  job().in_messages(JobPhase::Run, [&] {
    const index_t done = state.engine->run({.sources = state.nans->sources(), .sinks = sinks, .first_sample = block.first_sample},
                                           block.micro_batches);
    state.block_done = block.first_sample + done * block.micro_batch;
    if (state.agreement) state.stop = std::max(state.stop, state.agreement->settle().stop);
  });
  const double seconds = seconds_since(begin);
  job().together(JobPhase::Run, [&] { state.files.expect_unchanged(); });
  return state.measured.add_run(seconds);
}

double Session::run(std::span<DataSink* const> sinks) {
  State& state = *state_;
  compile();
  job().begin_stopping_gracefully();
  if (job().stop_hook() || state.keeper.record)
    state.agreement.emplace(
        job().control(), RunAgreementOptions{.stop_reason = job().stop_hook(), .record_seconds = state.keeper.interval_seconds});
  double seconds = 0;
  for (const RunBlock& block : blocks()) {
    if (state.stop == StopReason::None) state.stop = job().agree_on_stop();
    if (state.stop != StopReason::None) break;
    seconds += run(sinks, block);
    state.samples_done = state.block_done;
  }
  if (state.is_done()) state.stop = StopReason::None;
  if (state.keeper.record) state.record_progress(state.samples_done);
  state.agreement.reset();
  return seconds;
}

std::vector<InputNans> Session::input_nans() const {
  PARCONV_EXPECT(state_->nans, "nothing was run");
  return state_->nans->collect(job().control(), setup().network);
}

RunReport Session::report() {
  State& state = *state_;
  job().in_collectives(JobPhase::Report, [&] { state.retire_engine(); });
  PARCONV_EXPECT(state.measured.has_layers(), "nothing was run");
  const Blocks& blocks = setup().blocks;
  RunReport report{
      .record = {.model = workload().model_name,
                 .input = workload().input_names,
                 .split = setup().split,
                 .backend = backend_name(),
                 .conv_algorithms = device().device() == nullptr ? "" : std::string(choice_name(request().conv_algorithms)),
                 .overlap = compile_options().overlap == Overlap::On ? "on" : "off",
                 .reduce = std::string(choice_name(request().reduce)),
                 .dtype = std::string(choice_name(request().numerics)),
                 .threads = threads(),
                 .samples = state.samples_done > 0 ? state.samples_done - blocks.first : blocks.samples,
                 .first_sample = blocks.first,
                 .batch = blocks.batch,
                 .micro_batch = blocks.micro_batch,
                 .setup_seconds = state.setup_seconds,
                 .records = state.num_records,
                 .record_seconds = state.record_seconds}};
  job().in_collectives(JobPhase::Report, [&] { state.measured.complete(report.record, device().communicator()); });
  report.layers = state.measured.layers();
  report.graphs = state.measured.graphs();
  report.summary = state.measured.summary(report.record);
  report.graph_text = state.measured.graph_text();
  return report;
}

std::string Session::trace() { return state_->measured.trace(); }

}  // namespace parconv
