// Which inputs along one axis an output of Resample is made of, in closed form.
#pragma once

#include <variant>

#include "parconv/core/types.hpp"

namespace parconv {

/// Output o is input o.
struct KeepAxis {
  friend bool operator==(const KeepAxis&, const KeepAxis&) = default;
};

/// What stands outside the input.
enum class Border { Fill, Reflect, Edge, Wrap };

/// Output o is input start + o * step. Beyond the input: the operator's fill, the mirrored input without its border repeated, the
/// border, or the input once more. A step below 1 is never beyond. Slice (never beyond), Expand (step 0), Pad and Tile.
struct TakeAxis {
  index_t start = 0;
  index_t step = 1;
  Border border = Border::Fill;

  friend bool operator==(const TakeAxis&, const TakeAxis&) = default;
};

/// Where the centre of output o lies among the inputs (ONNX coordinate_transformation_mode).
enum class Coordinates { HalfPixel, PytorchHalfPixel, Asymmetric, AlignCorners, HalfPixelSymmetric };

/// Floor, Ceil, or to the nearest with halves down or up.
enum class NearestRounding { Floor, Ceil, HalfDown, HalfUp };

/// Output o is the input nearest to its place, clipped to the input.
struct NearestAxis {
  float scale = 1;
  Coordinates coordinates = Coordinates::HalfPixel;
  NearestRounding rounding = NearestRounding::HalfDown;

  friend bool operator==(const NearestAxis&, const NearestAxis&) = default;
};

/// Output o is interpolated between the two inputs beside its place.
struct LinearAxis {
  float scale = 1;
  Coordinates coordinates = Coordinates::HalfPixel;

  friend bool operator==(const LinearAxis&, const LinearAxis&) = default;
};

/// One axis of a Resample: how, and the number of outputs (not used for KeepAxis).
struct ResampledAxis {
  std::variant<KeepAxis, TakeAxis, NearestAxis, LinearAxis> method{};
  index_t size = 0;

  friend bool operator==(const ResampledAxis&, const ResampledAxis&) = default;
};

/// An output is input lo + weight * (input hi - input lo), or input lo where they are the same, or a fill where lo is -1.
struct AxisTap {
  index_t lo = 0;
  index_t hi = 0;
  float weight = 0;

  friend bool operator==(const AxisTap&, const AxisTap&) = default;
};

}  // namespace parconv
