// Blocks of data between files and the memory of a device.
#pragma once

#include <array>
#include <memory>

#include "engine/memory.hpp"
#include "parconv/comm/communicator.hpp"
#include "parconv/io/data_sink.hpp"
#include "parconv/io/data_source.hpp"

namespace parconv {

/// Pinned host memory for one dense box, and when the device is done with it.
struct StagingTurn {
  StagingTurn(Device& device, const OperandLayout& layout);

  View view() { return {memory.data(), layout}; }

  OperandLayout layout;  ///< dense
  DeviceBytes memory;
  std::unique_ptr<DeviceEvent> is_done;
};

/// Reads boxes of a source into a region. On a device a box is read into pinned memory and uploaded from there; there are two
/// such places, so the next box is read while the device still takes the last one and computes.
class BlockReader {
 public:
  BlockReader(Device& device, Communicator& communicator, const RegionAddress& dst);

  void read(DataSource& source, const Box& box, index_t micro_batch);
  std::size_t pinned_bytes() const;

 private:
  Device& device_;
  Communicator& communicator_;
  RegionAddress dst_;
  std::vector<StagingTurn> turns_{};  // none on a host
  std::size_t now_ = 0;
};

/// Writes a region as boxes of a sink. On a device a box is downloaded into one of two places in pinned memory, and handed to the
/// sink when the next one is on its way, so files are written while the device computes.
class BlockWriter {
 public:
  BlockWriter(Device& device, Communicator& communicator, const RegionAddress& src);

  void write(DataSink& sink, const Box& box, index_t micro_batch);
  /// Hands over what is still in pinned memory.
  void flush();
  std::size_t pinned_bytes() const;

 private:
  struct Pending {
    DataSink* sink = nullptr;
    Box box{};
  };
  void hand_over(std::size_t turn);

  Device& device_;
  Communicator& communicator_;
  RegionAddress src_;
  std::vector<StagingTurn> turns_{};  // none on a host
  std::array<Pending, 2> pending_{};
  std::size_t now_ = 0;
};

}  // namespace parconv
