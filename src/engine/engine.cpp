#include "parconv/engine/engine.hpp"

#include <algorithm>

#include "engine/constant_values.hpp"
#include "engine/memory.hpp"
#include "engine/prepared_communication.hpp"
#include "engine/staged_data.hpp"
#include "engine/step_timer.hpp"
#include "parconv/core/error.hpp"
#include "parconv/core/overloaded.hpp"
#include "parconv/device/devices.hpp"
#include "parconv/engine/calls.hpp"

namespace parconv {
namespace {

/// A call of a backend with the addresses of its operands.
struct PreparedKernel {
  std::unique_ptr<Kernel> kernel{};
  std::vector<RegionAddress> srcs{};
  RegionAddress dst{};
  std::vector<const std::byte*> src_data{};  // filled at each call
};
struct PreparedCopy {
  RegionAddress src{};
  RegionAddress dst{};
};
struct PreparedLoad {
  std::size_t source = 0;
  index_t samples = 1;  // of the value, per micro-batch
  Box box{};
  BlockReader reader;
};
struct PreparedStore {
  std::size_t sink = 0;
  index_t samples = 1;  // of the value, per micro-batch
  Box box{};
  BlockWriter writer;
};
struct PreparedStart {
  CommId communication = -1;
};
struct PreparedAwait {
  CommId communication = -1;
};
using PreparedStep = std::variant<PreparedKernel, PreparedCopy, PreparedLoad, PreparedStore, PreparedStart, PreparedAwait>;

std::size_t position_in(const std::vector<ValueId>& values, ValueId value) {
  const auto found = std::find(values.begin(), values.end(), value);
  PARCONV_EXPECT(found != values.end(), "value ", value);
  return static_cast<std::size_t>(found - values.begin());
}

/// What a profiler shows of a step: "conv1 Compute".
std::string range_name(const Network& network, const Step& step) {
  const bool has_node = step.node >= 0 && step.node < static_cast<NodeId>(network.nodes.size());
  if (!has_node) return std::string(name_of(step.action));
  return concat(network.value(network.node(step.node).output).name, " ", name_of(step.action));
}

Box shifted_samples(const Box& box, index_t by) { return box.with(Axis::N, box[Axis::N].shifted(by)); }

index_t samples_of(const Network& network, ValueId value) { return network.value(value).extents[Axis::N]; }

}  // namespace

struct Engine::State {
  const Network& network;
  Program program;
  Communicator& communicator;
  Backend& backend;
  EngineOptions options;
  std::unique_ptr<Device> own_device;  // of an engine that is given none
  Device& device;
  Arena arena;
  std::vector<PreparedCommunication> communications{};
  std::vector<PreparedStep> steps{};
  std::vector<std::string> range_names{};
  StepTimer timer;
  DeviceBytes scratch{};
  index_t batch = 1;
  int last_stage = 0;

  State(const Network& network_, Program program_, Communicator& communicator_, Backend& backend_, const EngineOptions& options_)
      : network(network_),
        program(std::move(program_)),
        communicator(communicator_),
        backend(backend_),
        options(options_),
        own_device(options.device == nullptr ? make_host_device() : nullptr),
        device(options.device == nullptr ? *own_device : *options.device),
        arena(program, device),
        timer(device, communicator, program.steps.size()) {
    for (std::size_t k = 0; k < program.communications.size(); ++k)
      communications.emplace_back(program, static_cast<CommId>(k), arena, communicator, device);
    for (const Step& step : program.steps) {
      steps.push_back(prepare(step));
      range_names.push_back(range_name(network, step));
    }
    allocate_scratch();
    for (const Load& constant : program.constants) load_constant(constant);
    batch = samples_of(network, network.inputs.front());
    last_stage = parconv::last_stage(program);
  }

  // ---- Preparation ----

  PreparedStep prepare(const Step& step) {
    return std::visit(Overloaded{
                          [&](const Load& load) -> PreparedStep {
                            return PreparedLoad{position_in(network.inputs, load.value), samples_of(network, load.value),
                                                load.box, BlockReader(device, communicator, arena.address(load.dst))};
                          },
                          [&](const Store& store) -> PreparedStep {
                            return PreparedStore{position_in(network.outputs, store.value), samples_of(network, store.value),
                                                 store.box, BlockWriter(device, communicator, arena.address(store.src))};
                          },
                          [&](const Copy& copy) -> PreparedStep {
                            return PreparedCopy{arena.address(copy.src), arena.address(copy.dst)};
                          },
                          [&](const Start& start) -> PreparedStep { return PreparedStart{start.communication}; },
                          [&](const Await& await) -> PreparedStep { return PreparedAwait{await.communication}; },
                          [&](const Compute&) -> PreparedStep { return prepare_kernel(step); },
                          [&](const Reduce&) -> PreparedStep { return prepare_kernel(step); },
                      },
                      step.action);
  }

  PreparedStep prepare_kernel(const Step& step) {
    const CallRegions regions = *call_regions(step);
    PreparedKernel prepared{.dst = arena.address(regions.dst)};
    for (const Region& src : regions.srcs) prepared.srcs.push_back(arena.address(src));
    prepared.src_data.resize(prepared.srcs.size());
    prepared.kernel = backend.prepare(local_op_of(network, program, step), options.read_filter);
    return prepared;
  }

  void allocate_scratch() {
    std::size_t bytes = 0;
    for (const PreparedStep& step : steps)
      if (const auto* kernel = std::get_if<PreparedKernel>(&step)) bytes = std::max(bytes, kernel->kernel->scratch_bytes());
    scratch = device.allocate(bytes);
  }

  void load_constant(const Load& load) {
    const View dst = arena.address(load.dst).view(0);
    if (device.is_host()) return read_constant_box(network.value(load.value), load.box, dst);
    StagingTurn staging(device, dst.layout);
    read_constant_box(network.value(load.value), load.box, staging.view());
    device.upload(staging.view(), dst, DeviceLane::Compute);
    device.synchronize();
  }

  // ---- Execution ----

  void run(const RunData& data, index_t micro_batches) {
    const index_t ticks = micro_batches + last_stage;
    for (index_t tick = 0; tick < ticks; ++tick) {
      timer.begin_tick();
      for (std::size_t k = 0; k < steps.size(); ++k) {
        const index_t micro_batch = tick - program.steps[k].stage;
        if (micro_batch >= 0 && micro_batch < micro_batches) run_timed(k, data, micro_batch);
      }
      timer.end_tick();
      if (tick + 1 == ticks) complete();
      if (options.on_tick) options.on_tick(tick + 1);
    }
  }

  /// Nothing is left to do, on the device or for a sink.
  void complete() {
    for (PreparedStep& step : steps)
      if (auto* store = std::get_if<PreparedStore>(&step)) store->writer.flush();
    timer.finish();
  }

  void run_timed(std::size_t k, const RunData& data, index_t micro_batch) {
    const DeviceRange range(device, range_names[k].c_str());
    timer.begin_step(k);
    std::visit([&](auto& step) { execute(step, data, micro_batch); }, steps[k]);
    timer.end_step(k);
  }

  void execute(PreparedKernel& step, const RunData&, index_t micro_batch) {
    for (std::size_t k = 0; k < step.srcs.size(); ++k) step.src_data[k] = step.srcs[k].data(micro_batch);
    step.kernel->execute(step.src_data, step.dst.data(micro_batch), scratch.data());
    communicator.progress();
  }
  void execute(PreparedCopy& step, const RunData&, index_t micro_batch) {
    device.copy(step.src.view(micro_batch), step.dst.view(micro_batch), DeviceLane::Compute);
  }
  void execute(PreparedStart& step, const RunData&, index_t micro_batch) {
    communications[static_cast<std::size_t>(step.communication)].start(micro_batch);
  }
  void execute(PreparedAwait& step, const RunData&, index_t micro_batch) {
    communications[static_cast<std::size_t>(step.communication)].await(micro_batch);
  }
  /// Where a value of `samples` samples a micro-batch begins in its file. Example: an output that joins two inputs along n has
  /// twice the samples of the first input, so its second micro-batch begins at 2 * batch.
  index_t first_sample_of(index_t samples, const RunData& data, index_t micro_batch) const {
    return data.first_sample * samples / batch + micro_batch * samples;
  }

  void execute(PreparedLoad& step, const RunData& data, index_t micro_batch) {
    const Box box = shifted_samples(step.box, first_sample_of(step.samples, data, micro_batch));
    step.reader.read(*data.sources[step.source], box, micro_batch);
  }
  void execute(PreparedStore& step, const RunData& data, index_t micro_batch) {
    const Box box = shifted_samples(step.box, first_sample_of(step.samples, data, micro_batch));
    step.writer.write(*data.sinks[step.sink], box, micro_batch);
  }
};

Engine::Engine(const Network& network, Program program, Communicator& communicator, Backend& backend,
               const EngineOptions& options)
    : state_(std::make_unique<State>(network, std::move(program), communicator, backend, options)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;

void Engine::run(const RunData& data, index_t micro_batches) {
  PARCONV_EXPECT(data.sources.size() == state_->network.inputs.size(), data.sources.size(), " sources");
  PARCONV_EXPECT(data.sinks.size() == state_->network.outputs.size(), data.sinks.size(), " sinks");
  state_->run(data, micro_batches);
}

MemoryUse known_memory(const Program& program) {
  MemoryUse use{.arena_bytes = program.arena_bytes, .weight_bytes = program.weight_bytes};
  for (const Communication& communication : program.communications) use.staging_bytes += staging_bytes(program, communication);
  return use;
}

const Program& Engine::program() const { return state_->program; }

MemoryUse Engine::memory() const {
  MemoryUse use{.arena_bytes = static_cast<index_t>(state_->arena.size_bytes()),
                .scratch_bytes = static_cast<index_t>(state_->scratch.size())};
  for (const PreparedCommunication& communication : state_->communications) {
    use.staging_bytes += static_cast<index_t>(communication.staging_bytes());
    use.pinned_bytes += static_cast<index_t>(communication.pinned_bytes());
  }
  for (const PreparedStep& step : state_->steps) {
    if (const auto* kernel = std::get_if<PreparedKernel>(&step))
      use.weight_bytes += static_cast<index_t>(kernel->kernel->resident_bytes());
    if (const auto* load = std::get_if<PreparedLoad>(&step))
      use.pinned_bytes += static_cast<index_t>(load->reader.pinned_bytes());
    if (const auto* store = std::get_if<PreparedStore>(&step))
      use.pinned_bytes += static_cast<index_t>(store->writer.pinned_bytes());
  }
  return use;
}

std::span<const StepTime> Engine::step_times() const { return state_->timer.times(); }

std::string Engine::implementation(std::size_t step) const {
  const auto* kernel = std::get_if<PreparedKernel>(&state_->steps[step]);
  return kernel == nullptr ? std::string{} : kernel->kernel->implementation();
}

}  // namespace parconv
