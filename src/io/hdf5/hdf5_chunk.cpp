// SPDX-License-Identifier: Apache-2.0
// Storage blocks of outputs.
#include <algorithm>

#include "io/hdf5/hdf5_layout.hpp"
#include "parconv/core/error.hpp"
#include "parconv/io/hdf5/hdf5_sink.hpp"

namespace parconv {
namespace {

constexpr index_t min_elems = (index_t{1} << 20) / index_t{sizeof(float)};
constexpr index_t max_elems = (index_t{16} << 20) / index_t{sizeof(float)};

/// Size, at least 1 and at most `most`, of equal blocks (except the last).
index_t even_part(index_t extent, index_t most) {
  const index_t part = std::clamp<index_t>(most, 1, extent);
  return ceil_div(extent, ceil_div(extent, part));
}

}  // namespace

Extents output_chunk(const Extents& extents, int ndims) {
  const std::vector<Axis> axes = hdf5::onnx_layout(ndims).axes;
  Extents chunk = extents;
  chunk[Axis::N] = 1;
  const index_t sample = volume(chunk);
  if (sample <= min_elems) return chunk;

  const Axis outermost = axes.size() > 2 ? axes[2] : Axis::C;
  const index_t most = std::clamp<index_t>(sample / 64, min_elems, max_elems);
  chunk[outermost] = even_part(extents[outermost], most / (sample / extents[outermost]));
  for (std::size_t k = 1; k < axes.size() && volume(chunk) > max_elems; ++k) {  // one row is too large
    const index_t others = volume(chunk) / chunk[axes[k]];
    chunk[axes[k]] = even_part(chunk[axes[k]], max_elems / others);
  }
  return chunk;
}

}  // namespace parconv
