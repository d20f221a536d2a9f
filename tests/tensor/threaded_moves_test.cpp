// SPDX-License-Identifier: Apache-2.0
// Copies and conversions of random tensors by 1 to 4 threads, bit for bit against plain loops over elements.
#include <gtest/gtest.h>

#include <bit>
#include <cstring>

#include "parconv/tensor/convert.hpp"
#include "parconv/tensor/copy.hpp"
#include "parconv/tensor/half.hpp"
#include "parconv/tensor/loops.hpp"
#include "support/random.hpp"

namespace parconv::test {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::array activation_types{DType::F32, DType::F16, DType::BF16};
constexpr std::array input_types{DType::F32, DType::F64, DType::F16, DType::BF16, DType::U8, DType::I8, DType::U16, DType::I16};

template <class Items>
auto any_of(Random& random, const Items& items) {
  return items[static_cast<std::size_t>(random.integer(0, std::ssize(items) - 1))];
}

Bytes random_bytes(Random& random, index_t count) {
  Bytes bytes(static_cast<std::size_t>(count));
  auto state = static_cast<std::uint32_t>(random.integer(1, 1'000'000));
  for (std::byte& byte : bytes) {
    state = state * 1664525 + 1013904223;  // Numerical Recipes, chapter 7
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

/// Small ones, and some that are longer along one axis than any tile.
Extents random_extents(Random& random) {
  Extents extents;
  for (const Axis axis : all_axes) extents[axis] = random.once_in(2) ? 1 : random.integer(1, axis == Axis::C ? 40 : 5);
  if (random.once_in(8)) extents = {{1, random.integer(1, 5), 1, random.integer(1, 2), random.integer(500, 2500)}};
  if (random.once_in(8)) extents = {{1, random.integer(250, 600), 1, 1, random.integer(1, 30)}};
  return extents;
}

/// A tensor in memory: channels last or, sometimes, in any order, with room between its parts.
struct Tensor {
  OperandLayout layout{};
  Bytes memory{};
  index_t first_byte = 0;

  View view() { return {memory.data() + first_byte, layout}; }
  ConstView view() const { return {memory.data() + first_byte, layout}; }
  index_t byte_at(const Extents& index) const {
    index_t elem = 0;
    for (const Axis axis : all_axes) elem += index[axis] * layout.strides[axis];
    return first_byte + elem * static_cast<index_t>(size_of(layout.type));
  }
};

Tensor random_tensor(Random& random, const Extents& extents, DType type) {
  Tensor tensor{.layout = {.extents = extents, .strides = {}, .type = type}};
  std::vector<Axis> order(memory_axes.rbegin(), memory_axes.rend());
  if (random.once_in(5)) random.shuffle(order);
  index_t elems = 1;
  for (const Axis axis : order) {
    tensor.layout.strides[axis] = elems;
    elems *= extents[axis] + (random.once_in(5) ? random.integer(1, 3) : 0);
  }
  const auto bytes = static_cast<index_t>(size_of(type));
  tensor.first_byte = random.integer(0, 3) * bytes;
  tensor.memory = random_bytes(random, tensor.first_byte + elems * bytes);
  return tensor;
}

/// Calls visit(index) with w fastest and n slowest, or with `order` from slowest to fastest.
template <class Visit>
void for_each_index(const Extents& extents, std::span<const Axis> order, Visit&& visit) {
  Extents index;
  for (index_t k = 0; k < volume(extents); ++k) {
    index_t rest = k;
    for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
      index[*axis] = rest % extents[*axis];
      rest /= extents[*axis];
    }
    visit(index);
  }
}

ThreadShare random_share(Random& random) { return {.count = static_cast<int>(random.integer(1, 4)), .least_elems = 1}; }

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

float number_at(const std::byte* at, DType type) {
  switch (type) {
    case DType::F32:
      return load<float>(at);
    case DType::F64:
      return static_cast<float>(load<double>(at));
    case DType::F16:
      return float_from_half(load<std::uint16_t>(at));
    case DType::BF16:
      return float_from_bfloat16(load<std::uint16_t>(at));
    case DType::U8:
      return load<std::uint8_t>(at);
    case DType::I8:
      return load<std::int8_t>(at);
    case DType::U16:
      return load<std::uint16_t>(at);
    default:
      return load<std::int16_t>(at);
  }
}

void put(float number, DType type, std::byte* at) {
  if (type == DType::F32) return void(std::memcpy(at, &number, sizeof(number)));
  const std::uint16_t bits = type == DType::F16 ? half_from_float(number) : bfloat16_from_float(number);
  std::memcpy(at, &bits, sizeof(bits));
}

std::vector<float> random_factors(Random& random, index_t channels) {
  return random.once_in(2) ? std::vector<float>{} : random.reals(channels, 0.5F, 3);
}

/// Any bits, but no f64 beyond the range of f32, whose conversion is undefined.
Bytes random_numbers(Random& random, index_t count, DType type) {
  Bytes bytes = random_bytes(random, count * static_cast<index_t>(size_of(type)));
  for (index_t k = 0; type == DType::F64 && k < count; ++k) {
    const double number = random.real(-1e6F, 1e6F);
    std::memcpy(bytes.data() + k * 8, &number, 8);
  }
  return bytes;
}

TEST(ThreadedMoves, FromOnnxOrderEqualsSingleElements) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const Extents extents = random_extents(random);
    const DType src_type = any_of(random, input_types);
    const Bytes src = random_numbers(random, volume(extents), src_type);
    Tensor dst = random_tensor(random, extents, any_of(random, activation_types)), expected = dst;
    InputScaling scaling;
    if (random.once_in(3))
      scaling = {.scale = random.real(0.5F, 2),
                 .mean = random_factors(random, extents[Axis::C]),
                 .std = random_factors(random, extents[Axis::C])};
    const std::byte* from = src.data();
    for_each_index(extents, all_axes, [&](const Extents& index) {
      const auto c = static_cast<std::size_t>(index[Axis::C]);
      float number = number_at(from, src_type);
      if (scaling != InputScaling{})
        number =
            (number * scaling.scale - (scaling.mean.empty() ? 0 : scaling.mean[c])) / (scaling.std.empty() ? 1 : scaling.std[c]);
      put(number, dst.layout.type, expected.memory.data() + expected.byte_at(index));
      from += size_of(src_type);
    });
    const Caching caching = random.once_in(2) ? Caching::Bypassed : Caching::Kept;
    from_onnx_order(src, src_type, dst.view(), scaling, {.threads = random_share(random), .caching = caching});
    ASSERT_EQ(dst.memory, expected.memory) << round << ": " << name_of(src_type) << " to " << name_of(dst.layout.type) << " "
                                           << extents;
  }
}

TEST(ThreadedMoves, ToOnnxOrderEqualsSingleElements) {
  Random random(2);
  for (int round = 0; round < 200; ++round) {
    const Extents extents = random_extents(random);
    const Tensor src = random_tensor(random, extents, any_of(random, activation_types));
    std::vector<std::uint32_t> expected;
    for_each_index(extents, all_axes, [&](const Extents& index) {
      expected.push_back(std::bit_cast<std::uint32_t>(number_at(src.memory.data() + src.byte_at(index), src.layout.type)));
    });
    std::vector<float> dst(expected.size());
    to_onnx_order(src.view(), dst, random_share(random));
    std::vector<std::uint32_t> found(expected.size());
    std::memcpy(found.data(), dst.data(), dst.size() * sizeof(float));
    ASSERT_EQ(found, expected) << round << ": " << name_of(src.layout.type) << " " << extents;
  }
}

TEST(ThreadedMoves, ConvertEqualsSingleElements) {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    const Extents extents = random_extents(random);
    const DType half = random.once_in(2) ? DType::F16 : DType::BF16;
    const bool widens = random.once_in(2);
    const Tensor src = random_tensor(random, extents, widens ? half : DType::F32);
    Tensor dst = random_tensor(random, extents, widens ? DType::F32 : half), expected = dst;
    for_each_index(extents, all_axes, [&](const Extents& index) {
      put(number_at(src.memory.data() + src.byte_at(index), src.layout.type), dst.layout.type,
          expected.memory.data() + expected.byte_at(index));
    });
    convert(src.view(), dst.view(), random_share(random));
    ASSERT_EQ(dst.memory, expected.memory) << round << ": " << name_of(half) << " " << extents;
  }
}

TEST(ThreadedMoves, CopyPackAndUnpackEqualSingleElements) {
  Random random(4);
  constexpr std::array types{DType::U8, DType::F16, DType::F32, DType::F64, DType::Accumulator};
  for (int round = 0; round < 200; ++round) {
    const Extents extents = random_extents(random);
    const DType type = any_of(random, types);
    const Tensor src = random_tensor(random, extents, type);
    Tensor dst = random_tensor(random, extents, type), expected = dst, unpacked = dst;
    Bytes expected_packed;
    for_each_index(extents, memory_axes, [&](const Extents& index) {
      const std::byte* const element = src.memory.data() + src.byte_at(index);
      std::memcpy(expected.memory.data() + expected.byte_at(index), element, size_of(type));
      expected_packed.insert(expected_packed.end(), element, element + size_of(type));
    });
    Bytes packed(expected_packed.size());
    copy(src.view(), dst.view(), random_share(random));
    pack(src.view(), packed.data(), random_share(random));
    unpack(packed.data(), unpacked.view(), random_share(random));
    ASSERT_EQ(dst.memory, expected.memory) << round << ": " << name_of(type) << " " << extents;
    ASSERT_EQ(packed, expected_packed) << round << ": " << name_of(type) << " " << extents;
    ASSERT_EQ(unpacked.memory, expected.memory) << round << ": " << name_of(type) << " " << extents;
  }
}

using Offsets = std::vector<std::pair<index_t, index_t>>;

TEST(LoopNest, PartsOfTheIterationsMakeTheWhole) {
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    std::array<Loop, num_axes> loops;
    for (Loop& loop : loops) loop = {random.integer(1, 4), random.integer(0, 50), random.integer(0, 50)};
    const LoopNest nest(loops);
    Offsets whole, parts;
    nest.for_each([&](index_t src, index_t dst) { whole.emplace_back(src, dst); });
    ASSERT_EQ(nest.count(), std::ssize(whole));
    const auto threads = static_cast<int>(random.integer(1, 5));
    for (int thread = 0; thread < threads; ++thread)
      nest.for_each(equal_part(nest.count(), thread, threads), [&](index_t src, index_t dst) { parts.emplace_back(src, dst); });
    ASSERT_EQ(parts, whole);
  }
}

TEST(Threads, AreUsedFromTheLeastElementsOn) {
  const ThreadShare threads{.count = 4, .least_elems = 100};
  EXPECT_EQ(threads_for(8, 99, threads), 1);
  EXPECT_EQ(threads_for(8, 100, threads), 4);
  EXPECT_EQ(threads_for(3, 100, threads), 3) << "one a unit";
  EXPECT_EQ(threads_for(0, 100, threads), 1);
}

}  // namespace
}  // namespace parconv::test
