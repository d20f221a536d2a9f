// SPDX-License-Identifier: Apache-2.0
// Division of samples into batches and micro-batches.
#include <gtest/gtest.h>

#include <set>

#include "parconv/core/error.hpp"
#include "parconv/plan/split.hpp"
#include "parconv/session/numerics.hpp"
#include "parconv/session/setup.hpp"

namespace parconv::test {
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
    {"a quarter of a stage's samples", images, "stages=2", 2, 32, 0, 32, 4},
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
    const SplitRequest split = parse_split(row.split, row.ranks, 2);
    const Blocks blocks =
        choose_blocks({.batch = row.asked_batch, .micro_batch = row.asked_micro_batch}, row.input, split, row.ranks);
    EXPECT_EQ(blocks.samples, row.input.samples);
    EXPECT_EQ(blocks.batch, row.batch);
    EXPECT_EQ(blocks.micro_batch, row.micro_batch);
    EXPECT_EQ(blocks.full_micro_batches() * blocks.micro_batch + blocks.rest(), blocks.samples);
    EXPECT_EQ(blocks.batch % blocks.micro_batch, 0);
  }
}

TEST(Blocks, ProgressIsReportedInWholeBatches) {
  const Blocks blocks{.samples = 21, .batch = 8, .micro_batch = 4};
  const std::pair<index_t, index_t> rows_of_done[] = {{0, 0}, {4, 0}, {8, 8}, {12, 8}, {20, 16}, {21, 21}};
  for (const auto& [done, expected] : rows_of_done) EXPECT_EQ(blocks.whole_batches(done), expected) << done;
}

TEST(Precision, FollowsFromTheType) {
  EXPECT_EQ(precision_of(Request{}.numerics).activations, DType::F32);
  EXPECT_EQ(precision_of(Numerics::BF16).activations, DType::BF16);
  EXPECT_EQ(precision_of(Numerics::F16).activations, DType::F16);
  EXPECT_EQ(precision_of(Numerics::Tf32).activations, DType::F32);
  for (const Numerics numerics : {Numerics::F32, Numerics::BF16, Numerics::F16})
    EXPECT_EQ(precision_of(numerics).products, F32Products::Whole);
  EXPECT_EQ(precision_of(Numerics::Tf32).products, F32Products::Tf32);
}

TEST(Precision, SomeTypesAreForGpus) {
  const DevicePlacement gpu{.device = DeviceKind::Gpu};
  const DevicePlacement cpu{.device = DeviceKind::Cpu, .note = "rank 1 has no GPU"};
  for (const auto& each : Choices<Numerics>::names) EXPECT_NO_THROW(require_available(each.value, gpu));
  for (const Numerics numerics : {Numerics::F32, Numerics::BF16, Numerics::F16})
    EXPECT_NO_THROW(require_available(numerics, cpu));
  try {
    require_available(Numerics::Tf32, cpu);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Unavailable);
    EXPECT_EQ(std::string(error.what()), "--dtype tf32 is for GPUs, but the job computes on CPUs: rank 1 has no GPU");
  }
}

/// A tolerance has to accept the roundings of its type, and to detect a wrong element.
TEST(Precision, BoundsFollowTheStepsOfTheTypes) {
  const auto allowed = [](Numerics numerics) { return allowed_difference(precision_of(numerics)); };
  EXPECT_EQ(allowed(Numerics::F32), 1e-4);
  EXPECT_EQ(allowed(Numerics::BF16), 4 * 0x1p-7);
  EXPECT_EQ(allowed(Numerics::F16), 4 * 0x1p-10);
  EXPECT_GT(allowed(Numerics::Tf32), 4 * 0.0061) << "of the 55 layers of a ResNet-50, and room for deeper networks";
  EXPECT_LE(allowed(Numerics::Tf32), 0x1p-5);
}

TEST(Choices, EveryValueHasOneNameAndBack) {
  EXPECT_EQ(choice_named<TransportChoice>("staged"), TransportChoice::Staged);
  EXPECT_EQ(choice_named<GraphUse>("maybe"), std::nullopt);
  EXPECT_EQ(choice_named<LeafRule>("0"), std::nullopt);
  for (const auto& each : Choices<TransportChoice>::names)
    EXPECT_EQ(choice_named<TransportChoice>(choice_name(each.value)), each.value);
}

TEST(Output, FilesOfFurtherOutputs) {
  Network network;
  network.values = {{.name = "y"}, {.name = "a/b c-1"}};
  network.outputs = {0, 1};
  EXPECT_EQ(output_path("dir.x/out.h5", network, 0), "dir.x/out.h5");
  EXPECT_EQ(output_path("dir.x/out.h5", network, 1), "dir.x/out.a_b_c-1.h5");
  EXPECT_EQ(output_path("out", network, 1), "out.a_b_c-1.h5");
}

TEST(Output, FilesOfOutputsWithLikeNamesDiffer) {
  Network network;
  network.values = {{.name = "y"}, {.name = "a/b"}, {.name = "a_b"}, {.name = "a_b.2"}, {.name = "a b"}};
  network.outputs = {0, 1, 2, 3, 4};
  std::set<std::string> paths;
  for (std::size_t k = 0; k < network.outputs.size(); ++k) paths.insert(output_path("out.h5", network, k));
  EXPECT_EQ(paths.size(), network.outputs.size());
}

}  // namespace
}  // namespace parconv::test
