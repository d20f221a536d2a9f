// SPDX-License-Identifier: Apache-2.0
// Decides where the owned boxes of one rank lie in memory, and which received boxes land beside them.
#pragma once

#include <vector>

#include "parconv/program/layout.hpp"

namespace parconv {

/// Distances along each axis, from the indices of one value to those of another.
using Offsets = Extents;
inline constexpr Offsets no_offsets{{0, 0, 0, 0, 0}};

Box shifted(const Box& box, const Offsets& offsets);

/// The place of a node's owned box.
struct OwnedPlace {
  NodeId home = -1;              ///< in whose owned buffer it lies: the node's own, or that of a Concat that it is a part of
  Offsets offsets = no_offsets;  ///< from the node's output to that of the home
};

/// All owned boxes of one rank.
struct OwnedPlaces {
  std::vector<OwnedPlace> nodes{};
  std::vector<Box> allocated{};        ///< of each node that is its own home: the owned box and room for received parts
  std::vector<bool> lands_in_place{};  ///< of each delivery: what is received lands beside the owned box

  /// From the indices of an operand of a Concat to those of the buffer that holds the Concat's owned box.
  Offsets part_offsets(const Network& network, const Use& use) const;
};

/// Chooses all places. With CompileOptions::needs_dense the outputs of convolutions and their halos stay dense: there is room for
/// one halo along the outermost axis. Without it, received parts of any shape land beside the owned box where that takes no more
/// memory than a buffer of their own, and the parts of a Concat are computed where they are joined.
OwnedPlaces place_owned_boxes(const Network& network, const Layout& layout, int rank);

}  // namespace parconv
