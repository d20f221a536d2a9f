// SPDX-License-Identifier: Apache-2.0
// Calls with operand types other than f32.
#pragma once

#include "compute/local_op_run.hpp"
#include "parconv/tensor/elements.hpp"

namespace parconv::test {

/// The elements of an operand's buffer, of `type`.
struct TypedOperand {
  OperandLayout layout{};
  std::size_t first_bytes = 0;
  AlignedBytes memory{};

  TypedOperand(const TestOperand& operand, DType type)
      : layout(operand.layout),
        first_bytes(static_cast<std::size_t>(operand.first) * size_of(type)),
        memory(operand.memory.size() * size_of(type)) {
    layout.type = type;
    for (std::size_t k = 0; k < operand.memory.size(); ++k)
      store_dense<1>({.data = memory.data(), .type = type}, static_cast<index_t>(k), ChannelVector<1>{{operand.memory[k]}});
  }

  std::byte* data() { return memory.data() + first_bytes; }

  /// All elements as f32.
  std::vector<float> values() const {
    std::vector<float> result(memory.size() / size_of(layout.type));
    for (std::size_t k = 0; k < result.size(); ++k)
      result[k] = load_one({.data = memory.data(), .type = layout.type}, static_cast<index_t>(k));
    return result;
  }
};

/// A TestCall with separate types of sources and result.
class TypedCall {
 public:
  TypedCall(const TestCall& call, DType src_type, DType dst_type) : op(call.op), dst_(call.dst, dst_type) {
    for (std::size_t k = 0; k < call.srcs.size(); ++k) {
      srcs_.emplace_back(call.srcs[k], src_type);
      op.srcs[k].type = src_type;
    }
    op.dst.type = dst_type;
  }

  /// The whole buffer of dst after one execution.
  std::vector<float> run(Kernel& kernel) {
    TypedOperand dst = dst_;
    std::vector<const std::byte*> pointers;
    for (TypedOperand& src : srcs_) pointers.push_back(src.data());
    Scratch scratch(kernel);
    kernel.execute(pointers, dst.data(), scratch.data());
    return dst.values();
  }

  /// Stores one source in another type.
  void set_src(std::size_t k, const TestCall& call, DType type) {
    srcs_[k] = TypedOperand(call.srcs[k], type);
    op.srcs[k].type = type;
  }

  std::vector<TypedOperand>& srcs() { return srcs_; }
  const TypedOperand& dst() const { return dst_; }

  LocalOp op;

 private:
  std::vector<TypedOperand> srcs_{};
  TypedOperand dst_;
};

/// Every element rounded to `type`.
inline std::vector<float> rounded(const std::vector<float>& numbers, DType type) {
  TestOperand operand;
  operand.memory = numbers;
  return TypedOperand(operand, type).values();
}

}  // namespace parconv::test
