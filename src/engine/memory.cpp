#include "engine/memory.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

RegionAddress Arena::address(const Region& region) {
  const Buffer& buffer = program_.buffer(region.buffer);
  PARCONV_EXPECT(buffer.box.contains(region.box), to_string(region.box), " in ", to_string(buffer.box));
  const index_t offset = offset_within(region.box, buffer.box) * static_cast<index_t>(size_of(buffer.type));
  return {.first = memory_.data() + buffer.offset_bytes + offset,
          .slot_bytes = buffer.slot_bytes,
          .slots = buffer.slots,
          .layout = layout_within(region.box, buffer.box, buffer.type)};
}

bool is_contiguous(const Program& program, const Region& region) {
  return is_contiguous_within(region.box, program.buffer(region.buffer).box);
}

}  // namespace parconv
