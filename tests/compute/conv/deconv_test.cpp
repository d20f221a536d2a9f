// SPDX-License-Identifier: Apache-2.0
// Transposed convolutions: worked examples, the decomposition into phases, and the definition.
#include <gtest/gtest.h>

#include "compute/conv/deconv_phases.hpp"
#include "compute/local_op_case.hpp"
#include "support/random.hpp"

namespace parconv::test {
namespace {

using Values = std::vector<float>;

Values deconv(Backend& backend, const Window& window, const Filter& filter, const Operand& src, const Extents& dst,
              index_t groups = 1) {
  const LocalDeconv local{.window = window, .blocks = {whole_block(filter, groups)}, .filter = filter};
  return run_op(backend, {.kind = local, .epilogue = {}}, {src}, dst);
}

Values deconv(const Window& window, const Filter& filter, const Operand& src, const Extents& dst, index_t groups = 1) {
  const Values result = deconv(*make_reference_backend(), window, filter, src, dst, groups);
  EXPECT_EQ(deconv(*make_backend({}), window, filter, src, dst, groups), result);
  return result;
}

TEST(Deconv, SpreadsEveryInputOverItsTaps) {
  // 1 2 3 with 1 10 100, two apart: 1 10 100 / 2 20 200 / 3 30 300.
  const Filter filter = make_filter(1, 1, {1, 3, 1}, {1, 10, 100});
  const Operand src{{{1, 1, 1, 3, 1}}, {1, 2, 3}};
  const Window window = make_window({}, {.kernel = 3, .stride = 2}, {});
  EXPECT_EQ(deconv(window, filter, src, {{1, 1, 1, 7, 1}}), (Values{1, 10, 102, 20, 203, 30, 300}));
}

TEST(Deconv, PaddingCutsAndPhaseMoves) {
  const Filter filter = make_filter(1, 1, {1, 3, 1}, {1, 10, 100});
  const Operand src{{{1, 1, 1, 3, 1}}, {1, 2, 3}};
  const auto from = [&](index_t pad_lo) {
    return deconv(make_window({}, {.kernel = 3, .stride = 2, .pad_lo = pad_lo}, {}), filter, src, {{1, 1, 1, 4, 1}});
  };
  EXPECT_EQ(from(1), (Values{10, 102, 20, 203}));
  EXPECT_EQ(from(4), (Values{203, 30, 300, 0}));
  EXPECT_EQ(from(-2), (Values{0, 0, 1, 10}));
}

TEST(Deconv, LeavesGapsWithoutInputs) {
  const Filter filter = make_filter(1, 1, {1, 1, 2}, {1, 10});
  const Operand src{{{1, 1, 1, 1, 2}}, {3, 4}};
  EXPECT_EQ(deconv(make_window({}, {}, {.kernel = 2, .stride = 4, .dilation = 2}), filter, src, {{1, 1, 1, 1, 8}}),
            (Values{3, 0, 30, 0, 4, 0, 40, 0}));
}

TEST(Deconv, GroupsAndTwoAxes) {
  // Two channels with one filter each: 1 2 / 3 4 and 5 6 / 7 8 over one pixel of 1 and 10.
  const Filter filter = make_filter(2, 1, {1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  const Window window = make_window({}, {.kernel = 2, .stride = 2}, {.kernel = 2, .stride = 2});
  EXPECT_EQ(deconv(window, filter, {{{1, 2, 1, 1, 1}}, {1, 10}}, {{1, 2, 1, 2, 2}}, 2), (Values{1, 2, 3, 4, 50, 60, 70, 80}));
}

TEST(DeconvPhases, AreConvolutionsOfStrideOne) {
  const WindowAxis window{.kernel = 4, .stride = 2, .pad_lo = 1};
  const PhaseAxis even = phase_of(window, 0, 6, 3), odd = phase_of(window, 1, 6, 3);
  EXPECT_EQ(even.taps, (std::vector<index_t>{3, 1}));
  EXPECT_EQ(even.window, (WindowAxis{.kernel = 2, .pad_lo = 1}));
  EXPECT_EQ(odd.taps, (std::vector<index_t>{2, 0}));
  EXPECT_EQ(odd.window, (WindowAxis{.kernel = 2, .pad_hi = 1}));
  EXPECT_EQ(even.count, 3);
  EXPECT_EQ(even.made, 3);
  const PhaseAxis cut = phase_of({.kernel = 2, .stride = 2, .pad_lo = 2}, 0, 2, 4);
  EXPECT_EQ(cut.skip, 1);
  EXPECT_EQ(cut.made, 4) << "output 0 is that of input 1, and input 3 belongs to nothing that is wanted";
}

/// In every phase each output uses exactly the inputs of the definition.
TEST(DeconvPhases, ReadTheInputsOfTheDefinition) {
  test::Random random(5);
  for (int k = 0; k < 2000; ++k) {
    const WindowAxis window{.kernel = random.integer(1, 6),
                            .stride = random.integer(1, 5),
                            .pad_lo = random.integer(-6, 12),
                            .dilation = random.integer(1, 4)};
    const index_t out = random.integer(1, 12), in = random.integer(1, 7);
    for (index_t o = 0; o < out; ++o) {
      const PhaseAxis phase = phase_of(window, o % window.stride, out, in);
      index_t found = 0, expected = 0;
      for (index_t j = 0; j < std::ssize(phase.taps); ++j) {
        const index_t input = o / window.stride + phase.skip - phase.window.pad_lo + j * phase.window.dilation;
        const index_t place = input * window.stride + phase.taps[static_cast<std::size_t>(j)] * window.dilation;
        ASSERT_EQ(place, o + window.pad_lo);
        found += input >= 0 && input < in ? 1 : 0;
      }
      for (index_t i = 0; i < in; ++i)
        for (index_t t = 0; t < window.kernel; ++t)
          expected += i * window.stride + t * window.dilation == o + window.pad_lo ? 1 : 0;
      ASSERT_EQ(found, expected);
      if (!phase.is_empty()) {
        ASSERT_EQ(phase.made, phase.window.output_size(in));
      }
      ASSERT_GE(phase.made, phase.is_empty() ? 0 : phase.skip + phase.count);
    }
  }
}

}  // namespace
}  // namespace parconv::test
