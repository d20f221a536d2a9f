// SPDX-License-Identifier: Apache-2.0
// The program of one rank: a sequential list of steps on buffers, the same for every micro-batch.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "parconv/program/layout.hpp"

namespace parconv {

/// Index of a Buffer in Program::buffers.
using BufferId = int;
/// Index of a Communication in Program::communications.
using CommId = int;

enum class BufferRole {
  Owned,     ///< the owned box of a value, with room for received margins
  Operand,   ///< a needed box, assembled from own and received parts, or loaded
  Partial,   ///< a result for a part of the contracted axes, of the type partial_type
  Incoming,  ///< a partial result received from another rank
  Constant   ///< a constant of the network, loaded once
};

std::string_view name_of(BufferRole role);

/// Dense channels-last memory for `box`, once per slot. Micro-batch m uses slot m modulo slots. Example: with 2 slots of 1,088
/// bytes at offset 4,096, micro-batch 3 is at offset 5,184.
struct Buffer {
  ValueId value = -1;
  BufferRole role = BufferRole::Owned;
  Box box{};
  int slots = 1;
  DType type = DType::F32;
  index_t offset_bytes = 0;  ///< of slot 0 in the rank's arena
  index_t slot_bytes = 0;    ///< rounded up to a multiple of 64

  index_t num_bytes() const { return slot_bytes * slots; }
};

/// A box inside a buffer, in the buffer's indices.
struct Region {
  BufferId buffer = -1;
  Box box{};

  friend bool operator==(const Region&, const Region&) = default;
};

/// A region sent to `peer` or received from it.
struct Message {
  int peer = 0;
  Region region{};
};

/// One rank's part of one communication. `order` is its position in the global order of all communications of a micro-batch.
///
/// The messages among the members of `group` are together the collective operation that it states, with parts in the indices of
/// `value`. The members of an Allgather or a Broadcast may have messages with other ranks too, all others have none.
struct Communication {
  int order = 0;
  ValueId value = -1;
  std::shared_ptr<const CommGroup> group{};  ///< null: point to point; programs share them
  std::vector<Message> sends{};
  std::vector<Message> receives{};

  CommKind kind() const { return group == nullptr ? CommKind::PointToPoint : group->kind; }
};

/// Fills dst with a box of a network input.
struct Load {
  ValueId value = -1;
  Box box{};
  Region dst{};
};

/// Starts a communication; does not wait.
struct Start {
  CommId communication = -1;
};

/// Waits for a communication started for the same micro-batch. Its stage may be later than that of the Start.
struct Await {
  CommId communication = -1;
};

/// Copies a region to another buffer of the same rank.
struct Copy {
  Region src{};
  Region dst{};
};

/// Computes a work region of a node. Without `is_finished` the result is a partial sum, and the epilogue is left out.
struct Compute {
  WorkRegion work{};
  bool is_finished = true;
  std::vector<Region> srcs{};
  Region dst{};
};

/// dst = epilogue(sum of `partials`), for `box` of the node's output; an empty sum is 0. The sum is a tree, by the number of
/// joins after each partial as in joins_after; no joins: in order. The partials of a Reduction are reduced, and a sum of
/// accumulators is rounded; their order does not matter. The residual, if any, belongs to the epilogue.
struct Reduce {
  Box box{};
  std::vector<Region> partials{};
  std::vector<int> joins{};
  std::vector<Region> residual{};
  Region dst{};
};

/// Writes a box of a network output to its sink.
struct Store {
  ValueId value = -1;
  Box box{};
  Region src{};
};

using Action = std::variant<Load, Start, Await, Copy, Compute, Reduce, Store>;

enum class Track { Compute, Communication, Io };

/// One action of a program. In tick t of a run, a step acts on micro-batch t - stage, if that exists. Example: in tick 5 a step
/// of stage 2 acts on micro-batch 3.
struct Step {
  Action action{};
  NodeId node = -1;
  int stage = 0;
};

Track track_of(const Action& action);
std::string_view name_of(const Action& action);

/// A region that a step reads or writes.
struct Access {
  Region region{};
  bool is_write = false;
};
struct Program;
/// Regions that a step reads and writes while it runs; for Start and Await those of the whole communication.
std::vector<Access> accesses_of(const Program& program, const Step& step);

/// All work of one rank, as a plain value. Engine executes it.
struct Program {
  int rank = 0;
  int num_ranks = 1;
  int num_stages = 1;
  std::vector<Buffer> buffers{};
  std::vector<Communication> communications{};
  std::vector<Step> steps{};
  /// Constants of the network that this rank needs, loaded once.
  std::vector<Load> constants{};
  index_t arena_bytes = 0;
  /// Weights of this rank: filters in the type of activations, biases in f32.
  index_t weight_bytes = 0;

  const Buffer& buffer(BufferId id) const { return buffers[static_cast<std::size_t>(id)]; }
  const Communication& communication(CommId id) const { return communications[static_cast<std::size_t>(id)]; }
};

/// The largest stage of any step: a run of m micro-batches takes m + last_stage ticks.
int last_stage(const Program& program);

/// Bytes of a region, in the type of its buffer.
index_t bytes_of(const Program& program, const Region& region);

/// Bytes that this rank sends to other ranks per micro-batch.
index_t sent_bytes(const Program& program);

/// Bytes that this rank copies between its own buffers per micro-batch.
index_t copied_bytes(const Program& program);

}  // namespace parconv
