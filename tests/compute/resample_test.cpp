// SPDX-License-Identifier: Apache-2.0
// Worked examples of Resample on the reference backend.
#include <gtest/gtest.h>

#include "compute/local_op_case.hpp"
#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

using Values = std::vector<float>;
using Taps = std::vector<AxisTap>;

Values run(const LocalKind& kind, const std::vector<Operand>& srcs, const Extents& dst, const LocalEpilogue& epilogue = {}) {
  return run_op(*make_reference_backend(), {.kind = kind, .epilogue = epilogue}, srcs, dst);
}

constexpr AxisTap at(index_t input) { return {input, input, 0}; }

const Operand plane{{{1, 1, 1, 2, 2}}, {1, 2, 5, 10}};

TEST(ReferenceResample, RepeatsAndFills) {
  const LocalResample local{.taps = {{{at(0)}, {at(0)}, {at(1), at(-1)}, {at(0), at(0), at(1), at(-1)}}}, .fill = 7};
  EXPECT_EQ(run(local, {plane}, {{1, 1, 1, 2, 4}}), (Values{5, 5, 10, 7, 7, 7, 7, 7}));
}

TEST(ReferenceResample, InterpolatesAlongRowsAndColumns) {
  const LocalResample local{.taps = {{{at(0)}, {at(0)}, {{0, 1, 0.25F}}, {at(0), {0, 1, 0.5F}, at(1)}}}};
  EXPECT_EQ(run(local, {plane}, {{1, 1, 1, 1, 3}}), (Values{2, 3, 4}));
}

TEST(ReferenceResample, InterpolatesBetweenSlices) {
  const Operand slices{{{1, 1, 2, 1, 2}}, {0, 4, 8, 16}};
  const LocalResample local{.taps = {{{at(0)}, {{0, 1, 0.5F}}, {at(0)}, {at(0), {0, 1, 0.25F}}}}};
  EXPECT_EQ(run(local, {slices}, {{1, 1, 1, 1, 2}}), (Values{4, 5.5F}));
}

TEST(ReferenceResample, TakesChannelsOfEverySample) {
  const Operand src{{{2, 3, 1, 1, 1}}, {1, 2, 3, 4, 5, 6}};
  const LocalResample local{.taps = {{{at(0), at(2)}, {at(0)}, {at(0)}, {at(0)}}}};
  EXPECT_EQ(run(local, {src}, {{2, 2, 1, 1, 1}}), (Values{1, 3, 4, 6}));
}

TEST(ReferenceResample, AppliesTheEpilogueToFill) {
  const LocalResample local{.taps = {{{at(0)}, {at(0)}, {at(0)}, {at(-1), at(1)}}}, .fill = 7};
  EXPECT_EQ(run(local, {plane}, {{1, 1, 1, 1, 2}}, {.bias = {100}}), (Values{107, 102}));
}

TEST(ReferenceResample, RefusesTapsThatDoNotFit) {
  const auto refused = [](const Taps& channels, const Taps& columns) {
    EXPECT_THROW(run(LocalResample{.taps = {{channels, {at(0)}, {at(0)}, columns}}}, {plane}, {{1, 1, 1, 1, 1}}), Bug);
  };
  refused({at(0)}, {});
  refused({at(0)}, {at(2)});
  refused({at(0)}, {{1, 2, 0.5F}});
  refused({at(-1)}, {at(0)});
  refused({at(0)}, {at(-2)});
}

}  // namespace
}  // namespace parconv::test
