// SPDX-License-Identifier: Apache-2.0
// Runs LocalOps on generated operands, for tests of backends.
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "parconv/compute/backend.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/local_op.hpp"
#include "support/random.hpp"

namespace parconv::test {

/// An operand in a buffer of its own, which may be larger.
struct TestOperand {
  OperandLayout layout{};
  index_t first = 0;  ///< index of the operand's first element in `memory`
  std::vector<float> memory{};

  std::byte* data() { return reinterpret_cast<std::byte*>(memory.data() + first); }
};

/// A box of these extents inside a buffer that is larger by `margins` at both ends of each axis.
inline TestOperand make_operand(const Extents& extents, const Extents& margins = {{0, 0, 0, 0, 0}}) {
  Box outer;
  for (Axis axis : all_axes) outer[axis] = {-margins[axis], extents[axis] + margins[axis]};
  const Box inner = Box::whole(extents);
  return {.layout = layout_within(inner, outer),
          .first = offset_within(inner, outer),
          .memory = std::vector<float>(static_cast<std::size_t>(volume(outer)), 1.0F)};
}

/// A call with all of its data. `filter` holds the elements that Filter::strides index.
struct TestCall {
  LocalOp op{};
  std::vector<TestOperand> srcs{};
  TestOperand dst{};
  std::vector<float> filter{};

  /// Sets the operand layouts of `op`.
  void seal() {
    op.srcs.clear();
    for (const TestOperand& src : srcs) op.srcs.push_back(src.layout);
    op.dst = dst.layout;
  }
};

/// Reads boxes of a filter that is in memory.
inline FilterReader reader_of(const std::vector<float>& elements) {
  return [&elements](const Filter& filter, const FilterBox& box) {
    std::vector<float> values;
    const auto& s = filter.strides;
    for (index_t o = box.oc.lo; o < box.oc.hi; ++o)
      for (index_t i = box.ic.lo; i < box.ic.hi; ++i)
        for (index_t d = box.kernel[0].lo; d < box.kernel[0].hi; ++d)
          for (index_t h = box.kernel[1].lo; h < box.kernel[1].hi; ++h)
            for (index_t w = box.kernel[2].lo; w < box.kernel[2].hi; ++w)
              values.push_back(elements[static_cast<std::size_t>(o * s[0] + i * s[1] + d * s[2] + h * s[3] + w * s[4])]);
    return values;
  };
}

/// 64-byte aligned scratch memory for a kernel.
class Scratch {
 public:
  explicit Scratch(const Kernel& kernel) : memory_(kernel.scratch_bytes() + 64, std::byte{0xC1}) {}

  std::byte* data() {
    void* begin = memory_.data();
    std::size_t room = memory_.size();
    return static_cast<std::byte*>(std::align(64, memory_.size() - 64, begin, room));
  }

 private:
  std::vector<std::byte> memory_;
};

inline std::vector<const std::byte*> pointers_of(std::vector<TestOperand>& srcs) {
  std::vector<const std::byte*> pointers;
  for (TestOperand& src : srcs) pointers.push_back(src.data());
  return pointers;
}

/// The whole buffer of dst after one execution, so that writes outside the operand are detected.
inline std::vector<float> run(Kernel& kernel, TestCall& call) {
  TestOperand dst = call.dst;
  Scratch scratch(kernel);
  kernel.execute(pointers_of(call.srcs), dst.data(), scratch.data());
  return dst.memory;
}

inline std::vector<float> run(Backend& backend, TestCall& call) {
  return run(*backend.prepare(call.op, reader_of(call.filter)), call);
}

enum class Numbers { SmallIntegers, Reals };

inline std::vector<float> draw(Random& random, index_t count, Numbers numbers) {
  return numbers == Numbers::Reals ? random.reals(count) : random.small_integers(count, -2, 2);
}

inline void fill(Random& random, TestOperand& operand, Numbers numbers) {
  operand.memory = draw(random, std::ssize(operand.memory), numbers);
}

}  // namespace parconv::test
