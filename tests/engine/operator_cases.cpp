#include "engine/operator_cases.hpp"

namespace parconv::test {
namespace {

using Add = std::function<ValueId(NetworkBuilder&, ValueId)>;

constexpr Extents image{{2, 24, 1, 13, 11}};
constexpr Extents deep_image{{2, 96, 1, 9, 10}};
constexpr Extents cube{{2, 12, 7, 8, 9}};
constexpr Extents signal{{2, 12, 1, 29, 1}};
constexpr Extents matrix{{6, 40, 1, 1, 1}};

constexpr WindowAxis same3{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
constexpr WindowAxis half3{.kernel = 3, .stride = 2, .pad_lo = 1, .pad_hi = 1};
constexpr WindowAxis wide3{.kernel = 3, .pad_lo = 2, .pad_hi = 2, .dilation = 2};
constexpr WindowAxis leaning4{.kernel = 4, .stride = 2, .pad_lo = 2, .pad_hi = 0};
constexpr WindowAxis pair{.kernel = 2, .stride = 2};
/// Three outputs a stride apart whose last window hangs over the end, as ceil_mode makes it.
constexpr WindowAxis hanging{.kernel = 3, .stride = 2, .pad_lo = 0, .pad_hi = 2};

Window flat(const WindowAxis& along_h, const WindowAxis& along_w) { return {{WindowAxis{}, along_h, along_w}}; }

Add conv(const ConvOptions& options) {
  return [options](NetworkBuilder& builder, ValueId src) { return builder.conv(src, options); };
}

Add conv_transpose(const ConvOptions& options) {
  return [options](NetworkBuilder& builder, ValueId src) { return builder.conv_transpose(src, options); };
}

Add pool(PoolKind kind, const Window& window, bool is_padding_counted = false) {
  return [=](NetworkBuilder& builder, ValueId src) { return builder.pool(src, kind, window, is_padding_counted); };
}

Add activation(const Activation& activation) {
  return [activation](NetworkBuilder& builder, ValueId src) { return builder.activation(src, activation); };
}

ValueId residual_block(NetworkBuilder& builder, ValueId src) {
  const index_t channels = builder.extents(src)[Axis::C];
  const ValueId body = builder.relu(builder.conv(src, {.oc = 20, .window = flat(same3, same3)}));
  return builder.relu(builder.sum({builder.conv(body, {.oc = channels, .window = flat(same3, same3)}), src}));
}

ValueId sum_with_constant(NetworkBuilder& builder, ValueId src) {
  return builder.sum({src, builder.constant(Extents{{1, builder.extents(src)[Axis::C], 1, 1, 1}})});
}

ValueId concat_of_branches(NetworkBuilder& builder, ValueId src) {
  const ValueId left = builder.conv(src, {.oc = 17});
  return builder.concat({left, src, builder.conv(src, {.oc = 16, .window = flat(same3, same3)})});
}

ValueId flattened(NetworkBuilder& builder, ValueId src) {
  const Extents& in = builder.extents(src);
  return builder.reshape(src, Extents{{in[Axis::N], volume(in) / in[Axis::N], 1, 1, 1}}, 2);
}

void append_convolutions(std::vector<OperatorCase>& cases) {
  cases.push_back({"conv 3x3", image, 4, conv({.oc = 40, .window = flat(same3, same3)})});
  cases.push_back({"conv 3x3 of many channels", deep_image, 4, conv({.oc = 96, .window = flat(same3, same3)})});
  cases.push_back({"conv 1x1", deep_image, 4, conv({.oc = 64})});
  cases.push_back({"conv 3x3 stride 2", image, 4, conv({.oc = 33, .window = flat(half3, half3)})});
  cases.push_back({"conv 1x1 stride 2", image, 4, conv({.oc = 32, .window = flat({.stride = 2}, {.stride = 2})})});
  cases.push_back({"conv 3x3 dilation 2", image, 4, conv({.oc = 32, .window = flat(wide3, wide3)})});
  cases.push_back({"conv 4x3 asymmetric", image, 4, conv({.oc = 24, .window = flat(leaning4, half3)})});
  cases.push_back({"conv 5x3 valid", image, 4, conv({.oc = 24, .window = flat({.kernel = 5}, {.kernel = 3})})});
  cases.push_back({"conv 3x3 in 3 groups", image, 4, conv({.oc = 24, .window = flat(same3, same3), .groups = 3})});
  cases.push_back({"conv 3x3 in 2 groups", deep_image, 4, conv({.oc = 64, .window = flat(same3, same3), .groups = 2})});
  cases.push_back({"conv 3x3 depthwise", image, 4, conv({.oc = 24, .window = flat(same3, same3), .groups = 24})});
  cases.push_back({"conv 3x3 depthwise, 2 each", image, 4, conv({.oc = 48, .window = flat(half3, same3), .groups = 24})});
  cases.push_back({"conv 1-D", signal, 3, conv({.oc = 20, .window = {{WindowAxis{}, half3, WindowAxis{}}}})});
  cases.push_back({"conv 3-D", cube, 5, conv({.oc = 16, .window = {{same3, same3, same3}}})});
  cases.push_back({"conv 3-D stride 2", cube, 5, conv({.oc = 24, .window = {{half3, half3, half3}}})});
  cases.push_back({"conv without bias", image, 4, conv({.oc = 32, .window = flat(same3, same3), .has_bias = false})});
  cases.push_back({"gemm of a matrix", matrix, 2, conv({.oc = 40})});
  const auto fully_connected = [](NetworkBuilder& builder, ValueId src) { return builder.fully_connected(src, 40); };
  cases.push_back({"gemm after flatten", image, 4, fully_connected});
  cases.push_back({"gemm after flatten in 3-D", Extents{{2, 6, 3, 4, 5}}, 5, fully_connected});
}

void append_transposed_convolutions(std::vector<OperatorCase>& cases) {
  const WindowAxis doubled{.kernel = 4, .stride = 2, .pad_lo = 1, .pad_hi = 1};
  const WindowAxis tripled{.kernel = 5, .stride = 3, .pad_lo = 2, .pad_hi = 0, .dilation = 2};
  const WindowAxis longer{.kernel = 3, .stride = 2, .pad_lo = 1, .pad_hi = 0};
  cases.push_back({"conv transpose 2x2 stride 2", image, 4, conv_transpose({.oc = 32, .window = flat(pair, pair)})});
  cases.push_back({"conv transpose 4x4 stride 2", image, 4, conv_transpose({.oc = 40, .window = flat(doubled, doubled)})});
  cases.push_back(
      {"conv transpose 3x3 with output padding", deep_image, 4, conv_transpose({.oc = 33, .window = flat(longer, longer)})});
  cases.push_back({"conv transpose 5x4 dilated", image, 4, conv_transpose({.oc = 24, .window = flat(tripled, doubled)})});
  cases.push_back({"conv transpose 3x3 stride 1", image, 4, conv_transpose({.oc = 24, .window = flat(same3, wide3)})});
  cases.push_back({"conv transpose with gaps", image, 4, conv_transpose({.oc = 16, .window = flat({.stride = 3}, pair)})});
  cases.push_back(
      {"conv transpose in 3 groups", image, 4, conv_transpose({.oc = 24, .window = flat(doubled, pair), .groups = 3})});
  cases.push_back(
      {"conv transpose depthwise", image, 4, conv_transpose({.oc = 24, .window = flat(doubled, doubled), .groups = 24})});
  cases.push_back(
      {"conv transpose 1-D", signal, 3, conv_transpose({.oc = 20, .window = {{WindowAxis{}, doubled, WindowAxis{}}}})});
  cases.push_back({"conv transpose 3-D", cube, 5, conv_transpose({.oc = 16, .window = {{pair, pair, doubled}}})});
  const auto joined = [](NetworkBuilder& builder, ValueId src) {
    const Window window = flat(same3, same3);
    const index_t channels = builder.extents(src)[Axis::C];
    return builder.relu(builder.sum({builder.conv_transpose(src, {.oc = channels, .window = window}), src}));
  };
  cases.push_back({"conv transpose and sum", image, 4, joined});
}

void append_poolings(std::vector<OperatorCase>& cases) {
  cases.push_back({"max pool 3x3", image, 4, pool(PoolKind::Max, flat(half3, same3))});
  cases.push_back({"max pool 2x2", deep_image, 4, pool(PoolKind::Max, flat(pair, pair))});
  cases.push_back({"max pool ceil", Extents{{2, 20, 1, 12, 10}}, 4, pool(PoolKind::Max, flat(hanging, hanging))});
  cases.push_back({"max pool 3-D", cube, 5, pool(PoolKind::Max, {{same3, half3, pair}})});
  cases.push_back({"average pool", image, 4, pool(PoolKind::Average, flat(half3, same3))});
  cases.push_back({"average pool counting padding", image, 4, pool(PoolKind::Average, flat(half3, same3), true)});
  cases.push_back({"average pool ceil", Extents{{2, 20, 1, 12, 10}}, 4, pool(PoolKind::Average, flat(hanging, hanging))});
  const auto global = [](NetworkBuilder& builder, ValueId src) { return builder.global_average(src); };
  cases.push_back({"global average", image, 4, global});
  cases.push_back({"global average in 3-D", cube, 5, global});
}

void append_smooth_activations(std::vector<OperatorCase>& cases) {
  cases.push_back({"sigmoid", image, 4, activation({.kind = ActivationKind::Sigmoid})});
  cases.push_back({"tanh of full vectors", deep_image, 4, activation({.kind = ActivationKind::Tanh})});
  cases.push_back({"elu", cube, 5, activation({.kind = ActivationKind::Elu, .alpha = 1.5F})});
  cases.push_back({"hard sigmoid", image, 4, activation({.kind = ActivationKind::HardSigmoid, .alpha = 0.25F, .beta = 0.5F})});
  cases.push_back({"softplus", image, 4, activation({.kind = ActivationKind::Softplus})});
  cases.push_back({"mish", image, 4, activation({.kind = ActivationKind::Mish})});
  cases.push_back({"sign", image, 4, activation({.kind = ActivationKind::Sign})});
  cases.push_back({"power", image, 4, activation({.kind = ActivationKind::Power, .alpha = 2})});
  const auto conv_gelu = [](NetworkBuilder& builder, ValueId src) {
    const ValueId product = builder.conv(src, {.oc = 33, .window = flat(same3, half3)});
    return builder.activation(product, {.kind = ActivationKind::Gelu});
  };
  cases.push_back({"conv 3x3 and gelu", image, 4, conv_gelu});
}

/// As the ONNX reader writes it.
ValueId instance_normalization(NetworkBuilder& builder, ValueId src) {
  const ValueId difference = builder.binary(BinaryKind::Sub, src, builder.global_average(src));
  const ValueId variance = builder.global_average(builder.binary(BinaryKind::Mul, difference, difference));
  const ValueId factor = builder.activation(variance, {.kind = ActivationKind::InverseRoot, .alpha = 1e-5F});
  return builder.binary(BinaryKind::Mul, difference, factor);
}

void append_binaries(std::vector<OperatorCase>& cases) {
  const auto with_channels = [](BinaryKind kind) {
    return [kind](NetworkBuilder& builder, ValueId src) {
      return builder.binary(kind, src, builder.constant(Extents{{1, builder.extents(src)[Axis::C], 1, 1, 1}}));
    };
  };
  cases.push_back({"product with channels", image, 4, with_channels(BinaryKind::Mul)});
  cases.push_back({"prelu", deep_image, 4, with_channels(BinaryKind::PRelu)});
  const auto excitation = [](NetworkBuilder& builder, ValueId src) {
    const ValueId means = builder.conv(builder.global_average(src), {.oc = builder.extents(src)[Axis::C]});
    return builder.binary(BinaryKind::Mul, src, builder.activation(means, {.kind = ActivationKind::Sigmoid}));
  };
  cases.push_back({"squeeze and excitation", image, 4, excitation});
  const auto difference = [](NetworkBuilder& builder, ValueId src) {
    return builder.binary(BinaryKind::Sub, src, builder.conv(src, {.oc = builder.extents(src)[Axis::C]}));
  };
  cases.push_back({"difference in 3-D", cube, 5, difference});
  cases.push_back({"instance normalization", image, 4, instance_normalization});
  cases.push_back({"instance normalization in 3-D", cube, 5, instance_normalization});
}

void append_others(std::vector<OperatorCase>& cases) {
  cases.push_back({"sum with a constant", image, 4, sum_with_constant});
  cases.push_back({"residual block", image, 4, residual_block});
  cases.push_back({"concat", image, 4, concat_of_branches});
  const auto softmax = [](NetworkBuilder& builder, ValueId src) { return builder.softmax(src); };
  const auto softmax_of_rows = [](NetworkBuilder& builder, ValueId src) { return builder.softmax(src, Axis::H); };
  cases.push_back({"softmax", matrix, 2, softmax});
  cases.push_back({"softmax over rows", image, 4, softmax_of_rows});
  cases.push_back({"reshape", image, 4, flattened});
  const auto scale_shift = [](NetworkBuilder& builder, ValueId src) { return builder.scale_shift(src); };
  cases.push_back({"scale and shift", image, 4, scale_shift});
  cases.push_back({"scale and shift of full vectors", Extents{{2, 96, 1, 5, 5}}, 4, scale_shift});
  cases.push_back({"relu", image, 4, activation({.kind = ActivationKind::Relu})});
  cases.push_back({"leaky relu", image, 4, activation({.kind = ActivationKind::LeakyRelu, .alpha = 0.25F})});
  cases.push_back({"clip", cube, 5, activation({.kind = ActivationKind::Clip, .alpha = -1, .beta = 1})});
  append_smooth_activations(cases);
  append_binaries(cases);
}

/// From parts of an input that is cut along an axis, in another order.
ValueId joined_parts(NetworkBuilder& builder, ValueId src, Axis axis) {
  const index_t extent = builder.extents(src)[axis], cut = extent / 3;
  Resample low, high;
  low[axis] = {TakeAxis{.start = 0}, cut};
  high[axis] = {TakeAxis{.start = cut}, extent - cut};
  return builder.concat({builder.resample(src, high), src, builder.resample(src, low)}, axis);
}

void append_parts(std::vector<OperatorCase>& cases) {
  const auto parts_along = [](Axis axis) {
    return [axis](NetworkBuilder& builder, ValueId src) { return joined_parts(builder, src, axis); };
  };
  cases.push_back({"parts of rows", image, 4, parts_along(Axis::H)});
  cases.push_back({"parts of columns", image, 4, parts_along(Axis::W)});
  cases.push_back({"parts of channels", deep_image, 4, parts_along(Axis::C)});
  cases.push_back({"parts of slices", cube, 5, parts_along(Axis::D)});
  const auto take = [](Axis axis, const ResampledAxis& to) {
    Resample op;
    op[axis] = to;
    return [op](NetworkBuilder& builder, ValueId src) { return builder.resample(src, op); };
  };
  cases.push_back({"rows backwards", image, 4, take(Axis::H, {TakeAxis{.start = 12, .step = -2}, 7})});
  cases.push_back({"channels backwards", image, 4, take(Axis::C, {TakeAxis{.start = 23, .step = -1}, 24})});
  cases.push_back({"columns again", image, 4, take(Axis::W, {TakeAxis{.border = Border::Wrap}, 33})});
  cases.push_back({"channels again", image, 4, take(Axis::C, {TakeAxis{.start = -5, .border = Border::Wrap}, 40})});
  cases.push_back({"one row over and over", image, 4, take(Axis::H, {TakeAxis{.start = 3, .step = 0}, 9})});
}

void append_reductions(std::vector<OperatorCase>& cases) {
  const auto reduce = [](ReduceKind kind, std::array<bool, num_axes> axes) {
    return [=](NetworkBuilder& builder, ValueId src) { return builder.reduce(src, kind, axes); };
  };
  cases.push_back({"largest of all", image, 4, reduce(ReduceKind::Max, {false, true, true, true, true})});
  cases.push_back({"smallest of columns and channels", cube, 5, reduce(ReduceKind::Min, {false, true, false, false, true})});
  cases.push_back({"sum of rows", image, 4, reduce(ReduceKind::Sum, {false, false, false, true, false})});
  cases.push_back({"sum of a sequence", signal, 3, reduce(ReduceKind::Sum, {false, false, true, true, false})});
  const auto of_channels = [](NetworkBuilder& builder, ValueId src) {
    return builder.reduce(builder.conv(builder.row_sum(src), {.oc = 1, .has_bias = false}), ReduceKind::Sum,
                          {false, false, true, true, false});
  };
  cases.push_back({"sum of all in three steps", image, 4, of_channels});
  const auto lrn = [](const Lrn& op) { return [op](NetworkBuilder& builder, ValueId src) { return builder.lrn(src, op); }; };
  cases.push_back({"lrn", deep_image, 4, lrn({.size = 5})});
  cases.push_back({"lrn of an even window", image, 4, lrn({.size = 8, .alpha = 2, .beta = 0.6F, .bias = 3})});
}

void append_products(std::vector<OperatorCase>& cases) {
  const auto by_constant = [](const Extents& extents, int ndims, const MatMul& op) {
    return [=](NetworkBuilder& builder, ValueId src) { return builder.matmul(src, builder.constant(extents, ndims), op); };
  };
  cases.push_back({"product with a matrix for each channel", image, 4, by_constant({{1, 24, 1, 11, 9}}, 4, {})});
  cases.push_back({"product with one matrix", image, 4, by_constant({{1, 1, 1, 11, 70}}, 4, {})});
  cases.push_back({"product of cubes", cube, 5, by_constant({{1, 12, 7, 9, 5}}, 5, {})});
  cases.push_back({"linear layer of a sequence", signal, 3, by_constant({{1, 29, 1, 20, 1}}, 3, {Axis::C, Axis::H})});
  cases.push_back({"product of matrices", matrix, 2, by_constant({{40, 33, 1, 1, 1}}, 2, {Axis::N, Axis::C})});
  const auto constant_first = [](NetworkBuilder& builder, ValueId src) {
    return builder.matmul(builder.constant(Extents{{1, 1, 1, 6, 13}}), src);
  };
  cases.push_back({"matrix times image", image, 4, constant_first});
  const auto of_two = [](NetworkBuilder& builder, ValueId src) {
    const ValueId left = builder.conv(src, {.oc = 6}), right = builder.conv(src, {.oc = 6});
    return builder.relu(builder.matmul(left, right));
  };
  cases.push_back({"product of two activations", Extents{{2, 8, 1, 9, 9}}, 4, of_two});
}

void append_resamplings(std::vector<OperatorCase>& cases) {
  const auto resample = [](const Resample& op) {
    return [op](NetworkBuilder& builder, ValueId src) { return builder.resample(src, op); };
  };
  const auto along = [](const ResampledAxis& h, const ResampledAxis& w) {
    return Resample{.axes = {{{}, {}, {}, h, w}}, .fill = 3};
  };
  const NearestAxis twice{.scale = 2, .coordinates = Coordinates::Asymmetric, .rounding = NearestRounding::Floor};
  cases.push_back({"nearest twice", image, 4, resample(along({twice, 26}, {twice, 22}))});
  cases.push_back(
      {"nearest smaller", deep_image, 4, resample(along({NearestAxis{.scale = 0.5F}, 4}, {NearestAxis{.scale = 0.7F}, 7}))});
  cases.push_back({"linear twice", image, 4, resample(along({LinearAxis{.scale = 2}, 26}, {LinearAxis{.scale = 2}, 22}))});
  const LinearAxis corners{.scale = 1.6F, .coordinates = Coordinates::AlignCorners};
  cases.push_back({"linear between corners", deep_image, 4, resample(along({corners, 14}, {corners, 16}))});
  const LinearAxis thirds{.scale = 1.5F};
  cases.push_back({"linear 3-D", cube, 5, resample({.axes = {{{}, {}, {thirds, 10}, {thirds, 12}, {thirds, 13}}}})});
  cases.push_back({"pad", image, 4, resample(along({TakeAxis{.start = -9}, 24}, {TakeAxis{.start = -1}, 14}))});
  const auto mirrored = [](index_t before, index_t size) {
    return ResampledAxis{TakeAxis{.start = -before, .border = Border::Reflect}, size};
  };
  cases.push_back({"pad by mirroring", image, 4, resample(along(mirrored(12, 37), mirrored(2, 14)))});
  cases.push_back({"pad by the border", image, 4, resample(along({TakeAxis{.start = -4, .border = Border::Edge}, 22}, {}))});
  cases.push_back({"slice", image, 4, resample(along({TakeAxis{.start = 2, .step = 3}, 4}, {TakeAxis{.start = 4}, 7}))});
  Resample channels;
  channels[Axis::C] = {TakeAxis{.start = 3, .step = 2}, 9};
  cases.push_back({"slice of channels", image, 4, resample(channels)});
}

template <std::size_t count>
Add transpose(const std::array<int, count>& perm) {
  return [perm](NetworkBuilder& builder, ValueId src) { return builder.transpose(src, perm); };
}

void append_rearrangements(std::vector<OperatorCase>& cases) {
  cases.push_back({"transpose of rows and columns", image, 4, transpose(std::array{0, 1, 3, 2})});
  cases.push_back({"transpose to channels last", deep_image, 4, transpose(std::array{0, 2, 3, 1})});
  cases.push_back({"transpose in 3-D", cube, 5, transpose(std::array{0, 4, 2, 1, 3})});
  cases.push_back({"transpose of a signal", signal, 3, transpose(std::array{0, 2, 1})});
  const auto shuffle = [](NetworkBuilder& builder, ValueId src) { return builder.channel_shuffle(src, 4); };
  cases.push_back({"channel shuffle", image, 4, shuffle});
  const auto pixels = [](NetworkBuilder& builder, ValueId src) { return builder.pixel_shuffle(src, 2); };
  cases.push_back({"pixel shuffle", deep_image, 4, pixels});
  const auto flat = [](NetworkBuilder& builder, ValueId src) {
    const Extents& in = builder.extents(src);
    return builder.rearrange(src, in_order({in[Axis::N], volume(in) / in[Axis::N]}));
  };
  cases.push_back({"flatten", image, 4, flat});
  const auto tokens = [](NetworkBuilder& builder, ValueId src) {
    const Extents& in = builder.extents(src);
    return builder.rearrange(src, in_order({in[Axis::N], in[Axis::C], in[Axis::H] * in[Axis::W]}));
  };
  cases.push_back({"rows and columns as one", image, 4, tokens});
}

}  // namespace

std::vector<OperatorCase> operator_cases() {
  std::vector<OperatorCase> cases;
  append_convolutions(cases);
  append_transposed_convolutions(cases);
  append_poolings(cases);
  append_others(cases);
  append_resamplings(cases);
  append_rearrangements(cases);
  append_parts(cases);
  append_reductions(cases);
  append_products(cases);
  return cases;
}

Network network_of(const OperatorCase& operator_case, Weights weights, int num_nodes) {
  NetworkBuilder builder(17, weights);
  const auto elementwise = [&](ValueId src, int k) {
    const Activation leaky{.kind = ActivationKind::LeakyRelu, .alpha = 0.25F};
    return builder.activation(src, k % 2 == 0 ? leaky : Activation{.kind = ActivationKind::Clip, .alpha = -64, .beta = 64});
  };
  ValueId value = builder.input(operator_case.input, operator_case.ndims);
  const int before = num_nodes / 2;
  for (int k = 0; k < before; ++k) value = elementwise(value, k);
  value = operator_case.add(builder, value);
  for (int k = before + 1; k < num_nodes; ++k) value = elementwise(value, k);
  const Network network = builder.build({value});
  return num_nodes == 1 ? fuse(network) : network;
}

}  // namespace parconv::test
