// Reading constants where they are: in memory, as a fill, or in a file.
#pragma once

#include <vector>

#include "parconv/compute/backend.hpp"
#include "parconv/model/constant.hpp"

namespace parconv {

/// All elements as f32 in row-major ONNX order. Throws Error(InputMissing) if the file is gone, Error(BadData) if it is shorter
/// than the data, Error(Io) if reading fails.
std::vector<float> read_constant(const ConstantData& data);

/// A FilterReader for every kind of ConstantData. It reads only the runs of the file that hold the box (with gaps under 4 KiB
/// read over), so a rank reads little more than its part of the weights. Thread-safe.
FilterReader make_filter_reader();

}  // namespace parconv
