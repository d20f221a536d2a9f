// SPDX-License-Identifier: Apache-2.0
// One communication of a program, bound to memory.
#pragma once

#include <memory>
#include <vector>

#include "engine/memory.hpp"
#include "parconv/comm/communicator.hpp"

namespace parconv {

/// Staging memory of the packed messages of a communication, over all combinations of slots.
index_t staging_bytes(const Program& program, const Communication& communication);

/// Whether enqueued work is executed or captured (Device::capture).
enum class EnqueueMode { Direct, Captured };

/// Prepared once per combination of slots. Non-contiguous regions are staged: packed before the start, unpacked after the
/// finish.
class PreparedCommunication {
 public:
  PreparedCommunication(const Program& program, CommId id, Arena& arena, Communicator& communicator, Device& device);

  void start(index_t micro_batch, EnqueueMode mode);
  /// Precondition: the exchange was started for this micro-batch. A settle in between is allowed.
  void wait(index_t micro_batch);
  /// Makes the compute stream wait for all started messages; inside a capture, for the captured ones.
  void settle();
  /// Resets messages that were started in a failed capture.
  void forget_captured();
  /// Called after the launch of a graph that contains this communication.
  void note_launch(index_t micro_batch) { instance(micro_batch).exchange->note_launch(); }
  std::size_t staging_bytes() const;
  std::size_t pinned_bytes() const;

 private:
  struct Staged {
    View region{};
    std::byte* packed = nullptr;
  };
  /// The state of the last messages.
  enum class State { Complete, Started, Captured };
  struct Instance {
    State state = State::Complete;
    std::unique_ptr<Exchange> exchange{};
    DeviceBytes staging{};
    std::vector<Staged> to_pack{};
    std::vector<Staged> to_unpack{};
  };

  Instance make_instance(const Program& program, const Communication& communication, Arena& arena, Communicator& communicator,
                         index_t micro_batch) const;
  static void finish(Instance& instance);
  Instance& instance(index_t micro_batch) { return instances_[static_cast<std::size_t>(micro_batch) % instances_.size()]; }

  Device& device_;
  std::vector<Instance> instances_{};
};

}  // namespace parconv
