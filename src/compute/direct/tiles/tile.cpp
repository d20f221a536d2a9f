// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/tiles/tile.hpp"

namespace parconv::direct {

const TileKernels& tile_kernels(InstructionSet set) {
#ifdef __x86_64__
  if (set == InstructionSet::Avx512) return avx512_tile_kernels();
  if (set == InstructionSet::Avx2) return avx2_tile_kernels();
#endif
  return portable_tile_kernels();
}

}  // namespace parconv::direct
