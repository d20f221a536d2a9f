// SPDX-License-Identifier: Apache-2.0
// Storage blocks of outputs, and their order in memory.
#include <gtest/gtest.h>

#include "io/hdf5/hdf5_test_files.hpp"
#include "parconv/io/hdf5/hdf5_sink.hpp"
#include "parconv/io/hdf5/hdf5_source.hpp"
#include "parconv/io/memory_sink.hpp"
#include "parconv/io/memory_source.hpp"
#include "support/random.hpp"

namespace parconv {
namespace {

struct Row {
  Extents extents;
  int ndims;
  Extents chunk;
};

TEST(OutputChunk, FollowsTheRule) {
  const std::vector<Row> rows{{{{8, 1000, 1, 1, 1}}, 2, {{1, 1000, 1, 1, 1}}},          // small: one sample
                              {{{8, 64, 1, 56, 56}}, 4, {{1, 64, 1, 56, 56}}},          // 0.8 MiB
                              {{{1, 16, 1, 1024, 1024}}, 4, {{1, 16, 1, 16, 1024}}},    // 64 MiB: 1 MiB each
                              {{{1, 64, 1, 4096, 4096}}, 4, {{1, 64, 1, 16, 4096}}},    // 4 GiB: 16 MiB each
                              {{{1, 16, 1, 1000, 1024}}, 4, {{1, 16, 1, 16, 1024}}},    // 62.5 parts of 16 rows
                              {{{1, 1, 1, 30000, 30000}}, 4, {{1, 1, 1, 139, 30000}}},  // 3.4 GiB
                              {{{1, 2048, 1, 64, 4096}}, 4, {{1, 1024, 1, 1, 4096}}},   // a row of 32 MiB: half the channels
                              {{{1, 1, 256, 256, 256}}, 5, {{1, 1, 4, 256, 256}}},      // 64 MiB of slices of 256 KiB
                              {{{1, 32, 512, 512, 512}}, 5, {{1, 16, 1, 512, 512}}},    // a slice of 32 MiB
                              {{{1, 1, 16, 4096, 4096}}, 5, {{1, 1, 1, 1024, 4096}}},   // a slice of 64 MiB
                              {{{1, 2, 1, 1 << 24, 1}}, 3, {{1, 2, 1, 262144, 1}}},     // 1-D
                              {{{1, 1, 1, 4, 1 << 24}}, 4, {{1, 1, 1, 1, 1 << 22}}},    // a row of 64 MiB
                              {{{1, 1 << 24, 1, 1, 1}}, 2, {{1, 262144, 1, 1, 1}}}};    // 64 MiB of channels
  for (const Row& row : rows) EXPECT_EQ(output_chunk(row.extents, row.ndims), row.chunk) << row.extents;
}

TEST(OutputChunk, HasOneTo16MiBUnlessTheSampleIsSmaller) {
  test::Random random(11);
  for (int trial = 0; trial < 2000; ++trial) {
    const int ndims = static_cast<int>(random.integer(2, 5));
    Extents extents{{random.integer(1, 3), index_t{1} << random.integer(0, 11), 1, 1, 1}};
    if (ndims == 5) extents[Axis::D] = random.integer(1, 600);
    if (ndims >= 3) extents[Axis::H] = random.integer(1, 6000);
    if (ndims >= 4) extents[Axis::W] = random.integer(1, 6000);
    const Extents chunk = output_chunk(extents, ndims);
    const index_t sample_bytes = volume(extents) / extents[Axis::N] * 4;
    const index_t chunk_bytes = volume(chunk) * 4;
    EXPECT_EQ(chunk[Axis::N], 1);
    EXPECT_LE(chunk_bytes, 16 << 20) << extents;
    // Equal parts of whole rows may halve the block size.
    EXPECT_GE(chunk_bytes, std::min<index_t>(sample_bytes, 1 << 19)) << extents << " in " << chunk;
    for (Axis axis : all_axes) EXPECT_TRUE(chunk[axis] >= 1 && chunk[axis] <= extents[axis]) << extents << " in " << chunk;
  }
}

HostTensor counting_tensor(const Extents& extents) {
  HostTensor tensor(Box::whole(extents));
  float next = 0;
  test::for_each_index(extents,
                       [&](const Extents& i) { tensor.at(i[Axis::N], i[Axis::C], i[Axis::D], i[Axis::H], i[Axis::W]) = next++; });
  return tensor;
}

TEST(MemoryData, IsReadAndWrittenByBoxes) {
  const Extents extents{{2, 3, 1, 4, 5}};
  const HostTensor tensor = counting_tensor(extents);
  MemorySource source(tensor, 4);
  MemorySink sink(extents);
  EXPECT_EQ(source.extents(), extents);
  EXPECT_EQ(source.ndims(), 4);
  EXPECT_EQ(sink.chunk(), (Extents{{1, 3, 1, 4, 5}}));
  for (const Interval rows : {Interval{0, 1}, Interval{1, 1}, Interval{1, 4}}) {
    const Box box = Box::whole(extents).with(Axis::H, rows);
    test::DenseBlock block(box);
    source.read(box, block.view());
    sink.write(box, block.view());
  }
  test::for_each_index(extents, [&](const Extents& i) {
    const auto at = [&](const HostTensor& of) { return of.at(i[Axis::N], i[Axis::C], i[Axis::D], i[Axis::H], i[Axis::W]); };
    EXPECT_EQ(at(sink.tensor()), at(tensor));
  });
  EXPECT_THROW(source.read(Box::whole(extents).with(Axis::W, {0, 6}), {}), Bug);
}

}  // namespace
}  // namespace parconv
