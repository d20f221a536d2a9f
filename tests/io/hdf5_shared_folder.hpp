// A temporary folder that all ranks of a test see, and what they write there.
#pragma once

#include <optional>
#include <string>

#include "io/hdf5_test_files.hpp"
#include "parconv/geometry/cuts.hpp"
#include "parconv/io/hdf5_sink.hpp"
#include "support/mpi_test.hpp"

namespace parconv::test {

/// Made and removed by rank 0; both ends are collective.
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

/// The value of an element in tests of outputs: its place in ONNX order, exact below 2^24.
inline float place_of(const Extents& index, const Extents& extents) {
  index_t place = 0;
  for (Axis axis : all_axes) place = place * extents[axis] + index[axis];
  return static_cast<float>(place % (index_t{1} << 24));
}

/// This rank's part of a tensor that is cut along `axis` into multiples of `grain`.
inline Box part_of_rank(const Extents& extents, Axis axis, index_t grain) {
  const Cuts cuts = block_cuts(extents[axis], num_ranks(), grain);
  const auto k = static_cast<std::size_t>(rank());
  return Box::whole(extents).with(axis, {cuts[k], cuts[k + 1]});
}

inline void write_places(Hdf5Sink& sink, const Box& box) {
  DenseBlock block(box);
  for_each_index(block.extents, [&](const Extents& local) {
    Extents index = local;
    for (Axis axis : all_axes) index[axis] += box[axis].lo;
    block.at(local) = place_of(index, sink.extents());
  });
  sink.write(box, block.view());
}

}  // namespace parconv::test
