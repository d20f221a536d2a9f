// One communication of a program, bound to memory.
#pragma once

#include <memory>
#include <vector>

#include "engine/memory.hpp"
#include "parconv/comm/communicator.hpp"

namespace parconv {

/// What the messages of a communication take where they are packed, over all combinations of slots.
index_t staging_bytes(const Program& program, const Communication& communication);

/// Whether a device is to do its work, or captures it (Device::capture).
enum class Giving { Direct, Captured };

/// Prepared once for every combination of slots. Regions that are not contiguous go through staging memory: packed before the
/// start, unpacked after the finish.
class PreparedCommunication {
 public:
  PreparedCommunication(const Program& program, CommId id, Arena& arena, Communicator& communicator, Device& device);

  void start(index_t micro_batch, Giving giving);
  /// After its start, or after a `settle` that followed it, however long ago.
  void await(index_t micro_batch);
  /// The compute lane waits for all messages that were started: in the capture for those that it started.
  void settle();
  /// What was started in a capture that failed was not started.
  void forget_captured();
  /// A graph in which this was started was launched.
  void note_launch(index_t micro_batch) { instance(micro_batch).exchange->note_launch(); }
  std::size_t staging_bytes() const;
  std::size_t pinned_bytes() const;

 private:
  struct Staged {
    View region{};
    std::byte* packed = nullptr;
  };
  /// What became of the messages that were started last.
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
