// A transposed convolution as ordinary ones: outputs that are a stride apart get the same taps, and form a phase.
#pragma once

#include <vector>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// The outputs first, first + stride, ... along one axis as a convolution of stride 1.
struct PhaseAxis {
  index_t count = 0;  ///< outputs of the phase
  index_t skip = 0;   ///< what the convolution makes before them
  index_t made = 0;   ///< all that it makes
  /// Taps of the filter from the last to the first, as the convolution reads them; none: no input ever lands there.
  std::vector<index_t> taps{};
  WindowAxis window{};

  bool is_empty() const { return taps.empty() || count == 0; }
};

/// The phase of local outputs [0, out_size) that begins at `first`, of sources [0, in_size). More outputs than wanted are made
/// where the sources reach further than they need, so that the window never has negative padding.
/// Example: kernel 4, stride 2, pad 1: outputs 0, 2, 4 get taps 3 and 1 of the inputs -1 and 0, 0 and 1, 1 and 2.
PhaseAxis phase_of(const WindowAxis& window, index_t first, index_t out_size, index_t in_size);

/// Outputs that get the same taps.
struct Phase {
  std::array<PhaseAxis, 3> axes{};

  bool is_empty() const { return axes[0].is_empty() || axes[1].is_empty() || axes[2].is_empty(); }
};

/// All phases, those of w fastest. Precondition: op.kind is `deconv`.
std::vector<Phase> phases_of(const LocalOp& op, const LocalDeconv& deconv);

/// Reads each box of a filter once, however many phases take taps of it.
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

/// Reads a phase's taps, as the filter of the convolution that makes it. Everything that is named must outlive the reader.
FilterReader phase_reader(FilterBoxes& boxes, const LocalDeconv& deconv, const Phase& phase);

}  // namespace parconv
