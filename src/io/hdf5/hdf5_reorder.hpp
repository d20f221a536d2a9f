// SPDX-License-Identifier: Apache-2.0
// Conversion of a block in file axis order to channels-last f32.
#pragma once

#include <span>
#include <vector>

#include "io/hdf5/hdf5_hyperslabs.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv::hdf5 {

/// Dense elements in file axis order.
struct FileBlock {
  std::span<const std::byte> bytes{};
  DType dtype = DType::F32;
  std::vector<Axis> axes{};  ///< slowest first
};

/// Compacts the elements of `inner` at the front of `block`, a dense block of `outer` in file order.
void keep_part(std::span<std::byte> block, const Storage& storage, const Box& outer, const Box& inner);

/// dst = scaled block.
void convert_block(const FileBlock& block, View dst, const InputScaling& scaling, const ConversionOptions& options);

}  // namespace parconv::hdf5
