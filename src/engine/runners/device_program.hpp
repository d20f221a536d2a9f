// SPDX-License-Identifier: Apache-2.0
// A prepared program on a device, with file blocks staged in pinned memory.
#pragma once

#include <optional>
#include <vector>

#include "engine/prepared_program.hpp"

namespace parconv {

/// A Load or Store has two parts: file I/O on pinned memory, executed by the caller, and a copy between pinned and device
/// memory, enqueued among the steps. Blocks are double-buffered in pinned memory: one buffer is filled while the other is
/// emptied.
class DeviceProgram {
 public:
  DeviceProgram(PreparedProgram& prepared, Device& device, const Program& program);

  /// Reads the block of a Load. Precondition: the device has consumed the block of two micro-batches before.
  void load(std::size_t step, const RunData& data, index_t micro_batch);
  /// Enqueues any step. Precondition of a Store: the block of two micro-batches before is flushed.
  void enqueue(std::size_t step, index_t micro_batch, EnqueueMode mode);
  /// Writes the block of a Store. Precondition: the device has completed the step.
  void flush(std::size_t step, const RunData& data, index_t micro_batch);

  const std::vector<std::size_t>& load_steps() const { return load_steps_; }
  const std::vector<std::size_t>& store_steps() const { return store_steps_; }
  PreparedProgram& prepared() { return prepared_; }
  /// The number of micro-batches after which all addresses repeat.
  index_t period() const;
  std::size_t pinned_bytes() const;

 private:
  /// The two pinned buffers of a block.
  struct StagedBlock {
    StagedBlock(Device& device, const FileBlock& file_block);
    View pinned(index_t micro_batch) { return (micro_batch % 2 == 0 ? even : odd).view(); }

    const FileBlock& block;
    PinnedBlock even;
    PinnedBlock odd;
  };

  PreparedProgram& prepared_;
  Device& device_;
  std::vector<std::size_t> load_steps_{};
  std::vector<std::size_t> store_steps_{};
  std::vector<std::optional<StagedBlock>> loads_{};   // by step
  std::vector<std::optional<StagedBlock>> stores_{};  // by step
};

}  // namespace parconv
