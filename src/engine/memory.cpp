// SPDX-License-Identifier: Apache-2.0
#include "engine/memory.hpp"

#include "parconv/engine/calls.hpp"

namespace parconv {
namespace {

OperandLayout dense_layout(const OperandLayout& layout) {
  const Box box = Box::whole(layout.extents);
  return layout_within(box, box, layout.type);
}

std::size_t bytes_of(const OperandLayout& layout) {
  return static_cast<std::size_t>(volume(layout.extents)) * size_of(layout.type);
}

}  // namespace

RegionAddress Arena::address(const Region& region) {
  const OperandLayout layout = layout_of(program_, region);
  const Buffer& buffer = program_.buffer(region.buffer);
  const index_t offset = offset_within(region.box, buffer.box) * static_cast<index_t>(size_of(buffer.type));
  return {.first = memory_.data() + buffer.offset_bytes + offset,
          .slot_bytes = buffer.slot_bytes,
          .slots = buffer.slots,
          .layout = layout};
}

PinnedBlock::PinnedBlock(Device& device, const OperandLayout& like)
    : layout(dense_layout(like)), memory(device.allocate(bytes_of(layout), MemoryKind::Pinned)) {}

bool is_contiguous(const Program& program, const Region& region) {
  return is_contiguous_within(region.box, program.buffer(region.buffer).box);
}

}  // namespace parconv
