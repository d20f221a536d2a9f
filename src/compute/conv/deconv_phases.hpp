// SPDX-License-Identifier: Apache-2.0
// A transposed convolution as ordinary ones: outputs one stride apart use the same taps and form a phase.
#pragma once

#include <vector>

#include "parconv/compute/backend.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv {

/// The outputs first, first + stride, ... along one axis as a convolution of stride 1.
struct PhaseAxis {
  index_t count = 0;  ///< outputs of the phase
  index_t skip = 0;   ///< extra outputs of the convolution before them
  index_t made = 0;   ///< all outputs of the convolution
  /// Filter taps from last to first, as the convolution reads them; empty: no input contributes to the phase.
  std::vector<index_t> taps{};
  WindowAxis window{};

  bool is_empty() const { return taps.empty() || count == 0; }
};

/// The phase of local outputs [0, out_size) that begins at `first`, from sources [0, in_size). Where the sources extend beyond
/// the need, extra outputs are computed, so that the padding is never negative. Example: kernel 4, stride 2, pad 1: outputs 0,
/// 2, 4 get taps 3 and 1 of the inputs -1 and 0, 0 and 1, 1 and 2.
PhaseAxis phase_of(const WindowAxis& window, index_t first, index_t out_size, index_t in_size);

/// Outputs that use the same taps.
struct Phase {
  std::array<PhaseAxis, 3> axes{};

  bool is_empty() const { return axes[0].is_empty() || axes[1].is_empty() || axes[2].is_empty(); }
};

/// All phases, w fastest. Precondition: op.kind is `deconv`.
std::vector<Phase> phases_of(const LocalOp& op, const LocalDeconv& deconv);

/// Reads each box of a filter once for all phases.
class FilterBoxes {
 public:
  FilterBoxes(const Filter& filter, const FilterReader& read) : filter_(filter), read_(read) {}

  const std::vector<float>& get(const FilterBox& box);

 private:
  struct Entry {
    FilterBox box{};
    std::vector<float> weights{};
  };

  const Filter& filter_;
  const FilterReader& read_;
  std::vector<Entry> entries_{};
};

/// Reads the taps of a phase as the filter of its convolution. All arguments must outlive the reader.
FilterReader phase_reader(FilterBoxes& boxes, const LocalDeconv& deconv, const Phase& phase);

}  // namespace parconv
