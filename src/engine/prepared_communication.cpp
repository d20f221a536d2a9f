// SPDX-License-Identifier: Apache-2.0
#include "engine/prepared_communication.hpp"

#include <numeric>
#include <span>

namespace parconv {
namespace {

index_t aligned(index_t bytes) {
  return ceil_div(bytes, static_cast<index_t>(memory_alignment)) * static_cast<index_t>(memory_alignment);
}

/// The number of micro-batches after which all buffers return to the same slots.
index_t period_of(const Program& program, const Communication& communication) {
  index_t period = 1;
  for (const auto* messages : {&communication.sends, &communication.receives})
    for (const Message& message : *messages)
      period = std::lcm(period, static_cast<index_t>(program.buffer(message.region.buffer).slots));
  return period;
}

/// True if the message before has packed the same region: an allgather sends one region to all.
bool is_packed_before(std::span<const Message> sends, std::size_t k) { return k > 0 && sends[k - 1].region == sends[k].region; }

/// Staging memory for one combination of slots.
index_t packed_bytes(const Program& program, const Communication& communication) {
  index_t bytes = 0;
  const auto add = [&](const Region& region) {
    if (!is_contiguous(program, region)) bytes += aligned(bytes_of(program, region));
  };
  for (std::size_t k = 0; k < communication.sends.size(); ++k)
    if (!is_packed_before(communication.sends, k)) add(communication.sends[k].region);
  for (const Message& message : communication.receives) add(message.region);
  return bytes;
}

}  // namespace

index_t staging_bytes(const Program& program, const Communication& communication) {
  return period_of(program, communication) * packed_bytes(program, communication);
}

PreparedCommunication::PreparedCommunication(const Program& program, CommId id, Arena& arena, Communicator& communicator,
                                             Device& device)
    : device_(device) {
  const Communication& communication = program.communication(id);
  const index_t period = period_of(program, communication);
  for (index_t k = 0; k < period; ++k) instances_.push_back(make_instance(program, communication, arena, communicator, k));
}

PreparedCommunication::Instance PreparedCommunication::make_instance(const Program& program, const Communication& communication,
                                                                     Arena& arena, Communicator& communicator,
                                                                     index_t micro_batch) const {
  Instance instance;
  instance.staging = device_.allocate(static_cast<std::size_t>(packed_bytes(program, communication)));
  std::byte* free_staging = instance.staging.data();
  const auto address = [&](const Message& message, std::vector<Staged>& staged) {
    const RegionAddress region = arena.address(message.region);
    if (is_contiguous(program, message.region)) return region.data(micro_batch);
    std::byte* const packed = free_staging;
    free_staging += aligned(bytes_of(program, message.region));
    staged.push_back({region.view(micro_batch), packed});
    return packed;
  };
  std::vector<SendMessage> sends;
  std::vector<ReceiveMessage> receives;
  for (std::size_t k = 0; k < communication.sends.size(); ++k) {
    const Message& message = communication.sends[k];
    const std::byte* const data =
        is_packed_before(communication.sends, k) ? sends.back().data : address(message, instance.to_pack);
    sends.push_back({message.peer, data, static_cast<std::size_t>(bytes_of(program, message.region))});
  }
  for (const Message& message : communication.receives)
    receives.push_back(
        {message.peer, address(message, instance.to_unpack), static_cast<std::size_t>(bytes_of(program, message.region))});
  instance.exchange = communicator.prepare(communication.order, sends, receives);
  return instance;
}

void PreparedCommunication::start(index_t micro_batch, EnqueueMode mode) {
  Instance& now = instance(micro_batch);
  for (const Staged& staged : now.to_pack) device_.pack(staged.region, staged.packed, DeviceStream::Compute);
  if (mode == EnqueueMode::Captured)
    now.exchange->capture_start();
  else
    now.exchange->start();
  now.state = mode == EnqueueMode::Captured ? State::Captured : State::Started;
}

void PreparedCommunication::wait(index_t micro_batch) {
  Instance& now = instance(micro_batch);
  finish(now);
  for (const Staged& staged : now.to_unpack) device_.unpack(staged.packed, staged.region, DeviceStream::Compute);
}

void PreparedCommunication::settle() {
  for (Instance& each : instances_) finish(each);
}

void PreparedCommunication::forget_captured() {
  for (Instance& each : instances_)
    if (each.state == State::Captured) each.state = State::Complete;
}

void PreparedCommunication::finish(Instance& instance) {
  if (instance.state == State::Captured) instance.exchange->capture_finish();
  if (instance.state == State::Started) instance.exchange->finish();
  instance.state = State::Complete;
}

std::size_t PreparedCommunication::staging_bytes() const {
  std::size_t bytes = 0;
  for (const Instance& instance : instances_) bytes += instance.staging.size();
  return bytes;
}

std::size_t PreparedCommunication::pinned_bytes() const {
  std::size_t bytes = 0;
  for (const Instance& instance : instances_) bytes += instance.exchange->pinned_bytes();
  return bytes;
}

}  // namespace parconv
