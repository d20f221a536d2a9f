// Blocks of data between files and the memory of a device.
#pragma once

#include <vector>

#include "engine/memory.hpp"
#include "parconv/io/data_sink.hpp"
#include "parconv/io/data_source.hpp"

namespace parconv {

/// Places in pinned memory of each block: one is filled while the other is emptied.
inline constexpr index_t staging_turns = 2;

/// Pinned host memory for one dense box.
struct StagingTurn {
  StagingTurn(Device& device, const OperandLayout& like);

  View view() { return {memory.data(), layout}; }

  OperandLayout layout;  ///< dense
  DeviceBytes memory;
};

/// Reads boxes of a source into a region. On a device a box is read into pinned memory and uploaded from there, so the next box
/// is read while the device still takes the last one and computes.
class BlockReader {
 public:
  BlockReader(Device& device, const RegionAddress& dst);

  /// Precondition: the device is done with what was fetched two micro-batches before.
  void fetch(DataSource& source, const Box& box, index_t micro_batch);
  /// Gives to the compute lane what was fetched. Nothing is left to do on a host.
  void upload(index_t micro_batch);
  std::size_t pinned_bytes() const;

 private:
  Device& device_;
  RegionAddress dst_;
  std::vector<StagingTurn> turns_{};  // none on a host
};

/// Writes a region as boxes of a sink. On a device a box is downloaded into pinned memory and handed to the sink when the next
/// one is on its way, so files are written while the device computes.
class BlockWriter {
 public:
  BlockWriter(Device& device, const RegionAddress& src);

  /// Gives the compute lane the way to pinned memory. Precondition: what was there two micro-batches before is handed over.
  void download(index_t micro_batch);
  /// Precondition: the device is done with the download, and on a host with making the region.
  void hand_over(DataSink& sink, const Box& box, index_t micro_batch);
  std::size_t pinned_bytes() const;

 private:
  Device& device_;
  RegionAddress src_;
  std::vector<StagingTurn> turns_{};  // none on a host
};

}  // namespace parconv
