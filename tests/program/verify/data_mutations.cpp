// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "parconv/core/error.hpp"
#include "program/verify/mutation_sites.hpp"

namespace parconv::test {
namespace {

bool is_inside(const Program& program, const Region& region) { return program.buffer(region.buffer).box.contains(region.box); }

/// Sites that move a box by one along each axis, where `fits` allows it.
void add_shifts(Sites& sites, Box& box, const std::string& what, const std::function<bool(const Box&)>& fits) {
  for (Axis axis : all_axes)
    for (const index_t by : {-1, 1}) {
      const Box moved = box.with(axis, box[axis].shifted(by));
      if (fits(moved))
        sites.push_back([&box, moved, what] {
          const std::string text = concat(what, " moved from ", to_string(box), " to ", to_string(moved));
          box = moved;
          return text;
        });
    }
}

void add_region_shifts(Sites& sites, const Program& program, Region& region, const std::string& what) {
  add_shifts(sites, region.box, what, [&program, &region](const Box& box) { return is_inside(program, {region.buffer, box}); });
}

/// First and last position at which each buffer is used.
std::vector<Interval> uses_of(Program& program) {
  std::vector<Interval> uses(program.buffers.size());
  const auto add = [&](BufferId buffer, std::size_t position) {
    const auto now = static_cast<index_t>(position);
    uses[static_cast<std::size_t>(buffer)] = hull(uses[static_cast<std::size_t>(buffer)], {now, now + 1});
  };
  for (std::size_t k = 0; k < program.steps.size(); ++k)
    for (const Region* region : regions_of(program.steps[k])) add(region->buffer, k);
  return uses;
}

}  // namespace

std::vector<Region*> regions_of(Step& step) {
  std::vector<Region*> regions;
  if (auto* load = action_of<Load>(step)) regions = {&load->dst};
  if (auto* store = action_of<Store>(step)) regions = {&store->src};
  if (auto* copy = action_of<Copy>(step)) regions = {&copy->src, &copy->dst};
  if (auto* compute = action_of<Compute>(step)) {
    for (Region& src : compute->srcs) regions.push_back(&src);
    regions.push_back(&compute->dst);
  }
  if (auto* reduce = action_of<Reduce>(step)) {
    for (Region& partial : reduce->partials) regions.push_back(&partial);
    for (Region& residual : reduce->residual) regions.push_back(&residual);
    regions.push_back(&reduce->dst);
  }
  return regions;
}

// ---- Messages -------------------------------------------------------------------------------------------------------------

void other_row_sent(Program& program, Sites& sites) {
  for (Communication& communication : program.communications)
    for (Message& message : communication.sends) add_region_shifts(sites, program, message.region, "send");
}

void other_row_received(Program& program, Sites& sites) {
  for (Communication& communication : program.communications)
    for (Message& message : communication.receives) add_region_shifts(sites, program, message.region, "receive");
}

void sends_swapped(Program& program, Sites& sites) {
  for (Communication& communication : program.communications)
    for (std::size_t k = 0; k + 1 < communication.sends.size(); ++k) {
      Message &first = communication.sends[k], &second = communication.sends[k + 1];
      if (first.region == second.region) continue;
      sites.push_back([&first, &second] {
        std::swap(first.region, second.region);
        return concat("sends to ranks ", first.peer, " and ", second.peer, " swapped");
      });
    }
}

void message_dropped(Program& program, Sites& sites) {
  for (Communication& communication : program.communications)
    for (auto* messages : {&communication.sends, &communication.receives})
      for (std::size_t k = 0; k < messages->size(); ++k)
        sites.push_back([messages, k] {
          messages->erase(messages->begin() + static_cast<std::ptrdiff_t>(k));
          return std::string("message dropped");
        });
}

// ---- Memory ---------------------------------------------------------------------------------------------------------------

void buffer_exchanged(Program& program, Sites& sites) {
  for (Step& step : program.steps)
    for (Region* region : regions_of(step))
      for (BufferId other = 0; other < std::ssize(program.buffers); ++other) {
        if (other == region->buffer || !is_inside(program, {other, region->box})) continue;
        sites.push_back([region, other] {
          const std::string text = concat("buffer ", region->buffer, " exchanged for ", other);
          region->buffer = other;
          return text;
        });
      }
}

/// Moves a buffer onto one that is used between its own uses.
void memory_moved(Program& program, Sites& sites) {
  const std::vector<Interval> uses = uses_of(program);
  for (std::size_t k = 0; k < program.buffers.size(); ++k)
    for (std::size_t other = 0; other < program.buffers.size(); ++other) {
      Buffer& buffer = program.buffers[k];
      const Buffer& there = program.buffers[other];
      const bool are_used_together = uses[k].lo < uses[other].lo && uses[other].lo + 1 < uses[k].hi;
      const bool fits = there.offset_bytes + buffer.num_bytes() <= program.arena_bytes;
      if (k == other || !are_used_together || !fits || volume(there.box) == 0 || volume(buffer.box) == 0) continue;
      sites.push_back([&buffer, k, other, to = there.offset_bytes] {
        buffer.offset_bytes = to;
        return concat("buffer ", k, " moved onto ", other);
      });
    }
}

void slot_missing(Program& program, Sites& sites) {
  for (Buffer& buffer : program.buffers)
    if (buffer.slots > 1)
      sites.push_back([&buffer] {
        buffer.slots -= 1;
        return concat("value ", buffer.value, " with ", buffer.slots, " slots");
      });
}

void slots_overlap(Program& program, Sites& sites) {
  for (Buffer& buffer : program.buffers)
    if (buffer.slots > 1 && buffer.slot_bytes >= 64)
      sites.push_back([&buffer] {
        buffer.slot_bytes = 0;
        return concat("value ", buffer.value, " with slots in one place");
      });
}

void type_changed(Program& program, Sites& sites) {
  for (Buffer& buffer : program.buffers)
    if (volume(buffer.box) > 0)
      sites.push_back([&buffer] {
        buffer.type = buffer.type == DType::F32 ? DType::BF16 : DType::F32;
        return concat("buffer of value ", buffer.value, " as ", name_of(buffer.type));
      });
}

// ---- Boxes ----------------------------------------------------------------------------------------------------------------

void store_of_other_box(Program& program, Sites& sites) {
  for (Step& step : program.steps)
    if (auto* store = action_of<Store>(step)) {
      add_shifts(sites, store->box, "store", [](const Box& box) {
        return std::all_of(all_axes.begin(), all_axes.end(), [&](Axis axis) { return box[axis].lo >= 0; });
      });
      for (Axis axis : all_axes)
        if (store->box[axis].size() > 1)
          sites.push_back([store, axis] {
            store->box[axis].hi -= 1;
            store->src.box[axis].hi -= 1;
            return concat("store cut along ", name_of(axis));
          });
    }
}

void load_of_other_box(Program& program, Sites& sites) {
  const auto fits = [](const Box& box) {
    return std::all_of(all_axes.begin(), all_axes.end(), [&](Axis axis) { return box[axis].lo >= 0; });
  };
  for (Step& step : program.steps)
    if (auto* load = action_of<Load>(step)) add_shifts(sites, load->box, "load", fits);
  for (Load& constant : program.constants) add_shifts(sites, constant.box, "constant", fits);
}

void operand_shifted(Program& program, Sites& sites) {
  for (Step& step : program.steps)
    if (auto* compute = action_of<Compute>(step))
      for (Region& src : compute->srcs) add_region_shifts(sites, program, src, "operand");
}

void copy_shifted(Program& program, Sites& sites) {
  for (Step& step : program.steps)
    if (auto* copy = action_of<Copy>(step)) {
      add_region_shifts(sites, program, copy->src, "source of a copy");
      add_region_shifts(sites, program, copy->dst, "result of a copy");
    }
}

void work_changed(Program& program, Sites& sites) {
  for (Step& step : program.steps)
    if (auto* compute = action_of<Compute>(step)) {
      const auto fits = [](const Box& box) {
        return std::all_of(all_axes.begin(), all_axes.end(), [&](Axis axis) { return box[axis].lo >= 0; });
      };
      add_shifts(sites, compute->work.computed, "computed box", fits);
      for (Axis axis : all_axes)
        if (compute->work.contracted[axis].size() > 1)
          sites.push_back([compute, axis] {
            compute->work.contracted[axis].hi -= 1;
            return concat("contracted box cut along ", name_of(axis));
          });
    }
}

void epilogue_misplaced(Program& program, Sites& sites) {
  for (Step& step : program.steps)
    if (auto* compute = action_of<Compute>(step))
      sites.push_back([compute] {
        compute->is_finished = !compute->is_finished;
        return std::string(compute->is_finished ? "epilogue added" : "epilogue left out");
      });
}

void residual_lost(Program& program, Sites& sites) {
  for (Step& step : program.steps) {
    if (auto* compute = action_of<Compute>(step); compute != nullptr && compute->srcs.size() > 1)
      sites.push_back([compute] {
        compute->srcs.pop_back();
        return std::string("last operand left out");
      });
    if (auto* reduce = action_of<Reduce>(step); reduce != nullptr && !reduce->residual.empty())
      sites.push_back([reduce] {
        reduce->residual.clear();
        return std::string("residual left out");
      });
  }
}

}  // namespace parconv::test
