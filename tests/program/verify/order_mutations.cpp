// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "parconv/core/error.hpp"
#include "program/verify/mutation_sites.hpp"

namespace parconv::test {
namespace {

void for_each_reduce(Program& program, const std::function<void(Reduce&)>& visit) {
  for (Step& step : program.steps)
    if (auto* reduce = action_of<Reduce>(step)) visit(*reduce);
}

template <class Wanted>
std::vector<std::size_t> positions_of(const Program& program) {
  std::vector<std::size_t> positions;
  for (std::size_t k = 0; k < program.steps.size(); ++k)
    if (std::holds_alternative<Wanted>(program.steps[k].action)) positions.push_back(k);
  return positions;
}

void add_drop(Program& program, Sites& sites, std::size_t position) {
  sites.push_back([&program, position] {
    const std::string text = concat(name_of(program.steps[position].action), " in step ", position, " dropped");
    program.steps.erase(program.steps.begin() + static_cast<std::ptrdiff_t>(position));
    return text;
  });
}

void add_move(Program& program, Sites& sites, std::size_t from, std::size_t to) {
  sites.push_back([&program, from, to] {
    const std::string text = concat(name_of(program.steps[from].action), " moved from step ", from, " to ", to);
    Step step = program.steps[from];
    program.steps.erase(program.steps.begin() + static_cast<std::ptrdiff_t>(from));
    program.steps.insert(program.steps.begin() + static_cast<std::ptrdiff_t>(to), std::move(step));
    return text;
  });
}

/// The region that a step writes, if any.
Region* written_by(Step& step) {
  if (std::holds_alternative<Start>(step.action) || std::holds_alternative<Await>(step.action)) return nullptr;
  return std::holds_alternative<Store>(step.action) ? nullptr : regions_of(step).back();
}

}  // namespace

// ---- Sums -----------------------------------------------------------------------------------------------------------------

void contribution_lost(Program& program, Sites& sites) {
  for_each_reduce(program, [&](Reduce& reduce) {
    for (std::size_t k = 0; k < reduce.partials.size(); ++k)
      sites.push_back([&reduce, k] {
        reduce.partials.erase(reduce.partials.begin() + static_cast<std::ptrdiff_t>(k));
        return concat("contribution ", k, " lost");
      });
  });
}

void contribution_doubled(Program& program, Sites& sites) {
  for_each_reduce(program, [&](Reduce& reduce) {
    for (std::size_t k = 0; k < reduce.partials.size(); ++k) {
      sites.push_back([&reduce, k] {
        reduce.partials.push_back(reduce.partials[k]);
        return concat("contribution ", k, " doubled");
      });
      if (k > 0)
        sites.push_back([&reduce, k] {
          reduce.partials[k] = reduce.partials[k - 1];
          return concat("contribution ", k - 1, " in place of ", k);
        });
    }
  });
}

/// Accumulators may be added up in any order.
void contributions_swapped(Program& program, Sites& sites) {
  for_each_reduce(program, [&](Reduce& reduce) {
    for (std::size_t k = 0; k + 1 < reduce.partials.size(); ++k) {
      if (program.buffer(reduce.partials[k].buffer).type == DType::Accumulator) continue;
      sites.push_back([&reduce, k] {
        std::swap(reduce.partials[k], reduce.partials[k + 1]);
        return concat("contributions ", k, " and ", k + 1, " swapped");
      });
    }
  });
}

void tree_changed(Program& program, Sites& sites) {
  for_each_reduce(program, [&](Reduce& reduce) {
    for (std::size_t k = 1; k + 1 < reduce.joins.size(); ++k)
      if (reduce.joins[k] > 0)
        sites.push_back([&reduce, k] {
          --reduce.joins[k];
          ++reduce.joins[k + 1];
          return concat("join after contribution ", k, " one later");
        });
  });
}

void contribution_misdirected(Program& program, Sites& sites) {
  if (program.num_ranks < 3) return;
  for (Communication& communication : program.communications)
    for (Message& message : communication.sends) {
      const BufferRole role = program.buffer(message.region.buffer).role;
      if (role == BufferRole::Partial)
        sites.push_back([&message, &program] {
          do message.peer = (message.peer + 1) % program.num_ranks;
          while (message.peer == program.rank);
          return concat("contribution sent to rank ", message.peer);
        });
    }
}

// ---- Order ----------------------------------------------------------------------------------------------------------------

void await_dropped(Program& program, Sites& sites) {
  for (const std::size_t position : positions_of<Await>(program)) add_drop(program, sites, position);
}

void start_dropped(Program& program, Sites& sites) {
  for (const std::size_t position : positions_of<Start>(program)) add_drop(program, sites, position);
}

/// Moves an Await behind the first step that uses received data.
void await_late(Program& program, Sites& sites) {
  for (const std::size_t from : positions_of<Await>(program)) {
    const Communication& communication = program.communication(std::get<Await>(program.steps[from].action).communication);
    for (std::size_t to = from + 1; to < program.steps.size(); ++to) {
      const bool is_needed =
          std::any_of(communication.receives.begin(), communication.receives.end(), [&](const Message& message) {
            for (const Region* region : regions_of(program.steps[to]))
              if (region->buffer == message.region.buffer && !intersect(region->box, message.region.box).is_empty()) return true;
            return false;
          });
      if (!is_needed) continue;
      add_move(program, sites, from, to);
      break;
    }
  }
}

void await_early(Program& program, Sites& sites) {
  for (const std::size_t from : positions_of<Await>(program))
    for (const std::size_t to : positions_of<Start>(program)) {
      const auto& start = std::get<Start>(program.steps[to].action);
      const bool is_same = start.communication == std::get<Await>(program.steps[from].action).communication;
      if (is_same && to < from && program.steps[to].stage == program.steps[from].stage) add_move(program, sites, from, to);
    }
}

void order_swapped(Program& program, Sites& sites) {
  const std::vector<std::size_t> starts = positions_of<Start>(program);
  for (std::size_t k = 0; k + 1 < starts.size(); ++k) {
    sites.push_back([&first = program.steps[starts[k]], &second = program.steps[starts[k + 1]]] {
      std::swap(first.action, second.action);
      return std::string("starts swapped");
    });
  }
  for (std::size_t k = 0; k + 1 < program.communications.size(); ++k)
    sites.push_back([&program, k] {
      std::swap(program.communications[k].order, program.communications[k + 1].order);
      return std::string("positions in the global order swapped");
    });
}

void stage_changed(Program& program, Sites& sites) {
  for (Step& step : program.steps) {
    sites.push_back([&step] {
      step.stage += 1;
      return concat(name_of(step.action), " moved to stage ", step.stage);
    });
    if (step.stage > 0)
      sites.push_back([&step] {
        step.stage -= 1;
        return concat(name_of(step.action), " moved to stage ", step.stage);
      });
  }
}

/// Moves a writer behind its first reader.
void stale_read(Program& program, Sites& sites) {
  for (std::size_t from = 0; from < program.steps.size(); ++from) {
    const Region* written = written_by(program.steps[from]);
    if (written == nullptr) continue;
    for (std::size_t to = from + 1; to < program.steps.size(); ++to) {
      std::vector<Region*> regions = regions_of(program.steps[to]);
      if (written_by(program.steps[to]) != nullptr) regions.pop_back();
      const bool is_read = std::any_of(regions.begin(), regions.end(), [&](const Region* region) {
        return region->buffer == written->buffer && !intersect(region->box, written->box).is_empty();
      });
      if (!is_read) continue;
      add_move(program, sites, from, to);
      break;
    }
  }
}

void step_dropped(Program& program, Sites& sites) {
  for (std::size_t k = 0; k < program.steps.size(); ++k)
    if (!std::holds_alternative<Start>(program.steps[k].action) && !std::holds_alternative<Await>(program.steps[k].action))
      add_drop(program, sites, k);
}

}  // namespace parconv::test
