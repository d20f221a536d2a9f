// SPDX-License-Identifier: Apache-2.0
// Sites of mutations, kind by kind.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "parconv/program/program.hpp"

namespace parconv::test {

/// A site of a mutation in one program; applies it and returns a description.
using Site = std::function<std::string()>;
using Sites = std::vector<Site>;

/// The action of a step if it is of this kind.
template <class T>
T* action_of(Step& step) {
  return std::get_if<T>(&step.action);
}

/// The regions that a step names, the one that it writes last.
std::vector<Region*> regions_of(Step& step);

// All append to `sites`. The program must not move in memory before a site is used.
void other_row_sent(Program& program, Sites& sites);
void other_row_received(Program& program, Sites& sites);
void sends_swapped(Program& program, Sites& sites);
void message_dropped(Program& program, Sites& sites);
void buffer_exchanged(Program& program, Sites& sites);
void memory_moved(Program& program, Sites& sites);
void slot_missing(Program& program, Sites& sites);
void slots_overlap(Program& program, Sites& sites);
void type_changed(Program& program, Sites& sites);
void contribution_lost(Program& program, Sites& sites);
void contribution_doubled(Program& program, Sites& sites);
void contributions_swapped(Program& program, Sites& sites);
void tree_changed(Program& program, Sites& sites);
void contribution_misdirected(Program& program, Sites& sites);
void await_dropped(Program& program, Sites& sites);
void start_dropped(Program& program, Sites& sites);
void await_late(Program& program, Sites& sites);
void await_early(Program& program, Sites& sites);
void order_swapped(Program& program, Sites& sites);
void stage_changed(Program& program, Sites& sites);
void stale_read(Program& program, Sites& sites);
void step_dropped(Program& program, Sites& sites);
void store_of_other_box(Program& program, Sites& sites);
void load_of_other_box(Program& program, Sites& sites);
void operand_shifted(Program& program, Sites& sites);
void copy_shifted(Program& program, Sites& sites);
void work_changed(Program& program, Sites& sites);
void epilogue_misplaced(Program& program, Sites& sites);
void residual_lost(Program& program, Sites& sites);
void kind_changed(Program& program, Sites& sites);
void member_lost(Program& program, Sites& sites);
void member_added(Program& program, Sites& sites);
void root_changed(Program& program, Sites& sites);
void places_swapped(Program& program, Sites& sites);
void part_changed(Program& program, Sites& sites);

}  // namespace parconv::test
