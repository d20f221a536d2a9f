// How the samples of an input become steps and micro-batches.
#include <gtest/gtest.h>

#include "parconv/plan/split.hpp"
#include "run_setup.hpp"

namespace parconv::app {
namespace {

struct Row {
  const char* what;
  DataSize input;
  const char* split;
  int ranks;
  index_t asked_batch;
  index_t asked_micro_batch;
  index_t batch;
  index_t micro_batch;
};

constexpr DataSize images{100, 3 * 224 * 224};
constexpr DataSize few{5, 3 * 224 * 224};
constexpr DataSize volumes{4, 512 * 512 * 512};

const Row rows[] = {
    {"8 samples by default", images, "h=4", 4, 0, 0, 8, 8},
    {"all there are", few, "h=4", 4, 0, 0, 5, 5},
    {"one per part of the batch axis", images, "n=16", 16, 0, 0, 16, 16},
    {"auto may split the batch", images, "auto", 32, 0, 0, 32, 32},
    {"auto with few samples", few, "auto", 32, 0, 0, 5, 5},
    {"large samples one by one", volumes, "h=4", 4, 0, 0, 1, 1},
    {"large samples, but one for each part", volumes, "n=2", 2, 0, 0, 2, 2},
    {"a quarter of a stage's share", images, "stages=2", 2, 32, 0, 32, 4},
    {"at least one", images, "stages=4", 4, 0, 0, 8, 1},
    {"stages, one for each part of the batch axis", images, "stages=2,n=2", 4, 0, 0, 8, 2},
    {"as asked", images, "h=4", 4, 6, 2, 6, 2},
    {"no more than there are", few, "h=4", 4, 64, 0, 5, 5},
    {"whole micro-batches of what there is", few, "h=4", 4, 64, 2, 4, 2},
    {"a micro-batch alone", images, "h=4", 4, 0, 3, 6, 3},
    {"a large micro-batch alone", images, "h=4", 4, 0, 16, 16, 16},
};

TEST(Blocks, Table) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const Split split = parse_split(row.split, row.ranks, 2);
    const Blocks blocks =
        choose_blocks({.batch = row.asked_batch, .micro_batch = row.asked_micro_batch}, row.input, split, row.ranks);
    EXPECT_EQ(blocks.samples, row.input.samples);
    EXPECT_EQ(blocks.batch, row.batch);
    EXPECT_EQ(blocks.micro_batch, row.micro_batch);
    EXPECT_EQ(blocks.full_micro_batches() * blocks.micro_batch + blocks.rest(), blocks.samples);
    EXPECT_GE(blocks.micro_batches_per_step(), 1);
  }
}

TEST(Output, FilesOfFurtherOutputs) {
  Network network;
  network.values = {{.name = "y"}, {.name = "a/b c-1"}};
  network.outputs = {0, 1};
  EXPECT_EQ(output_path({.output = "dir.x/out.h5"}, network, 0), "dir.x/out.h5");
  EXPECT_EQ(output_path({.output = "dir.x/out.h5"}, network, 1), "dir.x/out.a_b_c-1.h5");
  EXPECT_EQ(output_path({.output = "out"}, network, 1), "out.a_b_c-1.h5");
}

}  // namespace
}  // namespace parconv::app
