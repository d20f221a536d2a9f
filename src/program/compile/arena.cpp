// SPDX-License-Identifier: Apache-2.0
#include "program/compile/arena.hpp"

#include <algorithm>

#include "parconv/core/checked.hpp"
#include "program/compile/lifetime_index.hpp"

namespace parconv {
namespace {

constexpr index_t alignment_bytes = 64;
/// A buffer whose lifetime overlaps with more others than this gets new memory, without a search for a gap.
constexpr std::size_t max_neighbours = 1000;

/// Buffers that are loaded once, or used in several ticks, do not share memory.
bool is_permanent(const Buffer& buffer, const Lifetime& lifetime) {
  return buffer.role == BufferRole::Constant || !lifetime.is_within_tick();
}

/// The lowest offset from `begin` on at which `size` bytes fit between the taken ranges.
index_t lowest_fit(std::vector<Interval>& taken, index_t begin, index_t size) {
  std::sort(taken.begin(), taken.end(), [](Interval a, Interval b) { return a.lo < b.lo; });
  index_t offset = begin;
  for (Interval range : taken) {
    if (offset + size <= range.lo) break;
    offset = std::max(offset, range.hi);
  }
  return offset;
}

void set_slots(Buffer& buffer, const Lifetime& lifetime) {
  const index_t bytes = volume(buffer.box) * static_cast<index_t>(size_of(buffer.type));
  buffer.slot_bytes = ceil_div(bytes, alignment_bytes) * alignment_bytes;
  const bool may_need_several = buffer.role != BufferRole::Constant && !lifetime.is_within_tick();
  buffer.slots = may_need_several ? slots_needed(lifetime) : 1;
}

void place(Program& program, Buffer& buffer, index_t offset_bytes) {
  buffer.offset_bytes = offset_bytes;
  program.arena_bytes = std::max(program.arena_bytes, checked_add(offset_bytes, buffer.num_bytes(), "memory of a rank"));
}

/// Places the largest first, each at the lowest offset free of buffers with overlapping lifetimes.
void place_shared(Program& program, const std::vector<Lifetime>& lifetimes, std::vector<std::size_t> buffers) {
  const index_t begin = program.arena_bytes;
  std::stable_sort(buffers.begin(), buffers.end(),
                   [&](std::size_t a, std::size_t b) { return program.buffers[a].num_bytes() > program.buffers[b].num_bytes(); });
  LifetimeIndex placed(static_cast<int>(program.steps.size()));
  std::vector<Interval> taken;
  for (std::size_t k : buffers) {
    const int first = lifetimes[k].first.position, last = lifetimes[k].last.position;
    taken.clear();
    const bool has_few = placed.visit(first, last, [&](std::size_t other) {
      const Buffer& there = program.buffers[other];
      taken.push_back({there.offset_bytes, there.offset_bytes + there.num_bytes()});
      return taken.size() < max_neighbours;
    });
    place(program, program.buffers[k], has_few ? lowest_fit(taken, begin, program.buffers[k].num_bytes()) : program.arena_bytes);
    placed.add(first, last, k);
  }
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
  std::vector<std::size_t> shared;
  for (std::size_t k = 0; k < program.buffers.size(); ++k) {
    set_slots(program.buffers[k], lifetimes[k]);
    if (is_permanent(program.buffers[k], lifetimes[k]))
      place(program, program.buffers[k], program.arena_bytes);
    else
      shared.push_back(k);
  }
  place_shared(program, lifetimes, shared);
}

}  // namespace parconv
