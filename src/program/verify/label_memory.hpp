// SPDX-License-Identifier: Apache-2.0
// The memory of one rank with labels in place of values.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "parconv/program/program.hpp"
#include "program/verify/violation.hpp"

namespace parconv::verify {

/// `complete`, or a part of a sum: an entry of Contributions.
using ContentId = int;
inline constexpr ContentId complete = -1;

/// The micro-batch of constants, which belong to all micro-batches.
inline constexpr index_t every_micro_batch = -1;

/// The label of a box of a slot.
struct Label {
  Box box{};
  ContentId content = complete;
  index_t micro_batch = 0;

  friend bool operator==(const Label&, const Label&) = default;
};

enum class Direction { Send, Receive };

/// The messages of one communication in one direction that are in one buffer.
struct MessageGroup {
  BufferId buffer = -1;
  Direction direction = Direction::Send;
  Box hull{};
  std::vector<Box> boxes{};
  std::vector<std::size_t> messages{};  ///< their indices in the communication
};

/// Boxes of a slot that a started communication still reads or writes.
struct Flight {
  const MessageGroup* group = nullptr;
  CommId communication = -1;
  index_t micro_batch = 0;

  friend bool operator==(const Flight&, const Flight&) = default;
};

/// Labels by slot of a buffer; writing a slot destroys the labels of slots that share bytes of the arena with it. Precondition of
/// all calls: the region lies inside its buffer. All throw Violation.
class LabelMemory {
 public:
  void reset(const Program& program);

  /// Calls visit(label) for the labels in a region. They have to cover the region and belong to the micro-batch.
  template <class Visit>
  void read(const Region& region, index_t micro_batch, Visit&& visit) const {
    const Slot& slot = slot_of(region.buffer, micro_batch);
    expect_received(slot, region);
    index_t found = 0;
    for (const Label& label : slot.labels) {
      if (label.micro_batch != micro_batch && label.micro_batch != every_micro_batch) continue;
      const Box common = intersect(label.box, region.box);
      if (common.is_empty()) continue;
      found += volume(common);
      visit(Label{common, label.content, label.micro_batch});
    }
    if (found != volume(region.box)) report_missing(slot, region, micro_batch);
  }

  /// `content` of `box` in a slot of `buffer`; constants are in slot 0.
  void write(BufferId buffer, const Label& label);

  /// What arrived: content k of box k of a group, whose boxes are disjoint.
  void write_all(const MessageGroup& group, std::span<const ContentId> contents, index_t micro_batch);

  /// From now on the boxes of the group are being sent or received. The group has to outlive the flight.
  void begin_flight(const Flight& flight);
  void end_flight(const Flight& flight);

  /// True if the slots of two regions in one micro-batch share bytes, or the regions share elements of one slot.
  bool share_memory(const Region& a, const Region& b, index_t micro_batch) const;

  /// True if no buffer with several slots shares memory with another buffer. All ticks are then alike, independent of the slots
  /// in use.
  bool has_slots_apart() const;

  /// All labels after a tick, with micro-batches relative to it.
  struct Snapshot {
    std::vector<Label> labels{};
    std::vector<Flight> flights{};
    std::vector<std::size_t> ends{};  // of labels and flights, for each slot
    friend bool operator==(const Snapshot&, const Snapshot&) = default;
  };
  void take_snapshot(index_t tick, Snapshot& snapshot) const;

 private:
  struct Slot {
    Interval bytes{};
    bool is_occupied = false;
    std::vector<Label> labels{};
    std::vector<Flight> flights{};
  };

  std::size_t slot_index(BufferId buffer, index_t micro_batch) const;
  const Slot& slot_of(BufferId buffer, index_t micro_batch) const { return slots_[slot_index(buffer, micro_batch)]; }
  void occupy(std::size_t index, BufferId buffer);
  void put(Slot& slot, const Label& label);
  /// Keeps of all labels what lies outside the group's boxes.
  void carve(Slot& slot, const MessageGroup& group);
  void expect_received(const Slot& slot, const Region& region) const;
  void expect_not_in_flight(const Slot& slot, BufferId buffer, const Box& box) const;
  [[noreturn]] void report_missing(const Slot& slot, const Region& region, index_t micro_batch) const;
  std::string describe(BufferId buffer) const;

  const Program* program_ = nullptr;
  std::vector<Slot> slots_{};
  std::vector<std::size_t> first_slots_{};     // of each buffer
  std::map<index_t, std::size_t> occupied_{};  // slots that hold anything, by their first byte; disjoint
  std::vector<Label> kept_{};                  // of put and carve
};

}  // namespace parconv::verify
