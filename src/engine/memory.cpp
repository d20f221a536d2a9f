#include "engine/memory.hpp"

#include "parconv/engine/calls.hpp"

namespace parconv {

RegionAddress Arena::address(const Region& region) {
  const OperandLayout layout = layout_of(program_, region);
  const Buffer& buffer = program_.buffer(region.buffer);
  const index_t offset = offset_within(region.box, buffer.box) * static_cast<index_t>(size_of(buffer.type));
  return {.first = memory_.data() + buffer.offset_bytes + offset,
          .slot_bytes = buffer.slot_bytes,
          .slots = buffer.slots,
          .layout = layout};
}

bool is_contiguous(const Program& program, const Region& region) {
  return is_contiguous_within(region.box, program.buffer(region.buffer).box);
}

}  // namespace parconv
