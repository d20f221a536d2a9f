// SPDX-License-Identifier: Apache-2.0
// Test generators of operators and of kinds of LocalOp: one specialisation each, in one file per family of this folder.
#pragma once

#include "compute/local_op_random.hpp"
#include "operators/operator_case.hpp"

namespace parconv::test {

/// OperatorTest<Op> holds
///   static constexpr int weight                         relative frequency in random networks of one operator
///   static ValueId draw(RandomNetworkBuilder&, ValueId src)   adds one with random attributes
///   static void append_cases(std::vector<OperatorCase>&)  named networks, tested under every split
/// and, if results are rounded even for small integers,
///   static constexpr bool is_rounded = true
template <class Op>
struct OperatorTest;

/// Elements in ONNX order.
struct LiteralTensor {
  Extents extents{};
  std::vector<float> values{};
};

/// A call with one source and a literal result.
struct LiteralCall {
  LocalKind kind{};
  LiteralTensor src{};
  LiteralTensor dst{};
};

/// KindTest<Kind> holds
///   static constexpr int calls                          number of calls in a test of a backend
///   static TestCall draw(LocalOpGenerator&)             a random call
/// and optionally is_rounded as above, and
///   static std::vector<LiteralCall> literal_calls()     calls for every backend
template <class Kind>
struct KindTest;

template <class Test>
constexpr bool is_rounded_test = requires { Test::is_rounded; };

}  // namespace parconv::test
