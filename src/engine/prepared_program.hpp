// A program bound to memory, kernels and messages: what its steps do, for any micro-batch.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "engine/memory.hpp"
#include "engine/prepared_communication.hpp"
#include "engine/staged_data.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/engine/engine.hpp"

namespace parconv {

/// What executes a program. All of it outlives what is prepared with it.
struct ProgramParts {
  const Network& network;
  Device& device;
  Communicator& communicator;
  Backend& backend;
  const FilterReader& read_filter;
};

/// Every step has up to three parts: what is read from files before it, the work that the device is given, and what is written to
/// files when that work is done. On the host the device's part is done when it is given.
class PreparedProgram {
 public:
  /// Allocates all memory, prepares kernels and messages, loads constants. The program outlives it.
  PreparedProgram(const Program& program, const ProgramParts& parts);

  void fetch(std::size_t step, const RunData& data, index_t micro_batch);
  void give(std::size_t step, index_t micro_batch, Giving giving);
  void hand_over(std::size_t step, const RunData& data, index_t micro_batch);

  /// The compute lane waits for all messages that were started, so that nothing is under way when what follows is captured, or
  /// when it ends.
  void settle();
  /// After a capture that failed.
  void forget_captured();
  /// A graph with this step was launched.
  void note_launch(std::size_t step, index_t micro_batch);

  MemoryUse memory() const;
  std::string implementation(std::size_t step) const;
  /// After how many micro-batches all addresses are the same again.
  index_t period() const;

 private:
  /// A call of a backend with the addresses of its operands.
  struct KernelStep {
    std::unique_ptr<Kernel> kernel{};
    std::vector<RegionAddress> srcs{};
    RegionAddress dst{};
    std::vector<const std::byte*> src_data{};  // filled at each call
  };
  struct CopyStep {
    RegionAddress src{};
    RegionAddress dst{};
  };
  struct LoadStep {
    std::size_t source = 0;
    index_t samples = 1;  // of the value, per micro-batch
    Box box{};
    BlockReader reader;
  };
  struct StoreStep {
    std::size_t sink = 0;
    index_t samples = 1;  // of the value, per micro-batch
    Box box{};
    BlockWriter writer;
  };
  struct StartStep {
    CommId communication = -1;
  };
  struct AwaitStep {
    CommId communication = -1;
  };
  using PreparedStep = std::variant<KernelStep, CopyStep, LoadStep, StoreStep, StartStep, AwaitStep>;

  PreparedStep prepare(const Step& step);
  PreparedStep prepare_kernel(const Step& step);
  void allocate_scratch();
  void load_constant(const Load& load);
  PreparedCommunication& communication(CommId id) { return communications_[static_cast<std::size_t>(id)]; }
  Box block(const Box& box, index_t samples, const RunData& data, index_t micro_batch) const;

  const Program& program_;
  ProgramParts parts_;
  Arena arena_;
  std::vector<PreparedCommunication> communications_{};
  std::vector<PreparedStep> steps_{};
  DeviceBytes scratch_{};
};

}  // namespace parconv
