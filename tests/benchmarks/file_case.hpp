// SPDX-License-Identifier: Apache-2.0
// Tensors of the file benchmark, and what a rank reads of them: the middle half of the rows (of the slices in 3-D).
#pragma once

#include <string>
#include <vector>

#include "benchmarks/raw_file.hpp"
#include "parconv/geometry/box.hpp"

namespace parconv::bench {

struct FileCase {
  std::string name{};
  Extents extents{};
  int ndims = 4;
  DType type = DType::F32;  ///< of the elements in the file
};

std::vector<FileCase> file_cases();

/// The box that is read.
Box box_of(const FileCase& file_case);

/// The runs of `box` in a dense tensor in ONNX order that begins at `first_byte`, merged where they touch.
std::vector<FileRun> runs_of(const FileCase& file_case, const Box& box, index_t first_byte);

/// Writes the dataset "x", contiguous, with elements 0 to 255, and returns the offset of its first byte.
index_t write_input(const std::string& path, const FileCase& file_case);

}  // namespace parconv::bench
