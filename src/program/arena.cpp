#include "program/arena.hpp"

#include <algorithm>
#include <numeric>

namespace parconv {
namespace {

constexpr index_t alignment_bytes = 64;

/// Buffers that are loaded once, or used in several ticks, keep their memory to themselves.
bool is_permanent(const Buffer& buffer, const Lifetime& lifetime) {
  return buffer.role == BufferRole::Constant || !lifetime.is_within_tick();
}

bool meet(const Lifetime& a, const Lifetime& b) {
  return a.first.position <= b.last.position && b.first.position <= a.last.position;
}

/// The lowest offset at which `size` bytes fit between the taken ranges.
index_t lowest_fit(std::vector<Interval>& taken, index_t size) {
  std::sort(taken.begin(), taken.end(), [](Interval a, Interval b) { return a.lo < b.lo; });
  index_t offset = 0;
  for (Interval range : taken) {
    if (offset + size <= range.lo) break;
    offset = std::max(offset, range.hi);
  }
  return offset;
}

}  // namespace

std::vector<Lifetime> lifetimes_of(const Program& program) {
  std::vector<Lifetime> lifetimes(program.buffers.size());
  for (std::size_t k = 0; k < program.steps.size(); ++k) {
    const Lifetime::Moment now{program.steps[k].stage, static_cast<int>(k)};
    for (const Access& access : accesses_of(program, program.steps[k]))
      lifetimes[static_cast<std::size_t>(access.region.buffer)].extend(now, access.is_write);
  }
  return lifetimes;
}

void Lifetime::extend(Moment now, bool is_write) {
  if (is_write && (!is_written || now < first_write)) first_write = now;
  is_written = is_written || is_write;
  first = is_used ? std::min(first, now) : now;
  last = is_used ? std::max(last, now) : now;
  is_used = true;
}

int slots_needed(const Lifetime& lifetime) {
  const int ticks = lifetime.last.stage - lifetime.first_write.stage;
  return std::max(1, lifetime.first_write.position > lifetime.last.position ? ticks : ticks + 1);
}

void assign_memory(Program& program) {
  const std::vector<Lifetime> lifetimes = lifetimes_of(program);
  for (std::size_t k = 0; k < program.buffers.size(); ++k) {
    Buffer& buffer = program.buffers[k];
    const index_t bytes = volume(buffer.box) * static_cast<index_t>(size_of(buffer.type));
    buffer.slot_bytes = ceil_div(bytes, alignment_bytes) * alignment_bytes;
    buffer.slots = is_permanent(buffer, lifetimes[k]) && lifetimes[k].is_used ? slots_needed(lifetimes[k]) : 1;
    if (buffer.role == BufferRole::Constant) buffer.slots = 1;
  }
  std::vector<std::size_t> by_size(program.buffers.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](std::size_t a, std::size_t b) { return program.buffers[a].num_bytes() > program.buffers[b].num_bytes(); });
  std::vector<std::size_t> placed;
  std::vector<Interval> taken;
  for (std::size_t k : by_size) {
    Buffer& buffer = program.buffers[k];
    taken.clear();
    for (std::size_t other : placed) {
      const Buffer& there = program.buffers[other];
      if (is_permanent(buffer, lifetimes[k]) || is_permanent(there, lifetimes[other]) || meet(lifetimes[k], lifetimes[other]))
        taken.push_back({there.offset_bytes, there.offset_bytes + there.num_bytes()});
    }
    buffer.offset_bytes = lowest_fit(taken, buffer.num_bytes());
    program.arena_bytes = std::max(program.arena_bytes, buffer.offset_bytes + buffer.num_bytes());
    placed.push_back(k);
  }
}

}  // namespace parconv
