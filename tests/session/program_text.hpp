// SPDX-License-Identifier: Apache-2.0
// A complete program as text, so that two programs can be compared and differences are visible.
#pragma once

#include <sstream>
#include <string>

#include "parconv/core/overloaded.hpp"
#include "parconv/program/program.hpp"

namespace parconv::test {

inline std::string text_of(const Region& region) { return concat(region.buffer, ":", region.box); }

inline std::string text_of(const std::vector<Region>& regions) {
  std::string text;
  for (const Region& region : regions) text += text_of(region) + " ";
  return text;
}

inline std::string text_of(const std::vector<Message>& messages) {
  std::string text;
  for (const Message& message : messages) text += concat(message.peer, "=", text_of(message.region), " ");
  return text;
}

inline std::string text_of(const Load& load) { return concat(load.value, " ", load.box, " to ", text_of(load.dst)); }

inline std::string text_of(const Action& action) {
  return std::visit(
      Overloaded{[](const Load& load) { return text_of(load); }, [](const Start& start) { return concat(start.communication); },
                 [](const Await& await) { return concat(await.communication); },
                 [](const Copy& copy) { return concat(text_of(copy.src), " to ", text_of(copy.dst)); },
                 [](const Compute& compute) {
                   return concat(compute.work.computed, " over ", compute.work.contracted, " ", compute.is_finished, " from ",
                                 text_of(compute.srcs), "to ", text_of(compute.dst));
                 },
                 [](const Reduce& reduce) {
                   return concat(text_of(reduce.partials), "and ", text_of(reduce.residual), "to ", text_of(reduce.dst));
                 },
                 [](const Store& store) { return concat(store.value, " ", store.box, " from ", text_of(store.src)); }},
      action);
}

inline std::string text_of(const Program& program) {
  std::ostringstream text;
  text << program.rank << " of " << program.num_ranks << ", " << program.num_stages << " stages, " << program.arena_bytes << " + "
       << program.weight_bytes << " bytes\n";
  for (const Buffer& buffer : program.buffers)
    text << "buffer " << buffer.value << " " << name_of(buffer.role) << " " << buffer.box << " x " << buffer.slots << " "
         << name_of(buffer.type) << " at " << buffer.offset_bytes << " of " << buffer.slot_bytes << "\n";
  for (const Communication& each : program.communications)
    text << "communication " << each.order << " " << name_of(each.kind()) << " " << each.value << " sends " << text_of(each.sends)
         << "receives " << text_of(each.receives) << "\n";
  for (const Load& constant : program.constants) text << "constant " << text_of(constant) << "\n";
  for (const Step& step : program.steps)
    text << "step " << name_of(step.action) << " " << step.node << " in stage " << step.stage << ": " << text_of(step.action)
         << "\n";
  return text.str();
}

}  // namespace parconv::test
