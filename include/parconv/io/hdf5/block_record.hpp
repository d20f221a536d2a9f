// SPDX-License-Identifier: Apache-2.0
// A block of an output as it was written, by which a reader can verify the file.
#pragma once

#include <cstdint>

#include "parconv/geometry/box.hpp"

namespace parconv {

enum class BlockState : std::uint64_t { Written = 1 };

/// Box of a written block, and the xxh64 (seed 0) of its elements in file order.
struct BlockRecord {
  Box box{};
  std::uint64_t hash = 0;
  BlockState state = BlockState::Written;

  friend bool operator==(const BlockRecord&, const BlockRecord&) = default;
};

}  // namespace parconv
