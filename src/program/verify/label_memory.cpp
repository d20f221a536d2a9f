// SPDX-License-Identifier: Apache-2.0
#include "program/verify/label_memory.hpp"

#include <algorithm>
#include <iterator>

#include "program/verify/partition.hpp"

namespace parconv::verify {
namespace {

bool overlaps(Interval a, Interval b) { return !intersect(a, b).is_empty(); }
bool overlaps(const Box& a, const Box& b) { return !intersect(a, b).is_empty(); }

}  // namespace

void LabelMemory::reset(const Program& program) {
  program_ = &program;
  first_slots_.clear();
  occupied_.clear();
  std::size_t count = 0;
  for (const Buffer& buffer : program.buffers) {
    first_slots_.push_back(count);
    count += static_cast<std::size_t>(buffer.slots);
  }
  slots_.resize(count);
  for (std::size_t k = 0; k < program.buffers.size(); ++k) {
    const Buffer& buffer = program.buffers[k];
    const index_t bytes = volume(buffer.box) * static_cast<index_t>(size_of(buffer.type));
    for (int s = 0; s < buffer.slots; ++s) {
      Slot& slot = slots_[first_slots_[k] + static_cast<std::size_t>(s)];
      const index_t begin = buffer.offset_bytes + s * buffer.slot_bytes;
      slot.bytes = {begin, begin + bytes};
      slot.is_occupied = false;
      slot.labels.clear();
      slot.flights.clear();
    }
  }
}

std::size_t LabelMemory::slot_index(BufferId buffer, index_t micro_batch) const {
  const index_t slot = micro_batch == every_micro_batch ? 0 : micro_batch % program_->buffer(buffer).slots;
  return first_slots_[static_cast<std::size_t>(buffer)] + static_cast<std::size_t>(slot);
}

void LabelMemory::write(BufferId buffer, const Label& label) {
  if (label.box.is_empty()) return;
  const std::size_t index = slot_index(buffer, label.micro_batch);
  expect_not_in_flight(slots_[index], buffer, label.box);
  occupy(index, buffer);
  put(slots_[index], label);
}

/// Destroys the labels of other slots in the same bytes.
void LabelMemory::occupy(std::size_t index, BufferId buffer) {
  Slot& slot = slots_[index];
  if (slot.is_occupied) return;
  auto there = occupied_.lower_bound(slot.bytes.lo);
  if (there != occupied_.begin() && slots_[std::prev(there)->second].bytes.hi > slot.bytes.lo) --there;
  while (there != occupied_.end() && there->first < slot.bytes.hi) {
    Slot& other = slots_[there->second];
    if (!other.flights.empty())
      violate(Rule::WriteInFlight, "writes ", describe(buffer), ", which shares memory with a buffer that communication ",
              program_->communication(other.flights.front().communication).order, " is using");
    other.labels.clear();
    other.is_occupied = false;
    there = occupied_.erase(there);
  }
  occupied_.emplace_hint(there, slot.bytes.lo, index);
  slot.is_occupied = true;
}

void LabelMemory::put(Slot& slot, const Label& label) {
  bool is_apart = true;
  for (Label& there : slot.labels) {
    if (there.box == label.box) {
      there = label;
      return;
    }
    is_apart = is_apart && !overlaps(there.box, label.box);
  }
  if (!is_apart) {
    kept_.clear();
    for (const Label& there : slot.labels)
      for_each_remainder(there.box, label.box, [&](const Box& box) { kept_.push_back({box, there.content, there.micro_batch}); });
    slot.labels.assign(kept_.begin(), kept_.end());
  }
  slot.labels.push_back(label);
}

void LabelMemory::carve(Slot& slot, const MessageGroup& group) {
  kept_.clear();
  std::vector<Box> rest, next;
  for (const Label& there : slot.labels) {
    rest = {there.box};
    for (const Box& box : group.boxes) {
      if (!overlaps(there.box, box)) continue;
      next.clear();
      for (const Box& part : rest) for_each_remainder(part, box, [&](const Box& left) { next.push_back(left); });
      std::swap(rest, next);
    }
    for (const Box& part : rest) kept_.push_back({part, there.content, there.micro_batch});
  }
  slot.labels.assign(kept_.begin(), kept_.end());
}

void LabelMemory::write_all(const MessageGroup& group, std::span<const ContentId> contents, index_t micro_batch) {
  const std::size_t index = slot_index(group.buffer, micro_batch);
  Slot& slot = slots_[index];
  for (const Flight& flight : slot.flights)
    if (overlaps(flight.group->hull, group.hull))
      for (const Box& box : group.boxes) expect_not_in_flight(slot, group.buffer, box);
  occupy(index, group.buffer);
  // From the second time on the labels are there, in the same order.
  const auto is_first = [&](const Label& label) { return label.box == group.boxes.front(); };
  auto first = std::find_if(slot.labels.begin(), slot.labels.end(), is_first);
  const auto is_same = [](const Label& label, const Box& box) { return label.box == box; };
  const bool is_there = std::distance(first, slot.labels.end()) >= std::ssize(group.boxes) &&
                        std::equal(first, first + std::ssize(group.boxes), group.boxes.begin(), is_same);
  if (!is_there) {
    carve(slot, group);
    const std::ptrdiff_t end = std::ssize(slot.labels);
    for (const Box& box : group.boxes) slot.labels.push_back({.box = box});
    first = slot.labels.begin() + end;
  }
  for (std::size_t k = 0; k < group.boxes.size(); ++k, ++first) {
    first->content = contents[group.messages[k]];
    first->micro_batch = micro_batch;
  }
}

void LabelMemory::begin_flight(const Flight& flight) {
  const MessageGroup& group = *flight.group;
  const std::size_t index = slot_index(group.buffer, flight.micro_batch);
  Slot& slot = slots_[index];
  if (group.direction == Direction::Receive) {
    for (const Flight& other : slot.flights)
      if (overlaps(other.group->hull, group.hull))
        for (const Box& box : group.boxes) expect_not_in_flight(slot, group.buffer, box);
    occupy(index, group.buffer);
  }
  slot.flights.push_back(flight);
}

void LabelMemory::end_flight(const Flight& flight) {
  std::erase(slots_[slot_index(flight.group->buffer, flight.micro_batch)].flights, flight);
}

bool LabelMemory::share_memory(const Region& a, const Region& b, index_t micro_batch) const {
  const std::size_t first = slot_index(a.buffer, micro_batch), second = slot_index(b.buffer, micro_batch);
  if (first == second) return overlaps(a.box, b.box);
  return overlaps(slots_[first].bytes, slots_[second].bytes);
}

bool LabelMemory::has_slots_apart() const {
  struct Range {
    Interval bytes{};
    bool has_several = false;
  };
  std::vector<Range> ranges;
  for (std::size_t k = 0; k < program_->buffers.size(); ++k)
    for (int s = 0; s < program_->buffers[k].slots; ++s) {
      const Interval bytes = slots_[first_slots_[k] + static_cast<std::size_t>(s)].bytes;
      if (!bytes.is_empty()) ranges.push_back({bytes, program_->buffers[k].slots > 1});
    }
  if (std::none_of(ranges.begin(), ranges.end(), [](const Range& range) { return range.has_several; })) return true;
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.bytes.lo < b.bytes.lo; });
  Range reached{};  // the ranges before, up to the highest end
  Range several{};
  for (const Range& range : ranges) {
    const bool meets_any = range.bytes.lo < reached.bytes.hi, meets_several = range.bytes.lo < several.bytes.hi;
    if (meets_several || (range.has_several && meets_any)) return false;
    reached.bytes.hi = std::max(reached.bytes.hi, range.bytes.hi);
    if (range.has_several) several.bytes.hi = std::max(several.bytes.hi, range.bytes.hi);
  }
  return true;
}

void LabelMemory::take_snapshot(index_t tick, Snapshot& snapshot) const {
  snapshot.labels.clear();
  snapshot.flights.clear();
  snapshot.ends.clear();
  for (std::size_t k = 0; k < program_->buffers.size(); ++k) {
    const index_t slots = program_->buffers[k].slots;
    for (index_t age = 0; age < slots; ++age) {
      const index_t due = ((tick - age) % slots + slots) % slots;
      const Slot& slot = slots_[first_slots_[k] + static_cast<std::size_t>(due)];
      for (Label label : slot.labels) {
        if (label.micro_batch != every_micro_batch) label.micro_batch -= tick + 2;  // below every_micro_batch
        snapshot.labels.push_back(label);
      }
      for (Flight flight : slot.flights) {
        flight.micro_batch -= tick;
        snapshot.flights.push_back(flight);
      }
      snapshot.ends.push_back(snapshot.labels.size());
      snapshot.ends.push_back(snapshot.flights.size());
    }
  }
}

void LabelMemory::expect_received(const Slot& slot, const Region& region) const {
  for (const Flight& flight : slot.flights) {
    if (flight.group->direction != Direction::Receive || !overlaps(flight.group->hull, region.box)) continue;
    for (const Box& box : flight.group->boxes)
      if (overlaps(box, region.box))
        violate(Rule::ReadInFlight, "reads ", to_string(region.box), " of ", describe(region.buffer), " while communication ",
                program_->communication(flight.communication).order, " receives ", to_string(box));
  }
}

void LabelMemory::expect_not_in_flight(const Slot& slot, BufferId buffer, const Box& box) const {
  for (const Flight& flight : slot.flights) {
    if (!overlaps(flight.group->hull, box)) continue;
    for (const Box& other : flight.group->boxes)
      if (overlaps(other, box))
        violate(Rule::WriteInFlight, "writes ", to_string(box), " of ", describe(buffer), " while communication ",
                program_->communication(flight.communication).order,
                flight.group->direction == Direction::Send ? " sends " : " receives ", to_string(other), " of micro-batch ",
                flight.micro_batch);
  }
}

void LabelMemory::report_missing(const Slot& slot, const Region& region, index_t micro_batch) const {
  const std::string reads =
      concat("reads ", to_string(region.box), " of ", describe(region.buffer), " in micro-batch ", micro_batch);
  for (const Label& label : slot.labels)
    if (label.micro_batch != micro_batch && label.micro_batch != every_micro_batch && overlaps(label.box, region.box))
      violate(Rule::StaleMicroBatch, reads, " and finds ", to_string(intersect(label.box, region.box)), " of micro-batch ",
              label.micro_batch);
  Box found{};
  for (const Label& label : slot.labels) found = hull(found, intersect(label.box, region.box));
  if (found.is_empty()) violate(Rule::MissingData, reads, ", of which nothing is present");
  violate(Rule::MissingData, reads, ", of which only parts within ", to_string(found), " are present");
}

std::string LabelMemory::describe(BufferId buffer) const {
  return concat("buffer ", buffer, " (", name_of(program_->buffer(buffer).role), " of value ", program_->buffer(buffer).value,
                ")");
}

}  // namespace parconv::verify
