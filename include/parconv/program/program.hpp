// What one rank does: a sequential list of steps on buffers, the same for every micro-batch.
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
  Partial,   ///< a sum over a part of the contracted axes
  Incoming,  ///< somebody else's partial sum
  Constant   ///< a constant of the network, loaded once
};

std::string_view name_of(BufferRole role);

/// Dense channels-last memory for `box`, once per slot. A micro-batch m uses slot m modulo slots.
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

/// A region that goes to `peer` or comes from it.
struct Message {
  int peer = 0;
  Region region{};
};

/// One rank's part of one communication. `order` is its place in the global order of all communications of a micro-batch.
struct Communication {
  int order = 0;
  CommKind kind = CommKind::PointToPoint;
  ValueId value = -1;
  std::vector<Message> sends{};
  std::vector<Message> receives{};
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

/// Waits for a communication that a Start of the same micro-batch began. Its stage may be later than the Start's.
struct Await {
  CommId communication = -1;
};

struct Copy {
  Region src{};
  Region dst{};
};

/// Computes a share of a node; the finish is left out of partial sums.
struct Compute {
  Share share{};
  bool is_finished = true;
  std::vector<Region> srcs{};
  Region dst{};
};

/// dst = finish(srcs added up in this order, or 0 without any); the residual, if any, comes last.
struct Reduce {
  std::vector<Region> partials{};
  std::vector<Region> residual{};
  Region dst{};
};

/// Hands a box of a network output over to whoever stores it.
struct Store {
  ValueId value = -1;
  Box box{};
  Region src{};
};

using Action = std::variant<Load, Start, Await, Copy, Compute, Reduce, Store>;

enum class Lane { Compute, Communication, Io };

/// In tick t of a run, a step acts on micro-batch t - stage, if there is one.
struct Step {
  Action action{};
  NodeId node = -1;
  int stage = 0;
};

Lane lane_of(const Action& action);
std::string_view name_of(const Action& action);

/// Regions that a step reads and writes while it runs; for Start and Finish those of the whole communication.
struct Access {
  Region region{};
  bool is_write = false;
};
struct Program;
std::vector<Access> accesses_of(const Program& program, const Step& step);

/// All of one rank's work. Values only; see engine/ for what executes it.
struct Program {
  int rank = 0;
  int num_ranks = 1;
  int num_stages = 1;
  std::vector<Buffer> buffers{};
  std::vector<Communication> communications{};
  std::vector<Step> steps{};
  /// Constants of the network that this rank needs; loaded once.
  std::vector<Load> constants{};
  index_t arena_bytes = 0;
  /// Weights of this rank: filters in the type of activations, biases in f32.
  index_t weight_bytes = 0;

  const Buffer& buffer(BufferId id) const { return buffers[static_cast<std::size_t>(id)]; }
  const Communication& communication(CommId id) const { return communications[static_cast<std::size_t>(id)]; }
};

/// The largest stage of any step: a run of m micro-batches takes m + last_stage ticks.
int last_stage(const Program& program);

/// Bytes of a region.
index_t bytes_of(const Program& program, const Region& region);

/// Bytes that this rank sends to other ranks per micro-batch.
index_t sent_bytes(const Program& program);

/// Bytes that this rank copies between its own buffers per micro-batch.
index_t copied_bytes(const Program& program);

}  // namespace parconv
