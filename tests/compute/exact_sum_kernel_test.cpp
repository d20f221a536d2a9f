// SPDX-License-Identifier: Apache-2.0
// Sums of parts as accumulators, and their reduction: whatever the cut, the bits are those of one sum, in every backend and in
// the functions of GPUs.
#include <gtest/gtest.h>

#include <cmath>

#include "compute/elements/host_executor.hpp"
#include "compute/local_op_run.hpp"
#include "parconv/tensor/convert.hpp"
#include "parconv/tensor/exact_sum.hpp"

namespace parconv::test {
namespace {

using Bytes = std::vector<std::byte>;
using MakeKernel = std::function<std::unique_ptr<Kernel>(const LocalOp&)>;

OperandLayout dense(const Extents& extents, DType type) { return layout_within(Box::whole(extents), Box::whole(extents), type); }

Bytes result_of(const MakeKernel& make, const LocalOp& op, const std::vector<const std::byte*>& srcs) {
  Bytes dst(static_cast<std::size_t>(volume(op.dst.extents)) * size_of(op.dst.type), std::byte{0xC1});
  const std::unique_ptr<Kernel> kernel = make(op);
  Scratch scratch(*kernel);
  kernel->execute(srcs, dst.data(), scratch.data());
  return dst;
}

std::vector<std::pair<std::string, MakeKernel>> all_backends() {
  const auto of = [](std::shared_ptr<Backend> backend) {
    return [backend](const LocalOp& op) { return backend->prepare(op, {}); };
  };
  return {{"reference", of(make_reference_backend())},
          {"cpu", of(make_backend({.name = "cpu"}))},
          {"elements", [](const LocalOp& op) { return element::make_element_kernel(op, HostExecutor{}); }}};
}

/// A sum of `src` over `axes`, cut at random along every axis of the source that is reduced.
struct SumCase {
  Extents extents{};
  std::array<bool, num_axes> axes{};
  DType type = DType::F32;
  Bytes src{};
  std::vector<Box> parts{};

  Extents reduced() const {
    Extents result = extents;
    for (Axis axis : all_axes)
      if (axes[static_cast<std::size_t>(axis)]) result[axis] = 1;
    return result;
  }
};

/// Cuts `box` along a marked axis, some of the halves again.
void cut(Random& random, const SumCase& sum, const Box& box, std::vector<Box>& parts) {
  const Axis axis = all_axes[static_cast<std::size_t>(random.integer(0, num_axes - 1))];
  const bool can_cut = sum.axes[static_cast<std::size_t>(axis)] && box[axis].size() > 1;
  if (!can_cut || std::ssize(parts) > 40 || random.once_in(6)) return parts.push_back(box);
  const index_t middle = random.integer(box[axis].lo + 1, box[axis].hi - 1);
  cut(random, sum, box.with(axis, {box[axis].lo, middle}), parts);
  cut(random, sum, box.with(axis, {middle, box[axis].hi}), parts);
}

/// Numbers within 2^+-spread, of which about half cancel.
std::vector<float> numbers(Random& random, index_t count, int spread) {
  std::vector<float> result = random.reals(count);
  for (float& number : result) number = std::ldexp(number, static_cast<int>(random.integer(-spread, spread)));
  for (std::size_t k = 0; k + 1 < result.size(); k += 2)
    if (random.once_in(2)) result[k + 1] = -result[k];
  if (random.once_in(20)) result.front() = std::numeric_limits<float>::infinity();
  return result;
}

SumCase random_case(Random& random) {
  SumCase sum{.extents = {{random.integer(1, 3), random.integer(1, 20), random.integer(1, 4), random.integer(1, 8),
                           random.once_in(5) ? random.integer(200, 600) : random.integer(1, 12)}},
              .type = random.once_in(3) ? DType::BF16 : DType::F32};
  for (bool& is_marked : sum.axes) is_marked = random.once_in(2);
  const int spreads[]{2, 12, 30, 120};
  const std::vector<float> values = numbers(random, volume(sum.extents), spreads[random.integer(0, 3)]);
  sum.src.resize(values.size() * size_of(sum.type));
  convert({reinterpret_cast<const std::byte*>(values.data()), dense(sum.extents, DType::F32)},
          {sum.src.data(), dense(sum.extents, sum.type)});
  cut(random, sum, Box::whole(sum.extents), sum.parts);
  return sum;
}

Bytes sum_in_parts(const SumCase& sum, const MakeKernel& make, index_t count, std::vector<Bytes>& accumulators) {
  const Box whole = Box::whole(sum.extents);
  LocalOp combine{.kind = LocalReduceParts{.count = count}, .dst = dense(sum.reduced(), DType::F32)};
  std::vector<const std::byte*> parts;
  accumulators.clear();
  for (const Box& part : sum.parts) {
    const LocalOp op{.kind = LocalReduce{.axes = sum.axes, .count = count},
                     .srcs = {layout_within(part, whole, sum.type)},
                     .dst = dense(sum.reduced(), DType::Accumulator)};
    const index_t first = offset_within(part, whole) * static_cast<index_t>(size_of(sum.type));
    accumulators.push_back(result_of(make, op, {sum.src.data() + first}));
    combine.srcs.push_back(op.dst);
  }
  for (const Bytes& each : accumulators) parts.push_back(each.data());
  return result_of(make, combine, parts);
}

TEST(ExactSums, HaveTheSameBitsInPartsAndInEveryBackend) {
  Random random(5);
  const auto backends = all_backends();
  int most_parts = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const SumCase sum = random_case(random);
    const index_t count = random.integer(1, 9);
    most_parts = std::max(most_parts, static_cast<int>(sum.parts.size()));
    const LocalOp op{.kind = LocalReduce{.axes = sum.axes, .count = count},
                     .srcs = {dense(sum.extents, sum.type)},
                     .dst = dense(sum.reduced(), DType::F32)};
    const Bytes expected = result_of(backends.front().second, op, {sum.src.data()});
    std::vector<Bytes> expected_accumulators, accumulators;
    for (const auto& [name, make] : backends) {
      ASSERT_EQ(result_of(make, op, {sum.src.data()}), expected) << name << ", trial " << trial;
      ASSERT_EQ(sum_in_parts(sum, make, count, accumulators), expected) << name << " in parts, trial " << trial;
      if (expected_accumulators.empty()) expected_accumulators = accumulators;
      ASSERT_EQ(accumulators, expected_accumulators) << name << ", trial " << trial;
    }
  }
  EXPECT_GT(most_parts, 32) << "more than one call of an element function takes";
}

TEST(ExactSums, OfManyOnesAreTheirNumber) {
  constexpr index_t count = 20'000'000;
  const std::vector<float> ones(static_cast<std::size_t>(count), 1.0F);
  const LocalOp op{.kind = LocalReduce{.axes = {false, false, false, true, true}},
                   .srcs = {dense({{1, 1, 1, 2, count / 2}}, DType::F32)},
                   .dst = dense({{1, 1, 1, 1, 1}}, DType::F32)};
  const Bytes sum = result_of(all_backends()[1].second, op, {reinterpret_cast<const std::byte*>(ones.data())});
  EXPECT_EQ(*reinterpret_cast<const float*>(sum.data()), static_cast<float>(count));
}

TEST(ExactSums, AccumulatorsBelongToSumsOnly) {
  const OperandLayout one = dense({{1, 1, 1, 1, 1}}, DType::F32), sum = dense({{1, 1, 1, 1, 1}}, DType::Accumulator);
  for (const auto& [name, make] : all_backends()) {
    const auto refuses = [&](const LocalOp& op) {
      try {
        make(op);
        return false;
      } catch (const std::exception&) {
        return true;
      }
    };
    EXPECT_TRUE(refuses({.kind = LocalCopy{}, .srcs = {sum}, .dst = sum})) << name;
    EXPECT_TRUE(refuses({.kind = LocalReduceParts{}, .srcs = {one}, .dst = one})) << name;
    EXPECT_TRUE(refuses({.kind = LocalReduceParts{.kind = ReduceKind::Max}, .srcs = {sum}, .dst = one})) << name;
    EXPECT_TRUE(refuses({.kind = LocalReduce{.kind = ReduceKind::Max}, .srcs = {one}, .dst = sum})) << name;
  }
}

}  // namespace
}  // namespace parconv::test
