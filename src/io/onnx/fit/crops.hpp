// SPDX-License-Identifier: Apache-2.0
// The padding of inputs to sizes that fit, and what it leaves of the outputs.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "io/onnx/fit/open_axes.hpp"
#include "parconv/model/padding.hpp"

namespace parconv {

/// An open axis with a count that fits, not below that of the data.
struct FittedAxis {
  OpenAxis open{};
  index_t count = 1;
  index_t other = 0;                ///< another count that fits; 0: none is known
  std::optional<Network> varied{};  ///< the network for `other` and the fitting counts of the other axes

  index_t added() const { return count - open.count; }
};

struct PaddingAndCrops {
  std::vector<InputPadding> paddings{};
  std::vector<OutputCrop> crops{};
};

/// Padding at both ends, as even as the resolutions of the outputs allow, the rest at the far end. An output grows with an axis
/// if its extents for two counts differ; it is cropped in proportion. `network` is the one for the fitting counts. Local. Throws
/// Error(BadData) for an output that is not proportional to the input, or not for a whole number of elements.
PaddingAndCrops padding_and_crops(const Network& network, std::span<const FittedAxis> axes);

}  // namespace parconv
