// SPDX-License-Identifier: Apache-2.0
#include "support/network_builder.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "parconv/model/shape.hpp"

namespace parconv::test {

ValueId RandomNetworkBuilder::add_value(ValueKind kind, const Extents& extents, int ndims) {
  const auto id = static_cast<ValueId>(network_.values.size());
  network_.values.push_back({.name = "value" + std::to_string(id), .kind = kind, .extents = extents, .ndims = ndims});
  return id;
}

ValueId RandomNetworkBuilder::add(Operator op, std::vector<ValueId> inputs, Epilogue epilogue) {
  std::vector<Shape> shapes;
  for (ValueId input : inputs) shapes.push_back(shape_of(network_.value(input)));
  const std::string name = "node" + std::to_string(network_.nodes.size());
  const Shape shape = output_shape(op, shapes, name);
  const ValueId output = add_value(ValueKind::Activation, shape.extents, shape.ndims);
  network_.nodes.push_back(
      {.name = name, .op = std::move(op), .inputs = std::move(inputs), .output = output, .epilogue = std::move(epilogue)});
  return output;
}

std::shared_ptr<const std::vector<float>> RandomNetworkBuilder::draw(index_t count, index_t fan_in) {
  if (weights_ == Weights::SmallIntegers) return std::make_shared<const std::vector<float>>(random_.small_integers(count, -1, 1));
  const float bound = std::sqrt(3.0F / static_cast<float>(fan_in));
  return std::make_shared<const std::vector<float>>(random_.reals(count, -bound, bound));
}

ValueId RandomNetworkBuilder::input(const Extents& extents, int ndims) {
  const ValueId id = add_value(ValueKind::Input, extents, ndims);
  network_.inputs.push_back(id);
  return id;
}

ValueId RandomNetworkBuilder::constant(const Extents& extents, int ndims) {
  const ValueId id = add_value(ValueKind::Constant, extents, ndims);
  network_.value(id).constant = {.values = draw(volume(extents), 3), .count = volume(extents)};
  return id;
}

Filter RandomNetworkBuilder::draw_filter(const ConvOptions& options, index_t channels) {
  const index_t ic = channels / options.groups;
  std::array<index_t, 3> kernel{};
  for (std::size_t k = 0; k < 3; ++k) kernel[k] = options.window.axes[k].kernel;
  const index_t taps = kernel[0] * kernel[1] * kernel[2];
  return {.data = {.values = draw(options.oc * ic * taps, ic * taps), .count = options.oc * ic * taps},
          .oc = options.oc,
          .ic_per_group = ic,
          .kernel = kernel,
          .strides = {ic * taps, taps, kernel[1] * kernel[2], kernel[2], 1}};
}

ValueId RandomNetworkBuilder::conv(ValueId src, const ConvOptions& options) {
  Conv conv{.window = options.window, .groups = options.groups};
  conv.filter = draw_filter(options, extents(src)[Axis::C]);
  Epilogue epilogue;
  if (options.has_bias) epilogue.bias = *draw(options.oc, 3);
  return add(std::move(conv), {src}, std::move(epilogue));
}

ValueId RandomNetworkBuilder::conv_transpose(ValueId src, const ConvOptions& options) {
  ConvTranspose conv{.window = options.window, .groups = options.groups};
  conv.filter = draw_filter(options, extents(src)[Axis::C]);
  Epilogue epilogue;
  if (options.has_bias) epilogue.bias = *draw(options.oc, 3);
  return add(std::move(conv), {src}, std::move(epilogue));
}

ValueId RandomNetworkBuilder::pool(ValueId src, PoolKind kind, const Window& window, bool is_padding_counted) {
  Pool pool{.kind = kind, .window = window, .is_padding_counted = is_padding_counted};
  for (std::size_t k = 0; k < 3; ++k) pool.counted_pad_hi[k] = window.axes[k].pad_hi;
  return add(pool, {src});
}

ValueId RandomNetworkBuilder::activation(ValueId src, Activation activation) {
  return add(Elementwise{}, {src}, {.activation = activation});
}

ValueId RandomNetworkBuilder::scale_shift(ValueId src) {
  const index_t channels = extents(src)[Axis::C];
  return add(ScaleShift{.scale = *draw(channels, 3), .shift = *draw(channels, 3)}, {src});
}

ValueId RandomNetworkBuilder::global_average(ValueId src) {
  const Extents in = extents(src);
  // With small integers the mean stays a sum, which is exact.
  const index_t count = weights_ == Weights::SmallIntegers ? 1 : in[Axis::D] * in[Axis::H] * in[Axis::W];
  return add(Reduction{.axes = {false, false, true, true, true}, .count = count}, {src});
}

ValueId RandomNetworkBuilder::softmax(ValueId src, Axis axis) {
  Softmax softmax;
  softmax.axes[static_cast<std::size_t>(axis)] = true;
  return add(softmax, {src});
}

ValueId RandomNetworkBuilder::reduce(ValueId src, ReduceKind kind, std::array<bool, num_axes> axes) {
  return add(Reduction{.kind = kind, .axes = axes}, {src});
}

ValueId RandomNetworkBuilder::reshape(ValueId src, const Extents& extents, int ndims) {
  const ValueId output = add_value(ValueKind::Activation, extents, ndims);
  network_.nodes.push_back(
      {.name = "node" + std::to_string(network_.nodes.size()), .op = Reshape{}, .inputs = {src}, .output = output});
  return output;
}

ValueId RandomNetworkBuilder::rearrange(ValueId src, const Rearrange& chain) {
  return add(aligned(chain, extents(src)).value(), {src});
}

ValueId RandomNetworkBuilder::transpose(ValueId src, std::span<const int> perm) {
  return rearrange(src, transposed(in_order(dims_of(shape_of(network_.value(src)))), perm));
}

ValueId RandomNetworkBuilder::channel_shuffle(ValueId src, index_t groups) {
  const std::vector<index_t> dims = dims_of(shape_of(network_.value(src)));
  std::vector<index_t> grouped = dims;
  grouped[1] /= groups;
  grouped.insert(grouped.begin() + 1, groups);
  std::vector<int> perm(grouped.size());
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[1], perm[2]);
  return rearrange(src, reshaped(transposed(reshaped(in_order(dims), grouped).value(), perm), dims).value());
}

ValueId RandomNetworkBuilder::pixel_shuffle(ValueId src, index_t block) {
  const Extents& in = extents(src);
  const index_t n = in[Axis::N], c = in[Axis::C] / block / block, h = in[Axis::H], w = in[Axis::W];
  const Rearrange blocks = reshaped(in_order({n, in[Axis::C], h, w}), {n, c, block, block, h, w}).value();
  const std::array perm{0, 1, 4, 2, 5, 3};
  return rearrange(src, reshaped(transposed(blocks, perm), {n, c, h * block, w * block}).value());
}

ValueId RandomNetworkBuilder::fully_connected(ValueId src, index_t oc) {
  Window window;
  for (Axis axis : spatial_axes) window[axis].kernel = extents(src)[axis];
  return conv(src, {.oc = oc, .window = window});
}

Network RandomNetworkBuilder::build(std::vector<ValueId> outputs) {
  network_.outputs = std::move(outputs);
  validate(network_);
  return network_;
}

// ---- Random networks ----------------------------------------------------------------------------------------------------

Window random_window(Random& random, const Extents& extents, bool has_dilation) {
  Window window;
  for (Axis axis : spatial_axes) {
    if (extents[axis] == 1) continue;
    WindowAxis& along = window[axis];
    along.kernel = random.integer(1, 5);
    along.dilation = has_dilation ? random.integer(1, 3) : 1;
    along.stride = random.integer(1, 3);
    along.pad_lo = random.integer(0, std::min<index_t>(along.span() - 1, 4));
    along.pad_hi = random.integer(0, std::min<index_t>(along.span() - 1, 4));
    if (along.output_size(extents[axis]) < 1) along = {};
  }
  return window;
}

namespace {

ResampledAxis random_slice(Random& random, index_t in_size) {
  const index_t start = random.integer(0, in_size - 1);
  if (random.once_in(6)) return {TakeAxis{.start = start, .step = 0}, random.integer(1, 9)};
  const index_t step = random.integer(1, 3);
  if (random.once_in(3)) return {TakeAxis{.start = start, .step = -step}, random.integer(1, start / step + 1)};
  return {TakeAxis{.start = start, .step = step}, random.integer(1, (in_size - 1 - start) / step + 1)};
}

ResampledAxis random_padding(Random& random, index_t in_size) {
  constexpr std::array borders{Border::Fill, Border::Reflect, Border::Edge, Border::Wrap};
  const Border border = borders[static_cast<std::size_t>(random.integer(0, std::ssize(borders) - 1))];
  const index_t most = border == Border::Reflect ? in_size - 1 : 4;
  const index_t before = random.integer(-(in_size - 1) / 2, std::min<index_t>(most, 4));
  const index_t behind = random.integer(-(in_size - 1) / 2, std::min<index_t>(most, 4));
  return {TakeAxis{.start = -before, .border = border}, in_size + before + behind};
}

ResampledAxis random_resize(Random& random, index_t in_size, bool is_linear) {
  constexpr std::array scales{0.3F, 0.5F, 0.75F, 1.0F, 1.5F, 2.0F, 2.6F};
  const float scale = scales[static_cast<std::size_t>(random.integer(0, std::ssize(scales) - 1))];
  const auto coordinates = static_cast<Coordinates>(random.integer(0, 4));
  const auto rounding = static_cast<NearestRounding>(random.integer(0, 3));
  const auto size = std::max<index_t>(1, static_cast<index_t>(static_cast<float>(in_size) * scale));
  if (is_linear) return {LinearAxis{scale, coordinates}, size};
  return {NearestAxis{scale, coordinates, rounding, random.once_in(2)}, size};
}

}  // namespace

ResampledAxis random_resampled_axis(Random& random, index_t in_size) {
  switch (random.integer(0, 4)) {
    case 0:
      return {};
    case 1:
      return random_slice(random, in_size);
    case 2:
      return random_padding(random, in_size);
    case 3:
      return random_resize(random, in_size, false);
    default:
      return random_resize(random, in_size, true);
  }
}

Rearrange random_chain(Random& random, const Extents& extents, Samples samples) {
  std::vector<index_t> parts{extents[Axis::N]};
  for (Axis axis : {Axis::C, Axis::D, Axis::H, Axis::W}) {
    index_t rest = extents[axis];
    for (index_t factor = 2; factor <= 4; ++factor)
      if (rest % factor == 0 && random.once_in(2)) {
        parts.push_back(factor);
        rest /= factor;
      }
    parts.push_back(rest);
  }
  std::vector<int> perm(parts.size());
  std::iota(perm.begin(), perm.end(), 0);
  const index_t kept = samples == Samples::Apart ? 1 : 0;  // leading dimensions
  for (index_t swaps = random.integer(0, 6); swaps > 0; --swaps)
    std::swap(perm[static_cast<std::size_t>(random.integer(kept, std::ssize(parts) - 1))],
              perm[static_cast<std::size_t>(random.integer(kept, std::ssize(parts) - 1))]);
  const Rearrange moved = transposed(reshaped(in_order({volume(extents)}), parts).value(), perm);
  // Merges neighbouring dimensions until there are at most five.
  std::vector<index_t> dims = moved.dims;
  for (const auto most = static_cast<std::size_t>(random.integer(2, num_axes)); dims.size() > most;) {
    const index_t at = random.integer(kept, std::ssize(dims) - 2);
    dims[static_cast<std::size_t>(at)] *= dims[static_cast<std::size_t>(at) + 1];
    dims.erase(dims.begin() + at + 1);
  }
  return reshaped(moved, dims).value();
}

Resample random_resample(Random& random, const Extents& extents) {
  Resample op{.fill = static_cast<float>(random.integer(-2, 2))};
  for (Axis axis : spatial_axes)
    if (axis != Axis::D || extents[axis] > 1) op[axis] = random_resampled_axis(random, extents[axis]);
  if (random.once_in(3)) op[Axis::C] = random_slice(random, extents[Axis::C]);
  return op;
}

Extents random_extents(Random& random) {
  const index_t ndims = random.integer(1, 3);
  Extents extents;
  extents[Axis::N] = random.integer(1, 3);
  extents[Axis::C] = random.once_in(3) ? random.integer(17, 40) : random.integer(1, 12);
  extents[Axis::H] = random.integer(1, ndims == 3 ? 7 : 17);
  if (ndims >= 2) extents[Axis::W] = random.integer(1, ndims == 3 ? 6 : 13);
  if (ndims == 3) extents[Axis::D] = random.integer(1, 7);
  return extents;
}

namespace {

index_t random_groups(Random& random, index_t channels) {
  index_t groups = 1;
  if (random.once_in(3))
    for (index_t candidate : {channels, index_t{4}, index_t{3}, index_t{2}})
      if (channels % candidate == 0 && random.once_in(2)) groups = candidate;
  return groups;
}

}  // namespace

ValueId random_conv(RandomNetworkBuilder& builder, ValueId src) {
  Random& random = builder.random();
  const index_t groups = random_groups(random, builder.extents(src)[Axis::C]);
  return builder.conv(src, {.oc = groups * random.integer(1, groups > 4 ? 2 : 9),
                            .window = random_window(random, builder.extents(src)),
                            .groups = groups,
                            .has_bias = random.once_in(2)});
}

ValueId random_conv_transpose(RandomNetworkBuilder& builder, ValueId src) {
  Random& random = builder.random();
  Window window;
  for (Axis axis : spatial_axes) {
    const index_t in = builder.extents(src)[axis];
    if (in == 1) continue;
    WindowAxis& along = window[axis];
    along = {.kernel = random.integer(1, 5), .stride = random.integer(1, 3), .dilation = random.integer(1, 2)};
    along.pad_lo = random.integer(0, along.span() - 1);
    along.pad_hi = random.integer(1 - along.stride, along.span() - 1);
    if ((in - 1) * along.stride + along.span() - along.pad_lo - along.pad_hi < 1) along = {};
  }
  const index_t groups = random_groups(random, builder.extents(src)[Axis::C]);
  return builder.conv_transpose(
      src,
      {.oc = groups * random.integer(1, groups > 4 ? 2 : 9), .window = window, .groups = groups, .has_bias = random.once_in(2)});
}

namespace {

/// Twice as many rows, or rows and columns.
ValueId random_enlargement(RandomNetworkBuilder& builder, ValueId src) {
  const Extents in = builder.extents(src);
  Resample op;
  op[Axis::H] = {NearestAxis{.scale = 2}, 2 * in[Axis::H]};
  if (builder.random().once_in(2))
    op[Axis::W] = {NearestAxis{.scale = 2, .coordinates = Coordinates::Asymmetric}, 2 * in[Axis::W]};
  return builder.resample(src, op);
}

/// Of five dimensions, so that every operator may follow.
ValueId random_rearrangement(RandomNetworkBuilder& builder, ValueId src) {
  Rearrange chain = random_chain(builder.random(), builder.extents(src), Samples::Apart);
  chain.dims.resize(num_axes, 1);
  return builder.rearrange(src, chain);
}

ValueId random_step(RandomNetworkBuilder& builder, ValueId src) {
  Random& random = builder.random();
  switch (random.integer(0, 10)) {
    case 10:
      return random_rearrangement(builder, src);
    case 0:
      return builder.pool(src, PoolKind::Max, random_window(random, builder.extents(src)));
    case 1:
      return builder.scale_shift(src);
    case 2:
      return builder.relu(src);
    case 3:
      return builder.sum({src, src});
    case 4:
      return builder.activation(src, {.kind = ActivationKind::Clip, .alpha = -8, .beta = 8});
    case 5:
      return random_enlargement(builder, src);
    default:
      return random_conv(builder, src);
  }
}

/// Same extents as `src`.
ValueId same_size_conv(RandomNetworkBuilder& builder, ValueId src) {
  Random& random = builder.random();
  Window window;
  for (Axis axis : spatial_axes) {
    if (builder.extents(src)[axis] == 1) continue;
    const index_t reach = random.integer(0, 2);
    window[axis] = {.kernel = 2 * reach + 1, .pad_lo = reach, .pad_hi = reach};
  }
  return builder.conv(src, {.oc = builder.extents(src)[Axis::C], .window = window});
}

ValueId random_join(RandomNetworkBuilder& builder, ValueId src) {
  const ValueId left = same_size_conv(builder, src);
  const ValueId right = builder.random().once_in(2) ? src : same_size_conv(builder, src);
  switch (builder.random().integer(0, 2)) {
    case 0:
      return builder.concat({left, right});
    case 1:
      return builder.sum({left, right, src});
    default:
      return builder.relu(builder.sum({left, right}));
  }
}

bool is_too_large(const Extents& extents) { return volume(extents) > 40000; }

}  // namespace

Network random_network(Random source, Weights weights, int num_nodes) {
  RandomNetworkBuilder builder(std::move(source), weights);
  Random& random = builder.random();
  const Extents extents = random_extents(random);
  ValueId value = builder.input(extents, extents[Axis::D] > 1 ? 5 : 4);
  std::vector<ValueId> outputs;
  for (int k = 0; k < num_nodes; ++k) {
    ValueId next = random.once_in(3) ? random_join(builder, value) : random_step(builder, value);
    if (weights == Weights::SmallIntegers)  // keeps sums exact at any depth
      next = builder.activation(next, {.kind = ActivationKind::Clip, .alpha = -3, .beta = 3});
    if (is_too_large(builder.extents(next))) break;
    value = next;
    if (random.once_in(8)) outputs.push_back(value);
  }
  if (outputs.empty() || outputs.back() != value) outputs.push_back(builder.relu(value));
  Network network = builder.build(outputs);
  if (random.once_in(2)) set_leaf_rule(network, LeafRule::Fine);
  return network;
}

Network small_classifier(std::uint64_t seed, Weights weights, const Extents& input) {
  RandomNetworkBuilder builder(seed, weights);
  const bool is_3d = input[Axis::D] > 1;
  const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  const WindowAxis strided{.kernel = 3, .stride = 2, .pad_lo = 0, .pad_hi = 1};
  const Window same{{is_3d ? three : WindowAxis{}, three, three}};
  const Window halved{{is_3d ? strided : WindowAxis{}, strided, strided}};
  const Activation keep_small{.kind = ActivationKind::Clip, .alpha = -4, .beta = 4};
  ValueId x = builder.activation(builder.conv(builder.input(input, is_3d ? 5 : 4), {.oc = 20, .window = same}), keep_small);
  x = builder.pool(x, PoolKind::Max, halved);
  const ValueId body = builder.activation(builder.conv(x, {.oc = 20, .window = same, .groups = 2}), keep_small);
  x = builder.relu(builder.sum({builder.conv(body, {.oc = 20, .window = same}), x}));
  x = builder.activation(x, keep_small);
  const ValueId left = builder.conv(x, {.oc = 9});
  const ValueId right = builder.conv(x, {.oc = 20, .window = same, .groups = 20});
  x = builder.activation(builder.scale_shift(builder.concat({left, right, x})), keep_small);
  x = builder.activation(builder.conv(x, {.oc = 33, .window = halved}), keep_small);
  x = builder.activation(builder.global_average(x), keep_small);
  return builder.build({builder.fully_connected(x, 10)});
}

}  // namespace parconv::test
