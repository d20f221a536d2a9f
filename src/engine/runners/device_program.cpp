// SPDX-License-Identifier: Apache-2.0
#include "engine/runners/device_program.hpp"

#include <numeric>

namespace parconv {
namespace {

constexpr index_t blocks_per_step = 2;

}  // namespace

DeviceProgram::StagedBlock::StagedBlock(Device& device, const FileBlock& file_block)
    : block(file_block), even(device, file_block.region.layout), odd(device, file_block.region.layout) {}

DeviceProgram::DeviceProgram(PreparedProgram& prepared, Device& device, const Program& program)
    : prepared_(prepared), device_(device), loads_(program.steps.size()), stores_(program.steps.size()) {
  for (std::size_t step = 0; step < program.steps.size(); ++step) {
    if (const FileBlock* block = prepared.load_block(step)) {
      load_steps_.push_back(step);
      loads_[step].emplace(device, *block);
    }
    if (const FileBlock* block = prepared.store_block(step)) {
      store_steps_.push_back(step);
      stores_[step].emplace(device, *block);
    }
  }
}

void DeviceProgram::load(std::size_t step, const RunData& data, index_t micro_batch) {
  if (!loads_[step]) return;
  const FileBlock& block = loads_[step]->block;
  data.sources[block.file]->read(block.box_in_file(data.first_sample, micro_batch), loads_[step]->pinned(micro_batch));
}

void DeviceProgram::enqueue(std::size_t step, index_t micro_batch, EnqueueMode mode) {
  if (auto& load = loads_[step])
    device_.upload(load->pinned(micro_batch), load->block.region.view(micro_batch), DeviceStream::Compute);
  else if (auto& store = stores_[step])
    device_.download(store->block.region.view(micro_batch), store->pinned(micro_batch), DeviceStream::Compute);
  else
    prepared_.enqueue(step, micro_batch, mode);
}

void DeviceProgram::flush(std::size_t step, const RunData& data, index_t micro_batch) {
  const FileBlock& block = stores_[step]->block;
  data.sinks[block.file]->write(block.box_in_file(data.first_sample, micro_batch), stores_[step]->pinned(micro_batch));
}

index_t DeviceProgram::period() const { return std::lcm(blocks_per_step, prepared_.period()); }

std::size_t DeviceProgram::pinned_bytes() const {
  std::size_t bytes = 0;
  for (const auto* blocks : {&loads_, &stores_})
    for (const std::optional<StagedBlock>& block : *blocks)
      if (block) bytes += block->even.memory.size() + block->odd.memory.size();
  return bytes;
}

}  // namespace parconv
