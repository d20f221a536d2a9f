// SPDX-License-Identifier: Apache-2.0
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
  return std::visit(
      Overloaded{
          [&](const Load& load) -> PreparedStep { return LoadStep{file_block(network.inputs, load.value, load.box, load.dst)}; },
          [&](const Store& store) -> PreparedStep {
            return StoreStep{file_block(network.outputs, store.value, store.box, store.src)};
          },
          [&](const Copy& copy) -> PreparedStep { return CopyStep{arena_.address(copy.src), arena_.address(copy.dst)}; },
          [&](const Start& start) -> PreparedStep { return StartStep{start.communication}; },
          [&](const Await& await) -> PreparedStep { return AwaitStep{await.communication}; },
          [&](const Compute&) -> PreparedStep { return prepare_kernel(step); },
          [&](const Reduce&) -> PreparedStep { return prepare_kernel(step); },
      },
      step.action);
}

FileBlock PreparedProgram::file_block(const std::vector<ValueId>& files, ValueId value, const Box& box, const Region& region) {
  return {.file = position_in(files, value),
          .box = box,
          .samples = samples_of(parts_.network, value),
          .batch = samples_of(parts_.network, parts_.network.inputs.front()),
          .region = arena_.address(region)};
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
  PinnedBlock staging(parts_.device, dst.layout);
  read_constant_box(value, load.box, staging.view());
  parts_.device.upload(staging.view(), dst, DeviceStream::Compute);
  parts_.device.synchronize();
}

// ---- Execution ----

const FileBlock* PreparedProgram::load_block(std::size_t step) const {
  const auto* load = std::get_if<LoadStep>(&steps_[step]);
  return load == nullptr ? nullptr : &load->block;
}

const FileBlock* PreparedProgram::store_block(std::size_t step) const {
  const auto* store = std::get_if<StoreStep>(&steps_[step]);
  return store == nullptr ? nullptr : &store->block;
}

void PreparedProgram::enqueue(std::size_t step, index_t micro_batch, EnqueueMode mode) {
  std::visit(Overloaded{
                 [&](KernelStep& kernel) {
                   for (std::size_t k = 0; k < kernel.srcs.size(); ++k) kernel.src_data[k] = kernel.srcs[k].data(micro_batch);
                   kernel.kernel->execute(kernel.src_data, kernel.dst.data(micro_batch), scratch_.data());
                   parts_.communicator.progress();
                 },
                 [&](CopyStep& copy) {
                   parts_.device.copy(copy.src.view(micro_batch), copy.dst.view(micro_batch), DeviceStream::Compute);
                 },
                 [&](LoadStep&) { PARCONV_EXPECT(false, "a Load is left to the caller"); },
                 [&](StoreStep&) { PARCONV_EXPECT(false, "a Store is left to the caller"); },
                 [&](StartStep& start) { communication(start.communication).start(micro_batch, mode); },
                 [&](AwaitStep& await) { communication(await.communication).wait(micro_batch); },
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
  for (const PreparedStep& step : steps_)
    if (const auto* kernel = std::get_if<KernelStep>(&step))
      use.weight_bytes += static_cast<index_t>(kernel->kernel->resident_bytes());
  return use;
}

std::string PreparedProgram::implementation(std::size_t step) const {
  const auto* kernel = std::get_if<KernelStep>(&steps_[step]);
  return kernel == nullptr ? std::string{} : kernel->kernel->implementation();
}

index_t PreparedProgram::period() const {
  index_t period = 1;
  for (const Buffer& buffer : program_.buffers) period = std::lcm(period, static_cast<index_t>(buffer.slots));
  return period;
}

}  // namespace parconv
