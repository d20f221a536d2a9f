// SPDX-License-Identifier: Apache-2.0
#include "parconv/program/program.hpp"

#include <algorithm>

#include "parconv/core/overloaded.hpp"

namespace parconv {
namespace {

void add_communication(const Communication& communication, std::vector<Access>& accesses) {
  for (const Message& message : communication.sends) accesses.push_back({message.region, false});
  for (const Message& message : communication.receives) accesses.push_back({message.region, true});
}

void add_reads(const std::vector<Region>& regions, std::vector<Access>& accesses) {
  for (const Region& region : regions) accesses.push_back({region, false});
}

}  // namespace

std::string_view name_of(BufferRole role) {
  switch (role) {
    case BufferRole::Owned:
      return "owned";
    case BufferRole::Operand:
      return "operand";
    case BufferRole::Partial:
      return "partial";
    case BufferRole::Incoming:
      return "incoming";
    case BufferRole::Constant:
      return "constant";
  }
  return "?";
}

Track track_of(const Action& action) {
  return std::visit(Overloaded{
                        [](const Load&) { return Track::Io; },
                        [](const Store&) { return Track::Io; },
                        [](const Start&) { return Track::Communication; },
                        [](const Await&) { return Track::Communication; },
                        [](const auto&) { return Track::Compute; },
                    },
                    action);
}

std::string_view name_of(const Action& action) {
  static constexpr std::array<std::string_view, std::variant_size_v<Action>> names{"load",    "start",  "await", "copy",
                                                                                   "compute", "reduce", "store"};
  return names[action.index()];
}

std::vector<Access> accesses_of(const Program& program, const Step& step) {
  std::vector<Access> accesses;
  std::visit(Overloaded{
                 [&](const Load& load) { accesses.push_back({load.dst, true}); },
                 [&](const Start& start) { add_communication(program.communication(start.communication), accesses); },
                 [&](const Await& await) { add_communication(program.communication(await.communication), accesses); },
                 [&](const Copy& copy) { accesses = {{copy.src, false}, {copy.dst, true}}; },
                 [&](const Compute& compute) {
                   add_reads(compute.srcs, accesses);
                   accesses.push_back({compute.dst, true});
                 },
                 [&](const Reduce& reduce) {
                   add_reads(reduce.partials, accesses);
                   add_reads(reduce.residual, accesses);
                   accesses.push_back({reduce.dst, true});
                 },
                 [&](const Store& store) { accesses.push_back({store.src, false}); },
             },
             step.action);
  return accesses;
}

int last_stage(const Program& program) {
  int last = 0;
  for (const Step& step : program.steps) last = std::max(last, step.stage);
  return last;
}

index_t bytes_of(const Program& program, const Region& region) {
  return volume(region.box) * static_cast<index_t>(size_of(program.buffer(region.buffer).type));
}

index_t sent_bytes(const Program& program) {
  index_t total = 0;
  for (const Communication& communication : program.communications)
    for (const Message& message : communication.sends) total += bytes_of(program, message.region);
  return total;
}

index_t copied_bytes(const Program& program) {
  index_t total = 0;
  for (const Step& step : program.steps)
    if (const auto* copy = std::get_if<Copy>(&step.action)) total += bytes_of(program, copy->src);
  return total;
}

}  // namespace parconv
