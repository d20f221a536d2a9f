// SPDX-License-Identifier: Apache-2.0
// The file block of a Load or Store.
#pragma once

#include <cstddef>

#include "engine/memory.hpp"
#include "parconv/geometry/box.hpp"

namespace parconv {

/// A box of a network input or output, and its region in the engine's memory.
struct FileBlock {
  std::size_t file = 0;  ///< index among the sources or sinks of a run
  Box box{};             ///< of micro-batch 0
  index_t samples = 1;   ///< of the value, per micro-batch
  index_t batch = 1;     ///< of the network's first input, per micro-batch
  RegionAddress region{};

  /// The box in the file if micro-batch 0 begins at `first_sample`. Example: an output that concatenates two inputs along n has
  /// twice the samples of the first input, so its micro-batch 1 begins at 2 * batch.
  Box box_in_file(index_t first_sample, index_t micro_batch) const {
    return box.with(Axis::N, box[Axis::N].shifted(first_sample * samples / batch + micro_batch * samples));
  }
};

}  // namespace parconv
