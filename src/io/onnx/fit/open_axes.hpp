// SPDX-License-Identifier: Apache-2.0
// Spatial axes whose sizes a model leaves open.
#pragma once

#include <span>
#include <vector>

#include "parconv/io/onnx/onnx_reader.hpp"

namespace parconv {

/// An axis that the model leaves open, of one or several inputs. Sizes keep the proportions of the data: each input has `count`
/// times its unit. Example: an image of 500 rows and a mask of 250 have the count 250 and the units 2 and 1.
struct OpenAxis {
  struct Member {
    std::size_t input = 0;   ///< index in Network::inputs
    std::size_t listed = 0;  ///< index in ReadOptions::inputs
    std::size_t dim = 0;
    index_t unit = 1;
  };

  Axis axis = Axis::H;
  index_t count = 1;
  std::vector<Member> members{};  ///< not empty
};

/// The open axes d, h and w of the inputs whose dimensions are listed. An input of extent 1 beside larger ones is broadcast, and
/// has none. Local. Throws Error(BadData) for an unusable graph.
std::vector<OpenAxis> open_axes(const OnnxModel& model, const ReadOptions& options);

/// The same dimensions but for the open axes, which have other counts.
ReadOptions with_counts(ReadOptions options, std::span<const OpenAxis> axes, std::span<const index_t> counts);

}  // namespace parconv
