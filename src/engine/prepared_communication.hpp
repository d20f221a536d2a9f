// One communication of a program, bound to memory.
#pragma once

#include <memory>
#include <vector>

#include "engine/memory.hpp"
#include "parconv/comm/communicator.hpp"

namespace parconv {

/// What the messages of a communication take where they are packed, over all combinations of slots.
index_t staging_bytes(const Program& program, const Communication& communication);

/// Prepared once for every combination of slots. Regions that are not contiguous go through staging memory: packed before the
/// start, unpacked after the finish.
class PreparedCommunication {
 public:
  PreparedCommunication(const Program& program, CommId id, Arena& arena, Communicator& communicator, Device& device);

  void start(index_t micro_batch);
  void await(index_t micro_batch);
  std::size_t staging_bytes() const;
  std::size_t pinned_bytes() const;

 private:
  struct Staged {
    View region{};
    std::byte* packed = nullptr;
  };
  struct Instance {
    std::unique_ptr<Exchange> exchange{};
    DeviceBytes staging{};
    std::vector<Staged> to_pack{};
    std::vector<Staged> to_unpack{};
  };

  Instance make_instance(const Program& program, const Communication& communication, Arena& arena, Communicator& communicator,
                         index_t micro_batch) const;
  Instance& instance(index_t micro_batch) { return instances_[static_cast<std::size_t>(micro_batch) % instances_.size()]; }

  Device& device_;
  std::vector<Instance> instances_{};
};

}  // namespace parconv
