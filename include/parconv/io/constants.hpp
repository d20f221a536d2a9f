// SPDX-License-Identifier: Apache-2.0
// Reading constants from memory, from a fill value or from a file.
#pragma once

#include <vector>

#include "parconv/model/constant.hpp"
#include "parconv/model/filter_reader.hpp"

namespace parconv {

/// All elements as f32 in row-major ONNX order. Local. Throws Error(InputMissing) if the file does not exist, Error(BadData) if
/// it is truncated, Error(Io) if reading fails.
std::vector<float> read_constant(const ConstantData& data);

/// FilterReader for all kinds of ConstantData. From a file it reads only the runs that intersect the box (and gaps under 4 KiB
/// between them), so a rank reads little more than its part of the weights. Thread-safe.
FilterReader make_filter_reader();

}  // namespace parconv
