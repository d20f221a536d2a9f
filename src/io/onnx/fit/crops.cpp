// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/fit/crops.hpp"

#include <algorithm>
#include <numeric>

#include "parconv/core/error.hpp"
#include "parconv/model/shape.hpp"

namespace parconv {
namespace {

/// An axis of an output whose extent changes with an open axis.
struct Growth {
  std::size_t output = 0;
  Axis axis = Axis::H;
  std::size_t open = 0;      ///< index of the open axis
  index_t extent = 0;        ///< for its fitting count
  index_t other_extent = 0;  ///< for its other count
};

/// Elements of an output per count of an open axis, in lowest terms.
struct Ratio {
  index_t elems = 1;
  index_t counts = 1;
};

Ratio ratio_of(const Growth& growth, const FittedAxis& axis) {
  const index_t common = std::gcd(growth.extent, axis.count);
  return {growth.extent / common, axis.count / common};
}

class Cropper {
 public:
  Cropper(const Network& network, std::span<const FittedAxis> axes) : network_(network), axes_(axes) {
    for (std::size_t k = 0; k < axes.size(); ++k) find_growth(k);
  }

  PaddingAndCrops run() const {
    PaddingAndCrops result;
    for (std::size_t k = 0; k < axes_.size(); ++k)
      if (axes_[k].added() > 0) add(k, result);
    return result;
  }

 private:
  const Value& output(std::size_t k) const { return network_.value(network_.outputs[k]); }

  [[noreturn]] void refuse(std::size_t output_index, const std::string& why) const {
    throw Error(ExitCode::BadData, concat("output '", output(output_index).name, "' cannot be cropped after --pad-to-fit: ", why),
                "Crop or resize the data to a size that fits.");
  }

  void find_growth(std::size_t open) {
    for (std::size_t k = 0; k < network_.outputs.size(); ++k) {
      const FittedAxis& axis = axes_[open];
      if (!axis.varied) {
        require_unaffected(k, axis);
        continue;
      }
      const Extents& other = axis.varied->value(axis.varied->outputs[k]).extents;
      for (const Axis along : all_axes)
        if (const index_t extent = output(k).extents[along]; extent != other[along])
          growths_.push_back({.output = k, .axis = along, .open = open, .extent = extent, .other_extent = other[along]});
    }
  }

  int ndims_of_input(const FittedAxis& axis) const {
    return network_.value(network_.inputs[axis.open.members.front().input]).ndims;
  }

  /// Only one size fits: an output of another rank cannot have grown with it, and one of extent 1 has not.
  void require_unaffected(std::size_t k, const FittedAxis& axis) const {
    const bool may_grow = output(k).ndims == ndims_of_input(axis) && output(k).extents[axis.open.axis] > 1;
    if (axis.added() > 0 && may_grow)
      refuse(k, concat("only one size along ", name_of(axis.open.axis), " fits, so its growth is unknown"));
  }

  void require_proportional(const Growth& growth) const {
    const FittedAxis& axis = axes_[growth.open];
    const auto is_also = [&](const Growth& other) {
      return other.output == growth.output && other.axis == growth.axis && other.open != growth.open;
    };
    const bool is_same_axis = growth.axis == axis.open.axis && output(growth.output).ndims == ndims_of_input(axis);
    if (!is_same_axis || std::ranges::any_of(growths_, is_also))
      refuse(growth.output, concat("its extent along ", name_of(growth.axis), " changes with the size of the input along ",
                                   name_of(axis.open.axis)));
    if (growth.extent * axis.other != growth.other_extent * axis.count)
      refuse(growth.output,
             concat("it has ", growth.extent, " and ", growth.other_extent, " elements along ", name_of(growth.axis), " for ",
                    axis.count, " and ", axis.other, " of the input, which is not in proportion"));
    if (const Ratio ratio = ratio_of(growth, axis); axis.open.count * ratio.elems % ratio.counts != 0)
      refuse(growth.output, concat("it has ", ratio.elems, " elements along ", name_of(growth.axis), " for ", ratio.counts,
                                   " of the input, whose ", axis.open.count, " are not a multiple"));
  }

  void add(std::size_t open, PaddingAndCrops& result) const {
    const FittedAxis& axis = axes_[open];
    index_t grain = 1;
    for (const Growth& growth : growths_)
      if (growth.open == open) {
        require_proportional(growth);
        grain = std::lcm(grain, ratio_of(growth, axis).counts);
      }
    const index_t before = axis.added() / 2 / grain * grain;
    for (const OpenAxis::Member& member : axis.open.members)
      result.paddings.push_back({.input = member.input,
                                 .axis = axis.open.axis,
                                 .before = before * member.unit,
                                 .after = (axis.added() - before) * member.unit});
    for (const Growth& growth : growths_)
      if (const Ratio ratio = ratio_of(growth, axis); growth.open == open)
        result.crops.push_back({.output = growth.output,
                                .axis = growth.axis,
                                .start = before / ratio.counts * ratio.elems,
                                .size = axis.open.count / ratio.counts * ratio.elems});
  }

  const Network& network_;
  std::span<const FittedAxis> axes_;
  std::vector<Growth> growths_{};
};

}  // namespace

PaddingAndCrops padding_and_crops(const Network& network, std::span<const FittedAxis> axes) {
  return Cropper(network, axes).run();
}

}  // namespace parconv
