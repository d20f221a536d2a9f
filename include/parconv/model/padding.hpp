// SPDX-License-Identifier: Apache-2.0
// A network for larger inputs, made a network for the inputs that there are.
#pragma once

#include <span>

#include "parconv/model/network.hpp"

namespace parconv {

/// Elements added to an axis of an input by reflection without its border, as often as needed, as by numpy.pad.
struct InputPadding {
  std::size_t input = 0;  ///< index in Network::inputs
  Axis axis = Axis::H;
  index_t before = 0;
  index_t after = 0;
};

/// The part [start, start + size) of an axis of an output.
struct OutputCrop {
  std::size_t output = 0;  ///< index in Network::outputs
  Axis axis = Axis::H;
  index_t start = 0;
  index_t size = 0;
};

/// The same network for inputs without the padding, which it adds itself, and with outputs that are cropped. Inputs and outputs
/// keep their names. Local. Preconditions: padding leaves at least one element; crops are inside.
Network with_padding(Network network, std::span<const InputPadding> paddings, std::span<const OutputCrop> crops);

}  // namespace parconv
