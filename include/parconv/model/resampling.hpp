// SPDX-License-Identifier: Apache-2.0
// The inputs along one axis that an output of Resample reads, in closed form.
#pragma once

#include <variant>

#include "parconv/core/types.hpp"

namespace parconv {

/// Output o is input o.
struct KeepAxis {
  friend bool operator==(const KeepAxis&, const KeepAxis&) = default;
};

/// Values beyond the input.
enum class Border { Fill, Reflect, Edge, Wrap };

/// Output o is input start + o * step. Beyond the input, Fill is the operator's fill, Reflect the mirrored input without its
/// border repeated, Edge the border, Wrap the periodic input. With a step below 1, outputs never lie beyond the input. Slice
/// (never beyond), Expand (step 0), Pad and Tile. Example: 4 inputs, start -2, step 1, Reflect: outputs 0, 1, 2 are inputs
/// 2, 1, 0.
struct TakeAxis {
  index_t start = 0;
  index_t step = 1;
  Border border = Border::Fill;

  friend bool operator==(const TakeAxis&, const TakeAxis&) = default;
};

/// Maps output positions to input coordinates (ONNX Resize, coordinate_transformation_mode).
enum class Coordinates { HalfPixel, PytorchHalfPixel, Asymmetric, AlignCorners, HalfPixelSymmetric };

/// Rounding of input coordinates (ONNX Resize, nearest_mode): down, up, or to the nearest with halves down or up.
enum class NearestRounding { Floor, Ceil, HalfDown, HalfUp };

/// Output o is the input nearest to its coordinate, clipped to the input. The coordinate is exact: a ratio of integers, with
/// `scale` as it is, or outputs / inputs of the axis.
struct NearestAxis {
  float scale = 1;
  Coordinates coordinates = Coordinates::HalfPixel;
  NearestRounding rounding = NearestRounding::HalfDown;
  bool is_scaled_by_size = false;  ///< by outputs / inputs instead of `scale`

  friend bool operator==(const NearestAxis&, const NearestAxis&) = default;
};

/// Output o is interpolated between the two inputs around its coordinate.
struct LinearAxis {
  float scale = 1;
  Coordinates coordinates = Coordinates::HalfPixel;

  friend bool operator==(const LinearAxis&, const LinearAxis&) = default;
};

/// One axis of a Resample: the method and the number of outputs (unused for KeepAxis).
struct ResampledAxis {
  std::variant<KeepAxis, TakeAxis, NearestAxis, LinearAxis> method{};
  index_t size = 0;

  friend bool operator==(const ResampledAxis&, const ResampledAxis&) = default;
};

/// Sources of one output: in[lo] + weight * (in[hi] - in[lo]), in[lo] if lo == hi, or a fill if lo is -1.
struct AxisTap {
  index_t lo = 0;
  index_t hi = 0;
  float weight = 0;

  friend bool operator==(const AxisTap&, const AxisTap&) = default;
};

}  // namespace parconv
