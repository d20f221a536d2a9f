// SPDX-License-Identifier: Apache-2.0
// Slots and memory of a program's buffers.
#pragma once

#include "parconv/program/program.hpp"

namespace parconv {

/// First and last use of a buffer. Steps are (stage, position in the list), compared in this order for one micro-batch.
struct Lifetime {
  struct Moment {
    int stage = 0;
    int position = 0;
    friend constexpr auto operator<=>(const Moment&, const Moment&) = default;
  };
  bool is_used = false;
  bool is_written = false;
  Moment first{};
  Moment first_write{};
  Moment last{};

  void extend(Moment now, bool is_write);

  /// All uses of one micro-batch fall into one tick.
  bool is_within_tick() const { return first.stage == last.stage; }
};

/// The lifetime of every buffer, from the accesses of the steps.
std::vector<Lifetime> lifetimes_of(const Program& program);

/// The smallest number of slots with which micro-batch m + slots is written after the last use of micro-batch m.
/// Example: written in stage 0 and last read in stage 1, later in the list: 2.
int slots_needed(const Lifetime& lifetime);

/// Sets slots, slot_bytes and offset_bytes of all buffers and arena_bytes of the program. Buffers that live within one tick share
/// memory with others of disjoint lifetimes.
void assign_memory(Program& program);

}  // namespace parconv
