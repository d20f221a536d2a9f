// SPDX-License-Identifier: Apache-2.0
// Kernels of the same part of a filter hold the same packed weights, and others do not.
#include <gtest/gtest.h>

#include "compute/local_op_case.hpp"
#include "compute/onednn/onednn_backend.hpp"
#include "support/compare.hpp"
#include "support/random.hpp"

namespace parconv::test {
namespace {

using ::parconv::test::Random;
using ::parconv::test::same_bits;

constexpr index_t channels = 32;

Filter filter_3x3(std::uint64_t seed) {
  return make_filter(channels, channels, {1, 3, 3}, Random(seed).small_integers(channels * channels * 9, -2, 2));
}

/// Counts the reads.
struct CountingReader {
  int calls = 0;
  FilterReader read = [this](const Filter& filter, const FilterBox& box) {
    ++calls;
    return read_values(filter, box);
  };
};

OperandLayout dense(const Extents& extents) { return layout_within(Box::whole(extents), Box::whole(extents)); }

/// A 3x3 convolution with padding along w that computes `rows` rows of output channels `oc`.
LocalOp conv_of(const Filter& filter, index_t rows, Interval oc = {0, channels}) {
  ChannelBlock block = whole_block(filter);
  block.filter.oc = oc;
  block.dst = {0, oc.size()};
  const WindowAxis across{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  return {.kind = LocalConv{.window = make_window({}, {.kernel = 3}, across), .blocks = {block}, .filter = filter},
          .srcs = {dense({{1, channels, 1, rows + 2, 14}})},
          .dst = dense({{1, oc.size(), 1, rows, 14}})};
}

std::vector<float> result_of(Kernel& kernel, const LocalOp& op) {
  HostTensor src(Box::whole(op.srcs.front().extents)), dst(Box::whole(op.dst.extents));
  const std::vector<float> values = Random(9).small_integers(volume(src.box()), -2, 2);
  std::copy(values.begin(), values.end(), reinterpret_cast<float*>(src.view().data));
  AlignedBytes scratch(kernel.scratch_bytes());
  const std::byte* const srcs[] = {src.view().data};
  kernel.execute(srcs, dst.view().data, scratch.data());
  const auto* const first = reinterpret_cast<const float*>(dst.view().data);
  return {first, first + volume(dst.box())};
}

std::vector<float> expected_of(const LocalOp& op) {
  const auto reference = make_reference_backend();
  return result_of(*reference->prepare(op, read_values), op);
}

TEST(OnednnWeights, AreReadOnceForKernelsOfOneBox) {
  const auto backend = make_onednn_backend(1);
  const Filter filter = filter_3x3(1);
  CountingReader reader;
  const LocalOp tall = conv_of(filter, 12), low = conv_of(filter, 3);
  const auto first = backend->prepare(tall, reader.read);
  const auto second = backend->prepare(low, reader.read);
  ASSERT_EQ(first->implementation(), second->implementation());
  EXPECT_EQ(reader.calls, 1);
  EXPECT_GE(first->resident_bytes(), std::size_t{channels * channels * 9 * 4});
  EXPECT_EQ(second->resident_bytes(), 0U);
  EXPECT_TRUE(same_bits(result_of(*first, tall), expected_of(tall)));
  EXPECT_TRUE(same_bits(result_of(*second, low), expected_of(low)));
}

TEST(OnednnWeights, OutliveTheFirstKernelAndTheBackend) {
  auto backend = make_onednn_backend(1);
  CountingReader reader;
  const LocalOp op = conv_of(filter_3x3(2), 4);
  auto first = backend->prepare(op, reader.read);
  const auto second = backend->prepare(op, reader.read);
  first.reset();
  backend.reset();
  EXPECT_EQ(reader.calls, 1);
  EXPECT_TRUE(same_bits(result_of(*second, op), expected_of(op)));
}

TEST(OnednnWeights, AreReadAgainOnceNoKernelHoldsThem) {
  const auto backend = make_onednn_backend(1);
  CountingReader reader;
  const LocalOp op = conv_of(filter_3x3(3), 4);
  const std::size_t once = backend->prepare(op, reader.read)->resident_bytes();
  const auto second = backend->prepare(op, reader.read);
  EXPECT_EQ(reader.calls, 2);
  EXPECT_EQ(second->resident_bytes(), once);
  const Filter& filter = std::get<LocalConv>(op.kind).filter;
  EXPECT_GE(once, static_cast<std::size_t>(filter.oc * filter.ic_per_group * 3 * 3) * sizeof(float));
}

TEST(OnednnWeights, BelongToOneBackend) {
  CountingReader reader;
  const LocalOp op = conv_of(filter_3x3(4), 4);
  const auto one = make_onednn_backend(1)->prepare(op, reader.read);
  const auto other = make_onednn_backend(1)->prepare(op, reader.read);
  EXPECT_EQ(reader.calls, 2);
}

/// Calls that differ from conv_of(filter, 4) in something that changes the weights.
std::vector<LocalOp> others(const Filter& filter) {
  std::vector<LocalOp> result{conv_of(filter_3x3(6), 4), conv_of(filter, 4, {0, 16}), conv_of(filter, 4, {16, 32})};
  Filter scaled = filter, transposed = filter;
  scaled.scale = std::make_shared<const std::vector<float>>(channels, 2.0f);
  std::swap(transposed.strides[0], transposed.strides[1]);
  result.push_back(conv_of(scaled, 4));
  result.push_back(conv_of(transposed, 4));
  return result;
}

TEST(OnednnWeights, OfAnotherPartOrFilterAreNotShared) {
  const auto backend = make_onednn_backend(1);
  const Filter filter = filter_3x3(5);
  CountingReader reader;
  std::vector<std::unique_ptr<Kernel>> kernels;
  kernels.push_back(backend->prepare(conv_of(filter, 4), reader.read));
  for (const LocalOp& op : others(filter)) {
    const int calls = reader.calls;
    kernels.push_back(backend->prepare(op, reader.read));
    EXPECT_EQ(reader.calls, calls + 1) << kernels.size();
    EXPECT_TRUE(same_bits(result_of(*kernels.back(), op), expected_of(op))) << kernels.size();
  }
}

TEST(OnednnWeights, AtOtherFileOffsetsAreDistinct) {
  const auto backend = make_onednn_backend(1);
  CountingReader reader;
  const Filter values = filter_3x3(7);
  const FilterReader read = [&](const Filter&, const FilterBox& box) { return reader.read(values, box); };
  Filter filter = values;
  filter.data = {.file = "weights.bin", .offset_bytes = 64, .count = channels * channels * 9};
  std::vector<std::unique_ptr<Kernel>> kernels;
  kernels.push_back(backend->prepare(conv_of(filter, 4), read));
  kernels.push_back(backend->prepare(conv_of(filter, 8), read));
  EXPECT_EQ(reader.calls, 1);
  filter.data.offset_bytes = 128;
  kernels.push_back(backend->prepare(conv_of(filter, 4), read));
  filter.data.file = "other.bin";
  kernels.push_back(backend->prepare(conv_of(filter, 4), read));
  filter.data.type = DType::F16;
  kernels.push_back(backend->prepare(conv_of(filter, 4), read));
  EXPECT_EQ(reader.calls, 4);
}

TEST(OnednnWeights, WithoutIdentityAreNotShared) {
  const auto backend = make_onednn_backend(1);
  CountingReader reader;
  const Filter values = filter_3x3(8);
  const FilterReader read = [&](const Filter&, const FilterBox& box) { return reader.read(values, box); };
  Filter filter = values;
  filter.data = {};
  const auto first = backend->prepare(conv_of(filter, 4), read);
  const auto second = backend->prepare(conv_of(filter, 4), read);
  EXPECT_EQ(reader.calls, 2);
}

/// New values often reuse the address of old ones.
TEST(OnednnWeights, OfNewValuesAtAnOldAddressAreRead) {
  const auto backend = make_onednn_backend(1);
  CountingReader reader;
  std::vector<std::unique_ptr<Kernel>> kernels;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Filter filter = filter_3x3(seed);
    filter.data.values.reset(new std::vector<float>(*filter.data.values));  // not make_shared: that keeps the address from reuse
    const LocalOp op = conv_of(filter, 4);
    kernels.push_back(backend->prepare(op, reader.read));
    ASSERT_TRUE(same_bits(result_of(*kernels.back(), op), expected_of(op))) << seed;
  }
  EXPECT_EQ(reader.calls, 100);
}

}  // namespace
}  // namespace parconv::test
