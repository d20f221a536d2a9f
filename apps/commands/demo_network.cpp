// SPDX-License-Identifier: Apache-2.0
#include "demo_network.hpp"

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "parconv/model/shape.hpp"

namespace parconv::app {
namespace {

constexpr Extents image_extents{{1, 3, 1, 48, 40}};

/// Deterministic pseudo-random values in [-1, 1), equal on all platforms.
class Numbers {
 public:
  explicit Numbers(std::uint32_t seed) : state_(seed) {}

  float next() {
    state_ = state_ * 1664525U + 1013904223U;
    return static_cast<float>(state_ >> 8U) * 0x1p-23F - 1.0F;
  }

 private:
  std::uint32_t state_;
};

Window square_window(index_t kernel, index_t stride, index_t pad) {
  const WindowAxis along{.kernel = kernel, .stride = stride, .pad_lo = pad, .pad_hi = pad};
  return {{WindowAxis{}, along, along}};
}

struct ConvShape {
  index_t channels = 1;
  Window window{};
  index_t groups = 1;
};

/// Appends layers; each method returns the value that it creates.
class DemoBuilder {
 public:
  ValueId input(index_t samples) {
    Extents extents = image_extents;
    extents[Axis::N] = samples;
    network_.inputs = {add_value("images", ValueKind::Input, {extents, 4})};
    return network_.inputs.front();
  }

  ValueId conv(const std::string& name, ValueId src, const ConvShape& shape) {
    const index_t ic = network_.value(src).extents[Axis::C] / shape.groups;
    const index_t kh = shape.window[Axis::H].kernel;
    const index_t kw = shape.window[Axis::W].kernel;
    const index_t count = shape.channels * ic * kh * kw;
    Conv conv{.window = shape.window, .groups = shape.groups};
    conv.filter = {.data = {.values = weights(count, ic * kh * kw), .count = count},
                   .oc = shape.channels,
                   .ic_per_group = ic,
                   .kernel = {1, kh, kw},
                   .strides = {ic * kh * kw, kh * kw, kh * kw, kw, 1}};
    return add(name, std::move(conv), {src}, {.bias = *weights(shape.channels, 4)});
  }

  ValueId relu(const std::string& name, ValueId src) {
    return add(name, Elementwise{}, {src}, {.activation = {.kind = ActivationKind::Relu}});
  }

  ValueId normalise(const std::string& name, ValueId src) {
    const index_t channels = network_.value(src).extents[Axis::C];
    return add(name, ScaleShift{.scale = *weights(channels, 1), .shift = *weights(channels, 4)}, {src});
  }

  ValueId max_pool(const std::string& name, ValueId src) {
    return add(name, Pool{.kind = PoolKind::Max, .window = square_window(3, 2, 1), .counted_pad_hi = {0, 1, 1}}, {src});
  }

  ValueId mean(const std::string& name, ValueId src) {
    const Extents extents = network_.value(src).extents;
    return add(name, Reduction{.axes = {false, false, false, true, true}, .count = extents[Axis::H] * extents[Axis::W]}, {src});
  }

  ValueId softmax(const std::string& name, ValueId src) {
    Softmax softmax;
    softmax.axes[static_cast<std::size_t>(Axis::C)] = true;
    return add(name, softmax, {src});
  }

  ValueId add(const std::string& name, Operator op, std::vector<ValueId> inputs, Epilogue epilogue = {}) {
    std::vector<Shape> shapes;
    for (ValueId input : inputs) shapes.push_back(shape_of(network_.value(input)));
    const ValueId output = add_value(name, ValueKind::Activation, output_shape(op, shapes, name));
    network_.nodes.push_back(
        {.name = name, .op = std::move(op), .inputs = std::move(inputs), .output = output, .epilogue = std::move(epilogue)});
    return output;
  }

  Network build(ValueId output) {
    network_.name = "demonstration";
    network_.outputs = {output};
    validate(network_);
    return fuse(network_);
  }

 private:
  ValueId add_value(const std::string& name, ValueKind kind, const Shape& shape) {
    network_.values.push_back({.name = name, .kind = kind, .extents = shape.extents, .ndims = shape.ndims});
    return static_cast<ValueId>(network_.values.size()) - 1;
  }

  /// Scaled so that activations keep their magnitude from layer to layer.
  std::shared_ptr<const std::vector<float>> weights(index_t count, index_t fan_in) {
    const float bound = std::sqrt(3.0F / static_cast<float>(fan_in));
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = bound * numbers_.next();
    return std::make_shared<const std::vector<float>>(std::move(values));
  }

  Network network_{};
  Numbers numbers_{1};
};

}  // namespace

Network demo_network(index_t samples) {
  DemoBuilder net;
  const Window same = square_window(3, 1, 1);
  ValueId x =
      net.relu("stem", net.normalise("stem.norm", net.conv("stem.conv", net.input(samples), {.channels = 32, .window = same})));
  x = net.max_pool("pool", x);
  const ValueId left = net.relu("block.1", net.conv("block.1.conv", x, {.channels = 32, .window = same}));
  const ValueId right = net.conv("block.2.conv", left, {.channels = 32, .window = same});
  x = net.relu("block", net.add("block.sum", Sum{}, {right, x}));
  const ValueId depthwise =
      net.relu("depthwise", net.conv("depthwise.conv", x, {.channels = 32, .window = square_window(5, 1, 2), .groups = 32}));
  const ValueId pointwise = net.relu("pointwise", net.conv("pointwise.conv", x, {.channels = 16}));
  x = net.normalise("join.norm", net.add("join", Concat{}, {depthwise, pointwise, x}));
  x = net.relu("deep", net.conv("deep.conv", x, {.channels = 64, .window = square_window(3, 2, 1)}));
  x = net.conv("classes", net.mean("mean", x), {.channels = 10});
  return net.build(net.softmax("probabilities", x));
}

MemorySource demo_images(index_t samples) {
  Extents extents = image_extents;
  extents[Axis::N] = samples;
  HostTensor images(Box::whole(extents));
  Numbers numbers(2);
  for (index_t n = 0; n < samples; ++n)
    for (index_t c = 0; c < extents[Axis::C]; ++c)
      for (index_t h = 0; h < extents[Axis::H]; ++h)
        for (index_t w = 0; w < extents[Axis::W]; ++w) images.at(n, c, 0, h, w) = numbers.next();
  return {std::move(images), 4};
}

}  // namespace parconv::app
