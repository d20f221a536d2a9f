// SPDX-License-Identifier: Apache-2.0
// Worked examples of every kind of LocalOp but convolutions, on the reference backend.
#include <gtest/gtest.h>

#include <cmath>

#include "compute/local_op_case.hpp"
#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

using Values = std::vector<float>;

Values run(const LocalKind& kind, const std::vector<Operand>& srcs, const Extents& dst, const LocalEpilogue& epilogue = {}) {
  return run_op(*make_reference_backend(), {.kind = kind, .epilogue = epilogue}, srcs, dst);
}

Extents row(index_t count) { return {{1, 1, 1, 1, count}}; }

void expect_near(const Values& values, const Values& expected) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-6) << "element " << i;
}

TEST(ReferencePool, MaximumIgnoresPadding) {
  // All values are negative: a padding of zeros would win.
  const Window window = make_window({}, {.kernel = 2, .stride = 2, .pad_lo = 1}, {.kernel = 2, .stride = 1, .pad_hi = 1});
  EXPECT_EQ(run(LocalPool{.window = window}, {{{{1, 1, 1, 3, 2}}, {-6, -5, -4, -3, -2, -9}}}, {{1, 1, 1, 2, 2}}),
            (Values{-5, -5, -2, -3}));
}

TEST(ReferencePool, MaximumWithDilationInThreeDimensions) {
  const Window window = make_window({.kernel = 2, .dilation = 2}, {}, {.kernel = 2});
  // Slices 0 and 2 of 3, columns 0 and 1.
  EXPECT_EQ(run(LocalPool{.window = window}, {{{{1, 1, 3, 1, 2}}, {1, 2, 9, 9, 3, 0}}}, {{1, 1, 1, 1, 1}}), (Values{3}));
}

TEST(ReferencePool, DilatedTapsSkipPadding) {
  // Column o reads o - 2 and o; the first two read padding and one element.
  const Window window = make_window({}, {}, {.kernel = 2, .pad_lo = 2, .dilation = 2});
  const Operand src{row(4), {-5, -4, -7, -1}};
  EXPECT_EQ(run(LocalPool{.window = window}, {src}, row(4)), (Values{-5, -4, -5, -1}));
  const LocalPool average{.kind = PoolKind::Average, .window = window, .divisors = {{{1}, {1}, {1, 1, 2, 2}}}};
  EXPECT_EQ(run(average, {src}, row(4)), (Values{-5, -4, -6, -2.5f}));
}

TEST(ReferencePool, MaximumPerChannelAndSample) {
  const Window window = make_window({}, {.kernel = 2}, {});
  EXPECT_EQ(run(LocalPool{.window = window}, {{{{2, 2, 1, 2, 1}}, {1, 2, 8, 7, 5, 3, -1, -2}}}, {{2, 2, 1, 1, 1}}),
            (Values{2, 8, 5, -1}));
}

TEST(ReferencePool, AverageWithoutCountedPadding) {
  // 3 wide, padding 1: the outer windows hold two elements.
  const Window window = make_window({}, {}, {.kernel = 3, .pad_lo = 1, .pad_hi = 1});
  const LocalPool pool{.kind = PoolKind::Average, .window = window, .divisors = {{{1}, {1}, {2, 3, 2}}}};
  EXPECT_EQ(run(pool, {{row(3), {1, 3, 8}}}, row(3)), (Values{2, 4, 5.5f}));
}

TEST(ReferencePool, AverageWithCountedPadding) {
  const Window window = make_window({}, {}, {.kernel = 3, .pad_lo = 1, .pad_hi = 1});
  const LocalPool pool{.kind = PoolKind::Average, .window = window, .divisors = {{{1}, {1}, {3, 3, 3}}}};
  EXPECT_EQ(run(pool, {{row(3), {1, 2, 7}}}, row(3)), (Values{1, 10.0f / 3.0f, 3}));
}

TEST(ReferencePool, AverageDividesByTheProduct) {
  // 2 x 2 corners with padding at the top and left: 1, 2, 2 and 4 elements.
  const WindowAxis axis{.kernel = 2, .pad_lo = 1};
  const LocalPool pool{.kind = PoolKind::Average, .window = make_window({}, axis, axis), .divisors = {{{1}, {1, 2}, {1, 2}}}};
  EXPECT_EQ(run(pool, {{{{1, 1, 1, 2, 2}}, {4, 8, 12, 16}}}, {{1, 1, 1, 2, 2}}), (Values{4, 6, 8, 10}));
}

TEST(ReferenceFill, NeedsNoSourceAndHasAnEpilogue) {
  EXPECT_EQ(run(LocalFill{.value = 3}, {}, row(2)), (Values{3, 3}));
  EXPECT_EQ(run(LocalFill{}, {}, {{1, 2, 1, 1, 1}}, {.bias = {5, 6}}), (Values{5, 6}));
  EXPECT_EQ(run(LocalFill{.value = 1}, {{row(2), {10, 20}}}, row(2), {.residual = 0}), (Values{11, 21}));
}

TEST(ReferenceCopy, Copies) {
  const Operand src{{{2, 2, 1, 1, 2}}, {1, 2, 3, 4, 5, 6, 7, 8}};
  EXPECT_EQ(run(LocalCopy{}, {src}, src.extents), src.values);
}

TEST(ReferenceScaleShift, PerChannel) {
  const LocalScaleShift op{.scale = {2, -1}, .shift = {1, 10}};
  EXPECT_EQ(run(op, {{{{1, 2, 1, 1, 2}}, {1, 2, 3, 4}}}, {{1, 2, 1, 1, 2}}), (Values{3, 5, 7, 6}));
}

TEST(ReferenceSum, BroadcastsExtentOne) {
  const Operand all{{{1, 2, 1, 2, 2}}, {1, 2, 3, 4, 5, 6, 7, 8}};
  const Operand channels{{{1, 2, 1, 1, 1}}, {10, 20}};
  const Operand columns{{{1, 1, 1, 1, 2}}, {100, 200}};
  EXPECT_EQ(run(LocalSum{}, {all, channels, columns}, all.extents), (Values{111, 212, 113, 214, 125, 226, 127, 228}));
}

TEST(ReferenceSum, AddsInOrder) {
  // 1e8 - 1e8 + 1 is 1 from left to right; with the 1 in the middle f32 loses it.
  EXPECT_EQ(run(LocalSum{}, {{row(1), {1e8f}}, {row(1), {-1e8f}}, {row(1), {1}}}, row(1)), (Values{1}));
  EXPECT_EQ(run(LocalSum{}, {{row(1), {1e8f}}, {row(1), {1}}, {row(1), {-1e8f}}}, row(1)), (Values{0}));
}

TEST(ReferenceSum, LeavesTheResidualToTheEpilogue) {
  const LocalEpilogue epilogue{.residual = 1, .activation = {.kind = ActivationKind::Relu}};
  EXPECT_EQ(run(LocalSum{}, {{row(2), {1, 2}}, {row(2), {-9, 4}}, {row(2), {3, 3}}}, row(2), epilogue), (Values{0, 9}));
}

TEST(ReferenceBinary, OfTwoSourcesWithBroadcasting) {
  const Operand all{{{1, 2, 1, 1, 2}}, {6, -2, 1, 4}};
  const Operand channels{{{1, 2, 1, 1, 1}}, {2, -4}};
  const auto of = [&](BinaryKind kind) { return run(LocalBinary{kind}, {all, channels}, all.extents); };
  EXPECT_EQ(of(BinaryKind::Mul), (Values{12, -4, -4, -16}));
  EXPECT_EQ(of(BinaryKind::Sub), (Values{4, -4, 5, 8}));
  EXPECT_EQ(of(BinaryKind::Div), (Values{3, -1, -0.25F, -1}));
  EXPECT_EQ(of(BinaryKind::Max), (Values{6, 2, 1, 4}));
  EXPECT_EQ(of(BinaryKind::Min), (Values{2, -2, -4, -4}));
  EXPECT_EQ(of(BinaryKind::PRelu), (Values{6, -4, 1, 4}));
  EXPECT_EQ(of(BinaryKind::Equal), (Values{0, 0, 0, 0}));
  EXPECT_EQ(of(BinaryKind::Greater), (Values{1, 0, 1, 1}));
  EXPECT_EQ(of(BinaryKind::Keep), (Values{2, 2, -4, -4}));
  EXPECT_EQ(of(BinaryKind::Drop), (Values{0, 0, 0, 0}));
  EXPECT_EQ(run(LocalBinary{BinaryKind::Sub}, {channels, all}, all.extents), (Values{-4, 4, -5, -8}));
}

LocalReduce rows(index_t count) { return {.axes = {false, false, true, true, false}, .count = count}; }

TEST(ReferenceReduce, AddsRowsExactlyAndDivides) {
  EXPECT_EQ(run(rows(8), {{{{1, 2, 2, 2, 1}}, {1, 2, 3, 4, 10, 20, 30, 40}}}, {{1, 2, 1, 1, 1}}), (Values{1.25f, 12.5f}));
  EXPECT_EQ(run(rows(1), {{{{1, 1, 2, 2, 1}}, {1e8f, -1e8f, 1, 2}}}, {{1, 1, 1, 1, 1}}), (Values{3}));
  EXPECT_EQ(run(rows(1), {{{{1, 1, 2, 2, 1}}, {1e8f, 1, -1e8f, 2}}}, {{1, 1, 1, 1, 1}}), (Values{3}));
}

LocalSoftmax softmax_over(std::initializer_list<Axis> axes) {
  LocalSoftmax softmax;
  for (Axis axis : axes) softmax.axes[static_cast<std::size_t>(axis)] = true;
  return softmax;
}

// exp(ln 1), exp(ln 2), exp(ln 5) are 1, 2, 5 of 8.
const float ln2 = std::log(2.0f);
const float ln5 = std::log(5.0f);

TEST(ReferenceSoftmax, OverChannels) {
  const Operand src{{{1, 3, 1, 1, 2}}, {0, 7, ln2, 7, ln5, 7}};
  expect_near(run(softmax_over({Axis::C}), {src}, src.extents), {0.125f, 1.0f / 3, 0.25f, 1.0f / 3, 0.625f, 1.0f / 3});
}

TEST(ReferenceSoftmax, LogarithmOverChannels) {
  const Operand src{{{1, 3, 1, 1, 1}}, {0, ln2, ln5}};
  LocalSoftmax softmax = softmax_over({Axis::C});
  softmax.is_logarithm = true;
  const float ln8 = std::log(8.0f);
  expect_near(run(softmax, {src}, src.extents), {-ln8, ln2 - ln8, ln5 - ln8});
}

TEST(ReferenceSoftmax, OverRowsAndColumns) {
  const Operand src{{{1, 2, 1, 2, 2}}, {0, ln2, ln5, ln2, 1, 1, 1, 1}};
  expect_near(run(softmax_over({Axis::H, Axis::W}), {src}, src.extents), {0.1f, 0.2f, 0.5f, 0.2f, 0.25f, 0.25f, 0.25f, 0.25f});
  expect_near(run(softmax_over({Axis::H}), {src}, src.extents), {1.0f / 6, 0.5f, 5.0f / 6, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f});
}

TEST(ReferenceSoftmax, ComputesAPartOfTheSource) {
  // The source has both rows and all channels; the result is row 1, channels [1, 3).
  const Operand src{{{1, 3, 1, 2, 1}}, {9, 0, 9, ln2, 9, ln5}};
  LocalSoftmax softmax = softmax_over({Axis::C});
  softmax.dst_offset = {{0, 1, 0, 1, 0}};
  expect_near(run(softmax, {src}, {{1, 2, 1, 1, 1}}), {0.25f, 0.625f});
}

TEST(ReferenceSoftmax, LargeValuesDoNotOverflow) {
  const Operand src{row(2), {1000, 1000}};
  EXPECT_EQ(run(softmax_over({Axis::W}), {src}, row(2)), (Values{0.5f, 0.5f}));
}

TEST(ReferenceReduce, ReducesAnyAxes) {
  const Operand src{{{2, 3, 1, 1, 2}}, {1, 2, 3, 4, 5, -6, 7, 8, 9, 10, 11, 12}};
  const auto over = [&](ReduceKind kind, std::array<bool, num_axes> axes, const Extents& dst) {
    return run(LocalReduce{.kind = kind, .axes = axes}, {src}, dst);
  };
  constexpr std::array<bool, num_axes> columns{false, false, false, false, true}, channels{false, true, false, false, false};
  EXPECT_EQ(over(ReduceKind::Max, columns, {{2, 3, 1, 1, 1}}), (Values{2, 4, 5, 8, 10, 12}));
  EXPECT_EQ(over(ReduceKind::Min, channels, {{2, 1, 1, 1, 2}}), (Values{1, -6, 7, 8}));
  EXPECT_EQ(over(ReduceKind::Sum, {true, true, false, false, false}, {{1, 1, 1, 1, 2}}), (Values{36, 30}));
  EXPECT_EQ(over(ReduceKind::Product, {true, false, false, false, false}, {{1, 3, 1, 1, 2}}), (Values{7, 16, 27, 40, 55, -72}));
}

TEST(ReferenceLrn, DividesByTheSquaresAround) {
  const Operand src{{{1, 4, 1, 1, 1}}, {1, 2, 3, 4}};
  const LocalLrn lrn{.lrn = {.size = 3, .alpha = 3, .beta = 1, .bias = 1}};
  EXPECT_EQ(run(lrn, {src}, {{1, 4, 1, 1, 1}}), (Values{1.0F / 6, 2.0F / 15, 3.0F / 30, 4.0F / 26}));
  const LocalLrn even{.lrn = {.size = 2, .alpha = 2, .beta = 1, .bias = 0}, .own = 1};
  EXPECT_EQ(run(even, {src}, {{1, 2, 1, 1, 1}}), (Values{2.0F / 13, 3.0F / 25})) << "one channel more behind than before";
}

TEST(ReferenceMatMul, MultipliesTheLastTwoAxes) {
  const Operand a{{{1, 1, 1, 2, 3}}, {1, 2, 3, 4, 5, 6}}, b{{{1, 1, 1, 3, 2}}, {1, 0, 0, 1, 2, 2}};
  EXPECT_EQ(run(LocalMatMul{}, {a, b}, {{1, 1, 1, 2, 2}}), (Values{7, 8, 16, 17}));
  const Operand columns{{{1, 3, 1, 1, 1}}, {1, 2, 3}}, rows_of_b{{{3, 2, 1, 1, 1}}, {1, 0, 0, 1, 2, 2}};
  EXPECT_EQ(run(LocalMatMul{Axis::N, Axis::C}, {columns, rows_of_b}, {{1, 2, 1, 1, 1}}), (Values{7, 8}));
}

TEST(ReferenceReshape, FlattensInOnnxOrderAndBack) {
  const Values values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  const Extents image{{2, 2, 1, 2, 2}};
  const Extents flat{{2, 8, 1, 1, 1}};
  EXPECT_EQ(run(LocalReshape{.src_shape = image, .dst_shape = flat}, {{image, values}}, flat), values);
  EXPECT_EQ(run(LocalReshape{.src_shape = flat, .dst_shape = image}, {{flat, values}}, image), values);
}

TEST(ReferenceReshape, ComputesAPartOfTheResult) {
  // 2 x 2 x 2 (c, h, w) to 4 x 2 (c, h): channels [1, 3) and row 1 are the elements 3 and 5.
  const Operand src{{{1, 2, 1, 2, 2}}, {0, 1, 2, 3, 4, 5, 6, 7}};
  const LocalReshape reshape{.src_shape = src.extents, .dst_shape = {{1, 4, 1, 2, 1}}, .dst_offset = {{0, 1, 0, 1, 0}}};
  EXPECT_EQ(run(reshape, {src}, {{1, 2, 1, 1, 1}}), (Values{3, 5}));
}

TEST(ReferenceRearrange, TransposesRowsAndColumns) {
  const Operand src{{{1, 1, 1, 2, 3}}, {1, 2, 3, 4, 5, 6}};
  const LocalRearrange whole{.digits = {{{}, {}, {}, {{3, 1, Axis::W, 1}}, {{2, 1, Axis::H, 1}}}}};
  EXPECT_EQ(run(whole, {src}, {{1, 1, 1, 3, 2}}), (Values{1, 4, 2, 5, 3, 6}));
}

TEST(ReferenceRearrange, ComputesAPartOfRowsOfBlocks) {
  // Rows [3, 6) of 2 x 4 whose digits are channel blocks of 2: row 3 is channel 1 of row 1, rows 4 and 5 are those of row 2. The
  // source holds rows 1 and 2.
  const Operand src{{{1, 2, 1, 2, 1}}, {10, 20, 11, 21}};
  const LocalRearrange part{.digits = {{{}, {}, {}, {{4, 2, Axis::H, 1}, {2, 1, Axis::C, 1}}, {}}},
                            .dst_offset = {{0, 0, 0, 3, 0}},
                            .src_offset = {{0, 0, 0, 1, 0}}};
  EXPECT_EQ(run(part, {src}, {{1, 1, 1, 3, 1}}), (Values{11, 20, 21}));
}

TEST(ReferenceEpilogue, InTheOrderBiasResidualActivation) {
  const Extents extents{{1, 2, 1, 1, 2}};
  const Operand src{extents, {1, 2, 3, 4}};
  const Operand residual{extents, {-4, 4, -30, 3}};
  const auto finished = [&](Activation activation) {
    return run(LocalCopy{}, {src, residual}, extents, {.bias = {1, -1}, .residual = 1, .activation = activation});
  };
  EXPECT_EQ(finished({}), (Values{-2, 7, -28, 6}));
  EXPECT_EQ(finished({.kind = ActivationKind::Relu}), (Values{0, 7, 0, 6}));
  EXPECT_EQ(finished({.kind = ActivationKind::LeakyRelu, .alpha = 0.5f}), (Values{-1, 7, -14, 6}));
  EXPECT_EQ(finished({.kind = ActivationKind::Clip, .alpha = -3, .beta = 6.5f}), (Values{-2, 6.5f, -3, 6}));
}

TEST(ReferenceEpilogue, ResidualMayBeTheFirstSource) {
  EXPECT_EQ(run(LocalScaleShift{.scale = {10}, .shift = {0}}, {{row(2), {1, 2}}, {row(2), {5, 6}}}, row(2), {.residual = 0}),
            (Values{51, 62}));
}

TEST(ReferenceEpilogue, ResidualMayAliasTheResult) {
  HostTensor tensor(Box::whole(row(2)));
  const View view = tensor.view();
  tensor.at(0, 0, 0, 0, 0) = 3;
  tensor.at(0, 0, 0, 0, 1) = 4;
  const LocalOp op{.kind = LocalFill{.value = 1}, .epilogue = {.residual = 0}, .srcs = {view.layout}, .dst = view.layout};
  const std::vector<const std::byte*> srcs{view.data};
  make_reference_backend()->prepare(op, read_values)->execute(srcs, view.data, nullptr);
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 0), 4.0f);
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 1), 5.0f);
}

TEST(ReferenceBackend, RefusesOperandsThatDoNotFit) {
  const Operand two{row(2), {1, 2}};
  EXPECT_THROW(run(LocalCopy{}, {two}, row(3)), Bug);
  EXPECT_THROW(run(LocalCopy{}, {}, row(2)), Bug);
  EXPECT_THROW(run(LocalCopy{}, {two}, row(2), {.bias = {1, 2}}), Bug);
  EXPECT_THROW(run(LocalCopy{}, {two}, row(2), {.residual = 1}), Bug);
  EXPECT_THROW(run(LocalSum{}, {two, {row(3), {1, 2, 3}}}, row(3)), Bug);
  EXPECT_THROW(run(LocalScaleShift{.scale = {1, 2}, .shift = {1}}, {two}, row(2)), Bug);
  EXPECT_THROW(run(LocalReduceParts{.kind = ReduceKind::Max}, {two}, row(3)), Bug);
  EXPECT_THROW(run(LocalReduceParts{}, {two}, row(2)), Bug) << "f32 instead of accumulators";
  EXPECT_THROW(run(rows(1), {two}, row(1)), Bug);
  EXPECT_THROW(run(softmax_over({Axis::W}), {two}, row(3)), Bug);
  EXPECT_THROW(run(LocalPool{.kind = PoolKind::Average}, {two}, row(2)), Bug);
  const LocalRearrange beyond{.digits = {{{}, {}, {}, {}, {{3, 1, Axis::W, 1}}}}};
  EXPECT_THROW(run(beyond, {two}, row(3)), Bug);
  const LocalRearrange uneven{.digits = {{{}, {}, {}, {}, {{2, 2, Axis::W, 1}}}}};
  EXPECT_THROW(run(uneven, {two}, row(2)), Bug);
  EXPECT_THROW(run(LocalReshape{.src_shape = row(3), .dst_shape = row(2)}, {two}, row(2)), Bug);
}

TEST(ReferenceBackend, RefusesOtherTypes) {
  const Box box = Box::whole(row(2));
  const LocalOp op{.kind = LocalFill{}, .dst = layout_within(box, box, DType::U8)};
  try {
    make_reference_backend()->prepare(op, read_values);
    FAIL() << "u8 was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Unavailable);
    EXPECT_NE(std::string(error.what()).find("asked for u8"), std::string::npos) << error.what();
  }
}

TEST(ReferenceBackend, ReportsItsName) {
  const std::unique_ptr<Backend> backend = make_reference_backend();
  EXPECT_EQ(backend->name(), "reference");
  EXPECT_FALSE(backend->memory_rules().needs_dense);
  const Box box = Box::whole(row(2));
  const LocalOp op{.kind = LocalFill{}, .dst = layout_within(box, box)};
  EXPECT_EQ(backend->prepare(op, read_values)->implementation(), "reference");
}

}  // namespace
}  // namespace parconv::test
