#include "engine/prepared_program.hpp"

#include <algorithm>
#include <numeric>

#include "engine/constant_values.hpp"
#include "parconv/core/error.hpp"
#include "parconv/core/overloaded.hpp"
#include "parconv/engine/calls.hpp"

namespace parconv {
namespace {

std::size_t position_in(const std::vector<ValueId>& values, ValueId value) {
  const auto found = std::find(values.begin(), values.end(), value);
  PARCONV_EXPECT(found != values.end(), "value ", value);
  return static_cast<std::size_t>(found - values.begin());
}

index_t samples_of(const Network& network, ValueId value) { return network.value(value).extents[Axis::N]; }

}  // namespace

PreparedProgram::PreparedProgram(const Program& program, const ProgramParts& parts)
    : program_(program), parts_(parts), arena_(program, parts.device) {
  for (std::size_t k = 0; k < program.communications.size(); ++k)
    communications_.emplace_back(program, static_cast<CommId>(k), arena_, parts.communicator, parts.device);
  for (const Step& step : program.steps) steps_.push_back(prepare(step));
  allocate_scratch();
  for (const Load& constant : program.constants) load_constant(constant);
}

// ---- Preparation ----

PreparedProgram::PreparedStep PreparedProgram::prepare(const Step& step) {
  const Network& network = parts_.network;
  return std::visit(Overloaded{
                        [&](const Load& load) -> PreparedStep {
                          return LoadStep{position_in(network.inputs, load.value), samples_of(network, load.value), load.box,
                                          BlockReader(parts_.device, arena_.address(load.dst))};
                        },
                        [&](const Store& store) -> PreparedStep {
                          return StoreStep{position_in(network.outputs, store.value), samples_of(network, store.value), store.box,
                                           BlockWriter(parts_.device, arena_.address(store.src))};
                        },
                        [&](const Copy& copy) -> PreparedStep {
                          return CopyStep{arena_.address(copy.src), arena_.address(copy.dst)};
                        },
                        [&](const Start& start) -> PreparedStep { return StartStep{start.communication}; },
                        [&](const Await& await) -> PreparedStep { return AwaitStep{await.communication}; },
                        [&](const Compute&) -> PreparedStep { return prepare_kernel(step); },
                        [&](const Reduce&) -> PreparedStep { return prepare_kernel(step); },
                    },
                    step.action);
}

PreparedProgram::PreparedStep PreparedProgram::prepare_kernel(const Step& step) {
  const CallRegions regions = *call_regions(step);
  KernelStep prepared{.dst = arena_.address(regions.dst)};
  for (const Region& src : regions.srcs) prepared.srcs.push_back(arena_.address(src));
  prepared.src_data.resize(prepared.srcs.size());
  prepared.kernel = parts_.backend.prepare(local_op_of(parts_.network, program_, step), parts_.read_filter);
  return prepared;
}

void PreparedProgram::allocate_scratch() {
  std::size_t bytes = 0;
  for (const PreparedStep& step : steps_)
    if (const auto* kernel = std::get_if<KernelStep>(&step)) bytes = std::max(bytes, kernel->kernel->scratch_bytes());
  scratch_ = parts_.device.allocate(bytes);
}

void PreparedProgram::load_constant(const Load& load) {
  const Value& value = parts_.network.value(load.value);
  const View dst = arena_.address(load.dst).view(0);
  if (parts_.device.is_host()) return read_constant_box(value, load.box, dst);
  StagingTurn staging(parts_.device, dst.layout);
  read_constant_box(value, load.box, staging.view());
  parts_.device.upload(staging.view(), dst, DeviceLane::Compute);
  parts_.device.synchronize();
}

// ---- Execution ----

/// Where a box of a value with `samples` samples a micro-batch is in its file. Example: an output that joins two inputs along n
/// has twice the samples of the first input, so its second micro-batch begins at 2 * batch.
Box PreparedProgram::block(const Box& box, index_t samples, const RunData& data, index_t micro_batch) const {
  const index_t batch = samples_of(parts_.network, parts_.network.inputs.front());
  return box.with(Axis::N, box[Axis::N].shifted(data.first_sample * samples / batch + micro_batch * samples));
}

void PreparedProgram::fetch(std::size_t step, const RunData& data, index_t micro_batch) {
  if (auto* load = std::get_if<LoadStep>(&steps_[step]))
    load->reader.fetch(*data.sources[load->source], block(load->box, load->samples, data, micro_batch), micro_batch);
}

void PreparedProgram::hand_over(std::size_t step, const RunData& data, index_t micro_batch) {
  if (auto* store = std::get_if<StoreStep>(&steps_[step]))
    store->writer.hand_over(*data.sinks[store->sink], block(store->box, store->samples, data, micro_batch), micro_batch);
}

void PreparedProgram::give(std::size_t step, index_t micro_batch, Giving giving) {
  std::visit(Overloaded{
                 [&](KernelStep& kernel) {
                   for (std::size_t k = 0; k < kernel.srcs.size(); ++k) kernel.src_data[k] = kernel.srcs[k].data(micro_batch);
                   kernel.kernel->execute(kernel.src_data, kernel.dst.data(micro_batch), scratch_.data());
                   parts_.communicator.progress();
                 },
                 [&](CopyStep& copy) {
                   parts_.device.copy(copy.src.view(micro_batch), copy.dst.view(micro_batch), DeviceLane::Compute);
                 },
                 [&](LoadStep& load) { load.reader.upload(micro_batch); },
                 [&](StoreStep& store) { store.writer.download(micro_batch); },
                 [&](StartStep& start) { communication(start.communication).start(micro_batch, giving); },
                 [&](AwaitStep& await) { communication(await.communication).await(micro_batch); },
             },
             steps_[step]);
}

void PreparedProgram::settle() {
  for (PreparedCommunication& communication : communications_) communication.settle();
}

void PreparedProgram::forget_captured() {
  for (PreparedCommunication& communication : communications_) communication.forget_captured();
}

void PreparedProgram::note_launch(std::size_t step, index_t micro_batch) {
  if (const auto* start = std::get_if<StartStep>(&steps_[step])) communication(start->communication).note_launch(micro_batch);
}

// ---- Facts ----

MemoryUse PreparedProgram::memory() const {
  MemoryUse use{.arena_bytes = static_cast<index_t>(arena_.size_bytes()), .scratch_bytes = static_cast<index_t>(scratch_.size())};
  for (const PreparedCommunication& communication : communications_) {
    use.staging_bytes += static_cast<index_t>(communication.staging_bytes());
    use.pinned_bytes += static_cast<index_t>(communication.pinned_bytes());
  }
  for (const PreparedStep& step : steps_) {
    if (const auto* kernel = std::get_if<KernelStep>(&step))
      use.weight_bytes += static_cast<index_t>(kernel->kernel->resident_bytes());
    if (const auto* load = std::get_if<LoadStep>(&step)) use.pinned_bytes += static_cast<index_t>(load->reader.pinned_bytes());
    if (const auto* store = std::get_if<StoreStep>(&step)) use.pinned_bytes += static_cast<index_t>(store->writer.pinned_bytes());
  }
  return use;
}

std::string PreparedProgram::implementation(std::size_t step) const {
  const auto* kernel = std::get_if<KernelStep>(&steps_[step]);
  return kernel == nullptr ? std::string{} : kernel->kernel->implementation();
}

index_t PreparedProgram::period() const {
  index_t period = staging_turns;
  for (const Buffer& buffer : program_.buffers) period = std::lcm(period, static_cast<index_t>(buffer.slots));
  return period;
}

}  // namespace parconv
