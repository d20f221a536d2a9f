// SPDX-License-Identifier: Apache-2.0
#include "parconv/core/overloaded.hpp"
#include "program/verify/step_rules.hpp"

namespace parconv::verify {

bool holds_sums(const Buffer& buffer) { return buffer.role == BufferRole::Partial || buffer.role == BufferRole::Incoming; }

void ShapeRules::check_buffers() const {
  for (std::size_t k = 0; k < program_.buffers.size(); ++k) {
    const Buffer& buffer = program_.buffers[k];
    if (!facts_.has_value(buffer.value) || buffer.slots < 1)
      violate(Rule::Malformed, "buffer ", k, " has value ", buffer.value, " and ", buffer.slots, " slots");
    const DType type = holds_sums(buffer) ? facts_.partial_type_of(buffer.value) : facts_.type_of(buffer.value);
    if (buffer.type != type)
      violate(Rule::WrongType, "buffer ", k, " (", name_of(buffer.role), " of value ", buffer.value, ") is ",
              name_of(buffer.type), " instead of ", name_of(type));
    const index_t bytes = volume(buffer.box) * static_cast<index_t>(size_of(buffer.type));
    const index_t end = buffer.offset_bytes + (buffer.slots - 1) * buffer.slot_bytes + bytes;
    if (buffer.offset_bytes < 0 || buffer.slot_bytes < 0 || end > program_.arena_bytes)
      violate(Rule::OutsideMemory, "buffer ", k, " ends at byte ", end, " of an arena of ", program_.arena_bytes);
  }
}

void ShapeRules::check_region(const Region& region) const {
  if (region.buffer < 0 || region.buffer >= std::ssize(program_.buffers))
    violate(Rule::Malformed, "names buffer ", region.buffer);
  const Box& outer = program_.buffer(region.buffer).box;
  if (region.box.is_empty() || !outer.contains(region.box))
    violate(Rule::OutsideMemory, "names ", to_string(region.box), " of buffer ", region.buffer, ", which holds ",
            to_string(outer));
}

void ShapeRules::check_message(const Message& message) const {
  if (message.peer < 0 || message.peer >= program_.num_ranks || message.peer == program_.rank)
    violate(Rule::Malformed, "has a message to or from rank ", message.peer);
  check_region(message.region);
}

void ShapeRules::check_communications() const {
  for (const Communication& communication : program_.communications) {
    for (const Message& message : communication.sends) check_message(message);
    for (const Message& message : communication.receives) check_message(message);
  }
}

void ShapeRules::check_step(const Step& step) const {
  if (step.stage < 0) violate(Rule::Malformed, "is of stage ", step.stage);
  const auto check_communication = [&](CommId id) {
    if (id < 0 || id >= std::ssize(program_.communications)) violate(Rule::Malformed, "names communication ", id);
  };
  const auto check_node = [&] {
    if (!facts_.has_node(step.node)) violate(Rule::Malformed, "is of node ", step.node);
  };
  const auto check_regions = [&](const std::vector<Region>& regions) {
    for (const Region& region : regions) check_region(region);
  };
  std::visit(Overloaded{
                 [&](const Load& load) { check_region(load.dst); },
                 [&](const Store& store) { check_region(store.src); },
                 [&](const Start& start) { check_communication(start.communication); },
                 [&](const Await& await) { check_communication(await.communication); },
                 [&](const Copy& copy) {
                   check_region(copy.src);
                   check_region(copy.dst);
                 },
                 [&](const Compute& compute) {
                   check_node();
                   check_regions(compute.srcs);
                   check_region(compute.dst);
                 },
                 [&](const Reduce& reduce) {
                   check_node();
                   check_regions(reduce.partials);
                   check_regions(reduce.residual);
                   check_region(reduce.dst);
                 },
             },
             step.action);
}

}  // namespace parconv::verify
