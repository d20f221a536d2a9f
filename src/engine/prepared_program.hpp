// SPDX-License-Identifier: Apache-2.0
// A program bound to memory, kernels and messages.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "engine/file_block.hpp"
#include "engine/memory.hpp"
#include "engine/prepared_communication.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/engine/engine.hpp"

namespace parconv {

/// References to the environment of a program, which must outlive it.
struct ProgramParts {
  const Network& network;
  Device& device;
  Communicator& communicator;
  Backend& backend;
  const FilterReader& read_filter;
};

/// Executes steps for any micro-batch. File I/O belongs to the caller: a Load or Store is a FileBlock, every other step is
/// enqueued. On the host a step is complete when it is enqueued.
class PreparedProgram {
 public:
  /// Allocates all memory, prepares kernels and messages, loads constants. The program must outlive it.
  PreparedProgram(const Program& program, const ProgramParts& parts);

  /// The file block of a Load or Store; null for other steps.
  const FileBlock* load_block(std::size_t step) const;
  const FileBlock* store_block(std::size_t step) const;
  /// Precondition: the step is neither a Load nor a Store.
  void enqueue(std::size_t step, index_t micro_batch, EnqueueMode mode);

  /// Makes the compute stream wait for all started messages, so that none is in flight before or after a capture.
  void settle();
  /// Called after a failed capture.
  void forget_captured();
  /// Called after the launch of a graph that contains the step.
  void note_launch(std::size_t step, index_t micro_batch);

  MemoryUse memory() const;
  std::string implementation(std::size_t step) const;
  /// The number of micro-batches after which all addresses repeat.
  index_t period() const;

 private:
  /// A prepared kernel and the addresses of its operands.
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
    FileBlock block{};
  };
  struct StoreStep {
    FileBlock block{};
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
  FileBlock file_block(const std::vector<ValueId>& files, ValueId value, const Box& box, const Region& region);

  const Program& program_;
  ProgramParts parts_;
  Arena arena_;
  std::vector<PreparedCommunication> communications_{};
  std::vector<PreparedStep> steps_{};
  DeviceBytes scratch_{};
};

}  // namespace parconv
