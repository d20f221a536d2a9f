// SPDX-License-Identifier: Apache-2.0
// A temporary folder shared by all ranks of a test, and the output that they write there.
#pragma once

#include <optional>
#include <string>

#include "io/hdf5/hdf5_test_files.hpp"
#include "parconv/geometry/cuts.hpp"
#include "parconv/io/hdf5/hdf5_sink.hpp"
#include "support/mpi_test.hpp"

namespace parconv::test {

/// Created and removed by rank 0. Construction and destruction are collective.
class SharedFolder {
 public:
  SharedFolder() {
    if (rank() == 0) owned_.emplace();
    path_ = control().broadcast(owned_ ? *owned_ / "" : "");
  }
  ~SharedFolder() { control().barrier(); }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + name; }

 private:
  std::optional<TemporaryFolder> owned_{};
  std::string path_{};
};

/// Value of an element in output tests: its linear ONNX index, exact below 2^24.
inline float linear_index(const Extents& index, const Extents& extents) {
  index_t place = 0;
  for (Axis axis : all_axes) place = place * extents[axis] + index[axis];
  return static_cast<float>(place % (index_t{1} << 24));
}

/// This rank's part of a tensor cut along `axis` at multiples of `grain`.
inline Box part_of_rank(const Extents& extents, Axis axis, index_t grain) {
  const Cuts cuts = block_cuts(extents[axis], num_ranks(), grain);
  const auto k = static_cast<std::size_t>(rank());
  return Box::whole(extents).with(axis, {cuts[k], cuts[k + 1]});
}

/// Writes every element of `box` as its linear index in the output.
inline void write_indices(Hdf5Sink& sink, const Box& box) {
  DenseBlock block(box);
  for_each_index(block.extents, [&](const Extents& local) {
    Extents index = local;
    for (Axis axis : all_axes) index[axis] += box[axis].lo;
    block.at(local) = linear_index(index, sink.extents());
  });
  sink.write(box, block.view());
}

}  // namespace parconv::test
