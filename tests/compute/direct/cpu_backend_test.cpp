// SPDX-License-Identifier: Apache-2.0
// The backend cpu has the bits of the reference: random calls of every kind, on real numbers.
#include <gtest/gtest.h>

#include "compute/kind_cases.hpp"
#include "compute/typed_call.hpp"
#include "support/compare.hpp"

namespace parconv::test {
namespace {

class CpuKinds : public ::testing::TestWithParam<KindCase> {};

INSTANTIATE_TEST_SUITE_P(All, CpuKinds, ::testing::ValuesIn(all_kinds()),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST_P(CpuKinds, HaveTheBitsOfTheReference) {
  const auto reference = make_reference_backend();
  for (const int threads : {1, 2}) {
    const auto backend = make_backend({.name = "cpu", .threads = threads});
    EXPECT_TRUE(backend->has_reference_bits() && reference->has_reference_bits());
    for (int k = 0; k < GetParam().calls; ++k) {
      TestCall call = draw_call(GetParam(), static_cast<std::uint64_t>(k), Numbers::Reals);
      ASSERT_TRUE(same_bits(run(*backend, call), run(*reference, call))) << "call " << k;
    }
  }
}

TEST_P(CpuKinds, HaveTheBitsOfTheReferenceIn16Bits) {
  const auto reference = make_reference_backend();
  for (const DType type : {DType::BF16, DType::F16}) {
    const auto backend = make_backend({.name = "cpu", .type = type});
    for (int k = 0; k < GetParam().calls; ++k) {
      TestCall call = draw_call(GetParam(), 1000 + static_cast<std::uint64_t>(k), Numbers::Reals);
      TypedCall typed(call, type, k % 4 == 0 ? DType::F32 : type);
      const auto read = reader_of(call.filter);
      const auto found = typed.run(*backend->prepare(typed.op, read));
      ASSERT_TRUE(same_bits(found, typed.run(*reference->prepare(typed.op, read)))) << "call " << k << " in " << name_of(type);
    }
  }
}

}  // namespace
}  // namespace parconv::test
