// SPDX-License-Identifier: Apache-2.0
// The sources of a chunk: where they are, or as f32 in memory of their own.
#pragma once

#include <span>

#include "compute/direct/chunk_ranges.hpp"

namespace parconv::direct {

/// Where the f32 elements of a source are. Strides are in elements.
struct SourceWindow {
  const std::byte* first = nullptr;
  Extents strides{};
  Extents begin{{0, 0, 0, 0, 0}};  ///< indices of the first
  Extents step{{1, 1, 1, 1, 1}};   ///< from input to input

  /// Elements from the first to the input `at` along an axis. Precondition: the window has it.
  index_t offset(Axis axis, index_t at) const { return (at - begin[axis]) / step[axis] * strides[axis]; }
};

/// Copies the inputs that a chunk needs.
class SourceCopy {
 public:
  SourceCopy(const ConvShape& shape, const ElementKernels& kernels) : shape_(&shape), widen_(kernels.widen) {}

  /// Elements that the copy of a chunk needs.
  index_t size(const ChunkRange& range) const;
  /// Precondition: memory.size() >= size(range).
  SourceWindow make(const ChunkRange& range, const std::byte* src, std::span<float> memory) const;

 private:
  struct Inputs {
    Box box{};
    Extents step{{1, 1, 1, 1, 1}};
    Extents counts{};
  };

  Inputs inputs_of(const ChunkRange& range) const;
  bool is_read(Axis axis, index_t input, Interval outputs) const;
  void copy_row(const std::byte* row, const Inputs& inputs, float* to) const;

  const ConvShape* shape_;
  void (*widen_)(const std::byte*, float*, std::ptrdiff_t);
};

}  // namespace parconv::direct
